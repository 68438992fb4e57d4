"""The app's HTTP routes under /app: sign-in, and the codes of the shopper that is signed in. Money is in `receipts`.

Sessions are signed cookies. Scripts cannot read them, and other sites cannot send them: see `sign_in`. If test keys are
on, they need no session.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from importlib import resources
from typing import NamedTuple

import orjson
from fastapi import APIRouter, Depends, FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from jwo_contract.errors import ContractError
from jwo_contract.messages import parse_object
from jwo_contract.values import parse_instant
from reference_connector.dispatch import CallerGone, read_body
from reference_connector.errors import CallRefused, InvalidRequest, NotTheirs, TooLarge
from reference_connector.mobile_app import qr
from reference_connector.mobile_app.codes import CodeIssuer
from reference_connector.mobile_app.mint import Kind, Mint
from reference_connector.mobile_app.sign_in import COOKIE, SignIn

_BODY_BYTES = 4096
_NOT_CACHED = {"Cache-Control": "no-store"}
_PAGE_HEADERS = _NOT_CACHED | {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
}


class AppRules(NamedTuple):
    """How long a code is valid, and whether the app may request one with another time of issue."""

    expires_in_s: int
    allow_backdated: bool


def add_app_routes(
    app: FastAPI,
    codes: CodeIssuer,
    rules: AppRules,
    sign_in: SignIn,
    mint: Mint | None,
    more: Sequence[APIRouter] = (),
) -> None:
    """Serve sign-in and codes, `more` routes of a signed-in shopper, and fresh test keys if there is a mint."""
    app.include_router(_page_route())
    app.include_router(_session_routes(sign_in))
    own = [Depends(require_own(sign_in))]
    app.include_router(_code_routes(codes, rules), dependencies=own)
    for routes in more:
        app.include_router(routes, dependencies=own)
    if mint is not None:
        app.include_router(_mint_routes(mint))
    app.add_exception_handler(CallRefused, _refused)


def _page_route() -> APIRouter:
    routes = APIRouter()
    folder = resources.files("reference_connector.mobile_app")
    page, style, script = (folder.joinpath(f"page.{kind}").read_bytes() for kind in ("html", "css", "js"))

    @routes.get("/app", include_in_schema=False)
    async def phone_page() -> Response:
        return Response(page, media_type="text/html; charset=utf-8", headers=_PAGE_HEADERS)

    @routes.get("/app/page.css", include_in_schema=False)
    async def page_style() -> Response:
        return Response(style, media_type="text/css; charset=utf-8", headers=_NOT_CACHED)

    @routes.get("/app/page.js", include_in_schema=False)
    async def page_script() -> Response:
        return Response(script, media_type="text/javascript; charset=utf-8", headers=_NOT_CACHED)

    return routes


def _session_routes(sign_in: SignIn) -> APIRouter:
    routes = APIRouter(prefix="/app/session")

    @routes.post("", status_code=204)
    async def open_session(request: Request) -> Response:
        shopper_id, pin = _credentials(await read_app_body(request))
        answer = Response(status_code=204, headers=_NOT_CACHED)
        cookie, secure = sign_in.open(shopper_id, pin), request.url.scheme == "https"
        answer.set_cookie(
            COOKIE, cookie, sign_in.lifetime_s, path="/app", secure=secure, httponly=True, samesite="strict"
        )
        return answer

    @routes.get("")
    async def session(request: Request) -> Response:
        return app_json({"shopper": sign_in.shopper_of(request.cookies.get(COOKIE, ""))})

    @routes.delete("", status_code=204)
    async def close_session() -> Response:
        answer = Response(status_code=204, headers=_NOT_CACHED)
        answer.delete_cookie(COOKIE, path="/app")
        return answer

    return routes


def require_own(sign_in: SignIn) -> Callable[[str, Request], Awaitable[None]]:
    """Make a dependency that raises NotTheirs unless the shopper of the path is signed in."""

    async def own(shopper_id: str, request: Request) -> None:
        if sign_in.shopper_of(request.cookies.get(COOKIE, "")) != shopper_id:
            raise NotTheirs("these are another shopper's codes, receipts and badges")

    return own


def _code_routes(codes: CodeIssuer, rules: AppRules) -> APIRouter:
    routes = APIRouter(prefix="/app/shoppers/{shopper_id}")
    lifetime = _NOT_CACHED | {"X-Expires-In-S": str(rules.expires_in_s)}

    @routes.post("/scan-key", status_code=201)
    async def scan_key(shopper_id: str, request: Request) -> Response:
        code = await codes.code_for(shopper_id, _issued_at(await read_app_body(request), rules))
        return app_json({"code": code, "expiresInS": rules.expires_in_s}, 201)

    @routes.post("/scan-key.png", response_class=Response)
    async def scan_key_png(shopper_id: str, request: Request) -> Response:
        code = await codes.code_for(shopper_id, _issued_at(await read_app_body(request), rules))
        image = await run_in_threadpool(qr.png, code)
        return Response(image, media_type="image/png", headers=lifetime)

    @routes.post("/scan-key.svg", response_class=Response)
    async def scan_key_svg(shopper_id: str, request: Request) -> Response:
        code = await codes.code_for(shopper_id, _issued_at(await read_app_body(request), rules))
        image = await run_in_threadpool(qr.svg, code)
        return Response(image, media_type="image/svg+xml", headers=lifetime | {"X-Code": code})

    return routes


def _mint_routes(mint: Mint) -> APIRouter:
    routes = APIRouter(prefix="/app/mint")

    @routes.get("/{kind}")
    async def fresh_key(kind: Kind) -> Response:
        return app_json({"identityKey": await mint.identity_key(kind)})

    return routes


async def read_app_body(request: Request) -> bytes:
    """Read a body of the app. Raises TooLarge if it is longer than any that the app sends."""
    try:
        content = await read_body(request.receive, _BODY_BYTES)
    except CallerGone as error:
        raise InvalidRequest("the body is incomplete") from error
    if len(content) > _BODY_BYTES:
        raise TooLarge(f"the body is larger than {_BODY_BYTES} bytes")
    return content


def _credentials(body: bytes) -> tuple[str, str]:
    try:
        given = parse_object(body)
    except ContractError as error:
        raise InvalidRequest(str(error)) from error
    shopper_id, pin = given.get("shopper"), given.get("pin")
    if not isinstance(shopper_id, str) or not isinstance(pin, str):
        raise InvalidRequest("the body needs shopper and pin, as texts")
    return shopper_id, pin


def _issued_at(body: bytes, rules: AppRules) -> datetime | None:
    """Read the optional time of issue."""
    if not body:
        return None
    try:
        given = parse_object(body)
        if "issuedAt" not in given:
            return None
        issued_at = parse_instant(str(given["issuedAt"]))
    except ContractError as error:
        raise InvalidRequest(str(error)) from error
    if not rules.allow_backdated:
        raise InvalidRequest("issuedAt needs the setting app_allow_backdated_codes")
    return issued_at


def app_json(value: object, status: int = 200) -> Response:
    """Make an answer of the app, which nothing may cache."""
    return Response(orjson.dumps(value), status, media_type="application/json", headers=_NOT_CACHED)


def _refused(_request: Request, refusal: Exception) -> Response:
    status = refusal.status if isinstance(refusal, CallRefused) else 500
    return app_json({"errorMsg": str(refusal)}, status)
