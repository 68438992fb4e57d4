"""The retailer's own calls and their answers, for the journal.

This middleware wraps the whole app, so the journal also has the refusals: a wrong signature, a wrong path, the rate. A
body that is larger than `KEPT_WHOLE` bytes is kept as its size, its SHA-256 and its beginning; nothing of it stays in
memory.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Any

from starlette.datastructures import URL, Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request

from simulator.redaction import redacted_body, redacted_headers, redacted_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from simulator.clock import Clock
    from simulator.journal import Journal
    from simulator.seed import Seed

_log = logging.getLogger("simulator.retailer_calls")
KEPT_WHOLE = 16_000
_BEGINNING = 2_000
_REQUEST_ID = "x-amzn-RequestId"
_NAMED = {"storeId": "storeId", "shoppingTripId": "tripId", "ingestionId": "ingestionId"}
"""What the journal files a call under, by the member of its messages."""


class Body:
    """A passing body: whole if it is small, and otherwise its size, its digest and its beginning."""

    def __init__(self) -> None:
        self._size = 0
        self._digest = hashlib.sha256()
        self._kept = bytearray()

    def add(self, piece: bytes) -> None:
        """Take the next piece."""
        self._size += len(piece)
        self._digest.update(piece)
        self._kept += piece[: max(0, KEPT_WHOLE + 1 - len(self._kept))]

    def told(self) -> Any:  # noqa: ANN401 - any JSON, or the text that it is
        """Return it for the journal, redacted."""
        if self._size <= KEPT_WHOLE:
            return redacted_body(redacted_text(self._kept.decode(errors="replace")).encode())
        return {
            "cut": f"larger than {KEPT_WHOLE} bytes: only its beginning is kept",
            "bytes": self._size,
            "sha256": self._digest.hexdigest(),
            "beginning": redacted_text(self._kept[:_BEGINNING].decode(errors="replace")),
        }


class RetailerCalls:
    """Keeps every call with a path that begins with one of `paths`; a refusal leaves its code in the request's state.

    An error of the platform is answered with `broken`, so that it has a requestId and an entry too.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        paths: tuple[str, ...],
        broken: Callable[[Request, Exception], Awaitable[Response]],
        journal: Journal,
        clock: Clock,
        seed: Seed,
    ) -> None:
        self._app = app
        self._paths = paths
        self._broken = broken
        self._journal = journal
        self._clock = clock
        self._seed = seed
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, and keep it when it is a retailer's call."""
        if scope["type"] != "http" or not scope["path"].startswith(self._paths):
            await self._app(scope, receive, send)
            return
        self._count += 1
        call, started = _Call(scope, self._seed.id("retailer call", self._count)), self._clock.monotonic()
        try:
            await self._app(scope, call.hearing(receive), call.telling(send))
        except ClientDisconnect:
            pass  # the caller has gone; the journal records it
        except Exception as error:
            if call.is_answered:
                raise
            _log.exception("%s %s broke on our side", scope["method"], scope["path"])
            scope["state"]["refusal"] = "platform_error"
            answer = await self._broken(Request(scope), error)
            await answer(scope, receive, call.telling(send))
        finally:
            measured = {"startedMs": started, "elapsedMs": self._clock.monotonic() - started}
            rounded = {name: round(seconds * 1000) for name, seconds in measured.items()}
            self._journal.add("retailer_call", {**call.entry(), **rounded})


class _Call:
    """One call on its way."""

    def __init__(self, scope: Scope, request_id: str) -> None:
        self._scope = scope
        self._state: dict[str, Any] = scope.setdefault("state", {})
        self._request_id = request_id
        self._request, self._answer = Body(), Body()
        self._status: int | None = None
        self._headers: dict[str, str] = {}
        self._whole = self._left = False

    @property
    def is_answered(self) -> bool:
        """Say whether an answer has begun, or the caller has closed the connection."""
        return self._status is not None or self._left

    def hearing(self, receive: Receive) -> Receive:
        async def heard() -> Message:
            message = await receive()
            self._request.add(message.get("body", b""))
            self._left = self._left or message["type"] == "http.disconnect"
            return message

        return heard

    def telling(self, send: Send) -> Send:
        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[_REQUEST_ID] = self._request_id
                self._status, self._headers = message["status"], dict(headers)
            else:
                self._answer.add(message.get("body", b""))
                self._whole = not message.get("more_body", False)
            await send(message)

        return told

    def entry(self) -> dict[str, Any]:
        """Return the call for the journal."""
        request, answer = self._request.told(), self._answer.told()
        route = self._scope.get("route")
        return {
            "requestId": self._request_id,
            "account": self._state.get("account"),
            **_filed_under(request, answer),
            "operation": (getattr(route, "summary", None) or getattr(route, "name", None)) if route else None,
            "outcome": self._outcome(),
            **({"reason": reason} if (reason := self._state.get("reason")) else {}),
            "request": {
                "method": self._scope["method"],
                "url": redacted_text(str(URL(scope=self._scope))),
                "headers": redacted_headers(dict(Headers(scope=self._scope))),
                "body": request,
            },
            "response": {"status": self._status, "headers": redacted_headers(self._headers), "body": answer}
            if self._whole
            else None,
        }

    def _outcome(self) -> str:
        if not self._whole or self._status is None:
            return "caller_left" if self.is_answered else "platform_error"
        if self._status < 400:  # noqa: PLR2004 - where refusals begin in HTTP
            return "accepted"
        return str(self._state.get("refusal", "refused"))


def _filed_under(request: Any, answer: Any) -> dict[str, str]:  # noqa: ANN401 - any JSON
    found: dict[str, str] = {}
    for message in (answer, request):
        if isinstance(message, dict):
            named = {_NAMED[name]: value for name, value in message.items() if name in _NAMED}
            found |= {name: value for name, value in named.items() if isinstance(value, str)}
    return found
