"""Middleware that records the retailer's own calls, and their answers, in the journal.

It is around the whole app, so it also records refusals: a wrong signature, a wrong path, the rate limit. Of a body
above `KEPT_WHOLE` bytes it records the size, the SHA-256 and the beginning, and keeps no more in memory.
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
_JOURNAL_IDS = {"storeId": "storeId", "shoppingTripId": "tripId", "ingestionId": "ingestionId"}
"""The ids in messages that become members of a journal entry, with their names there."""


class Body:
    """A recorded body: whole if it is small, otherwise its size, its digest and its beginning."""

    def __init__(self) -> None:
        self._size = 0
        self._digest = hashlib.sha256()
        self._kept = bytearray()

    def add(self, piece: bytes) -> None:
        """Add the next piece."""
        self._size += len(piece)
        self._digest.update(piece)
        self._kept += piece[: max(0, KEPT_WHOLE + 1 - len(self._kept))]

    def to_json(self) -> Any:  # noqa: ANN401 - any JSON, or text
        """Return the body for the journal, redacted."""
        if self._size <= KEPT_WHOLE:
            return redacted_body(redacted_text(self._kept.decode(errors="replace")).encode())
        return {
            "cut": f"larger than {KEPT_WHOLE} bytes: only its beginning is kept",
            "bytes": self._size,
            "sha256": self._digest.hexdigest(),
            "beginning": redacted_text(self._kept[:_BEGINNING].decode(errors="replace")),
        }


class RetailerCalls:
    """Records each call with a path that begins with one of `paths`.

    The error handlers put the code of a refusal into the request's state. This middleware answers an unexpected error
    by `answer_error`, so that this answer has a requestId and a journal entry too.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        paths: tuple[str, ...],
        answer_error: Callable[[Request, Exception], Awaitable[Response]],
        journal: Journal,
        clock: Clock,
        seed: Seed,
    ) -> None:
        self._app = app
        self._paths = paths
        self._answer_error = answer_error
        self._journal = journal
        self._clock = clock
        self._seed = seed
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request to the app, and record it if it is a retailer's call."""
        if scope["type"] != "http" or not scope["path"].startswith(self._paths):
            await self._app(scope, receive, send)
            return
        self._count += 1
        call, started = _Call(scope, self._seed.id("retailer call", self._count)), self._clock.monotonic()
        try:
            await self._app(scope, call.wrap_receive(receive), call.wrap_send(send))
        except ClientDisconnect:
            pass  # the caller has gone, so there is no answer; the journal has an entry
        except Exception as error:
            if call.is_answered:
                raise
            _log.exception("the platform failed in %s %s", scope["method"], scope["path"])
            scope["state"]["refusal"] = "platform_error"
            answer = await self._answer_error(Request(scope), error)
            await answer(scope, receive, call.wrap_send(send))
        finally:
            measured = {"startedMs": started, "elapsedMs": self._clock.monotonic() - started}
            rounded = {name: round(seconds * 1000) for name, seconds in measured.items()}
            self._journal.add("retailer_call", {**call.entry(), **rounded})


class _Call:
    """One running call."""

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
        """Return whether an answer has begun, or the caller has disconnected."""
        return self._status is not None or self._left

    @property
    def _answer_is_lost(self) -> bool:
        """Return whether an armed fault cuts the answer off after its headers."""
        return bool(self._state.get("answer_is_lost"))

    def wrap_receive(self, receive: Receive) -> Receive:
        async def receive_and_record() -> Message:
            message = await receive()
            self._request.add(message.get("body", b""))
            self._left = self._left or message["type"] == "http.disconnect"
            return message

        return receive_and_record

    def wrap_send(self, send: Send) -> Send:
        async def send_and_record(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[_REQUEST_ID] = self._request_id
                if self._answer_is_lost:
                    headers["content-length"] = str(int(headers.get("content-length", "0")) + 1)
                self._status, self._headers = message["status"], dict(headers)
            else:
                self._answer.add(message.get("body", b""))
                self._whole = not message.get("more_body", False)
                if self._answer_is_lost:
                    return  # the server closes the connection, because the announced body does not follow
            await send(message)

        return send_and_record

    def entry(self) -> dict[str, Any]:
        """Return the journal entry of the call."""
        request, answer = self._request.to_json(), self._answer.to_json()
        route = self._scope.get("route")
        return {
            "requestId": self._request_id,
            "account": self._state.get("account"),
            **_ids_in(request, answer),
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
        if self._answer_is_lost and self._status is not None:
            return "answer_lost"
        if not self._whole or self._status is None:
            return "caller_left" if self.is_answered else "platform_error"
        if self._status < 400:  # noqa: PLR2004 - where refusals begin in HTTP
            return "accepted"
        return str(self._state.get("refusal", "refused"))


def _ids_in(request: Any, answer: Any) -> dict[str, str]:  # noqa: ANN401 - any JSON
    found: dict[str, str] = {}
    for message in (answer, request):
        if isinstance(message, dict):
            named = {_JOURNAL_IDS[name]: value for name, value in message.items() if name in _JOURNAL_IDS}
            found |= {name: value for name, value in named.items() if isinstance(value, str)}
    return found
