"""Protects the platform from other web pages: the Host, Origin and access token of a request, and headers of pages."""

from __future__ import annotations

import hashlib
import hmac
import re
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse

from simulator.pages.menu import PREFIX

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "jwo_platform_access"
_BEARER = "bearer "
_SAFE = {"GET", "HEAD", "OPTIONS"}
_OWN_SITE = {"same-origin", "none"}
_STATIC = (f"{PREFIX}/static/", f"{PREFIX}/docs-static/")
_OPEN_TO_ALL = (f"{PREFIX}/sign-in", f"{PREFIX}/session", *_STATIC, "/healthz")
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
DOCS_CSP = CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
"""Swagger UI writes styles into its elements."""
_PAGE_HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_NAME = re.compile(r"[a-z0-9_-]+")
"""A host name without a dot: no site of the internet has one."""


class AccessToken:
    """The token that callers must have; an empty token means that none is needed."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self.cookie = hmac.new(self._token, b"session of the web pages", hashlib.sha256).hexdigest()

    def __bool__(self) -> bool:
        return bool(self._token)

    def is_right(self, given: str) -> bool:
        """Return whether a text is the token."""
        return hmac.compare_digest(given.encode(), self._token)

    def admits(self, headers: Headers) -> bool:
        """Return whether a request carries the token, or the cookie of a browser that has signed in."""
        authorization = headers.get("authorization", "")
        bearer = authorization[len(_BEARER) :].strip() if authorization.lower().startswith(_BEARER) else ""
        given = headers.get("x-access-token", bearer)
        return self.is_right(given) or hmac.compare_digest(_cookie(headers).encode(), self.cookie.encode())


class PageSecurity:
    """Middleware around the whole app. Requests of programs that are not browsers pass as before.

    Without a token, the Host must be this machine's: a foreign name that leads here is an attack by DNS. With a token,
    each request needs it, except those for `signed_paths`, which have their own signatures.
    """

    def __init__(
        self, app: ASGIApp, *, token: AccessToken, hosts: frozenset[str], signed_paths: tuple[str, ...]
    ) -> None:
        self._app = app
        self._token = token
        self._hosts = hosts
        self._open = (*_OPEN_TO_ALL, *signed_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, path = Headers(scope=scope), scope["path"]
        refusal = self._refusal(scope["method"], path, headers)
        answer = refusal or self._app
        await answer(scope, receive, _with_page_headers(send) if _is_page(path) else send)

    def _refusal(self, method: str, path: str, headers: Headers) -> Response | None:
        if not self._token and not self._is_known_host(headers.get("host", "")):
            return _forbidden(
                f"the host {headers.get('host', '')[:80]!r} is not a name of this platform",
                "use 127.0.0.1, or name the host in JWO_PLATFORM_BASE_URL or JWO_PLATFORM_ALLOWED_HOSTS",
            )
        if method not in _SAFE and not self._is_same_origin(headers):
            return _forbidden(
                "a web page of another origin sent this request",
                "use the platform's own pages, or a program that is not a browser",
            )
        if self._token and not path.startswith(self._open) and not self._token.admits(headers):
            return _not_signed_in(path)
        return None

    def _is_known_host(self, host: str) -> bool:
        name = _host_name(host)
        return not host or name in self._hosts or _NAME.fullmatch(name) is not None or _is_local(name)

    def _is_same_origin(self, headers: Headers) -> bool:
        """Return whether a browser's page of this origin sent the request, or a program that is not a browser."""
        if "sec-fetch-site" in headers:  # each browser of today, which compares the ports too
            return headers["sec-fetch-site"] in _OWN_SITE
        origin = headers.get("origin")
        return origin is None or _netloc(origin) == headers.get("host", "").lower() or self._is_own_name(origin)

    def _is_own_name(self, origin: str) -> bool:
        """Return whether an origin has a name of this platform, as it does behind a proxy that changes the Host.

        On this machine other programs have the same name with other ports, so its names do not count.
        """
        name = _host_name(_netloc(origin))
        return name in self._hosts and not _is_local(name) and name != "localhost"


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _host_name(host: str) -> str:
    """Return a host in small letters without its port, and an IPv6 address without brackets."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_local(name: str) -> bool:
    """Return whether a host is localhost or an address: only names can be made to lead elsewhere."""
    if name.endswith(".localhost"):
        return True
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_page(path: str) -> bool:
    return path in {"/", "/docs", PREFIX} or path.startswith(f"{PREFIX}/")


def _forbidden(message: str, hint: str) -> Response:
    return JSONResponse({"errorMsg": f"{message} ({hint})"}, 403)


def _not_signed_in(path: str) -> Response:
    if _is_page(path):
        return RedirectResponse(f"{PREFIX}/sign-in", 303)
    hint = "send Authorization: Bearer TOKEN or X-Access-Token: TOKEN, with JWO_PLATFORM_ACCESS_TOKEN"
    return JSONResponse({"errorMsg": f"this platform needs its access token ({hint})"}, 401)


def _with_page_headers(send: Send) -> Send:
    """Return a `send` that adds the headers of pages; a page may have its own value of one."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _PAGE_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
