"""Faults of time and transport: a right connector behind something that answers late, loses its temper or mixes up.

A fault's name ends in the call that it spoils, such as `:scan` or `:cart`; the other calls are let through.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PATHS = {
    "scan": "/v1/identity/identity-keys",
    "cart": "/v1/order/purchases",
    "tap": "/v1/fraudandabuse/shopperauthorization",
    "loyalty": "/v1/identity/scan",
    "details": "/v1/identity/scan/details",
}
_HUGE = 1_000_000
_CROWD = 12
_PATIENCE_S = 0.5
_LATE_S = 2.5
_TURN_S = 0.15

_STATUS_ONLY = {"answers_204": 204, "redirects": 307, "answers_202": 202, "answers_503": 503}
_DELAYS_S = {"answers_after_1900_ms": 1.9, "answers_after_2100_ms": 2.1}
_CONTENT_TYPES = {
    "calls_its_json_a_page": [(b"content-type", b"text/html; charset=utf-8")],
    "does_not_say_that_it_is_json": [],
}
_RARE = {"answers_one_in_twenty_late": 20, "answers_one_in_a_hundred_late": 100}


class Spoilt:
    """An ASGI app around another; a fault that is not of this kind changes nothing."""

    def __init__(self, app: App, fault: str) -> None:
        self._app = app
        self._fault, _, call = fault.partition(":")
        self._path = PATHS.get(call, "")
        self._calls = 0
        self._under_way = 0
        self._is_poisoned = False
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        self._calls += 1
        self._under_way += 1
        try:
            await self._spoil(scope, receive, send)
        finally:
            self._under_way -= 1

    async def _spoil(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = await self._status_instead(scope)
        start = time.monotonic()
        body, is_whole = await read(receive)
        if self._fault == "gives_slow_callers_up" and time.monotonic() - start > _PATIENCE_S:
            status = 408
        if self._fault == "fails_on_huge_bodies" and len(body) > _HUGE:
            status = 500
        if self._fault == "breaks_after_a_broken_call":
            status, self._is_poisoned = 500 if self._is_poisoned and is_whole else status, not is_whole
        if status:
            await _answer(send, status)
            return
        await self._wait()
        await self._app(scope, replayed(body), self._late_end(self._labelled(send)))

    async def _status_instead(self, scope: Scope) -> int:
        headers = dict(scope["headers"])
        if self._fault == "takes_any_method" and scope["method"] != "POST":
            return 200
        if self._fault == "fails_on_other_content_types" and b"json" not in headers.get(b"content-type", b""):
            return 500
        if self._fault == "loses_its_temper_in_a_crowd":
            await asyncio.sleep(_TURN_S)  # as long as the others take to arrive
            return 500 if self._under_way > _CROWD else 0
        return _STATUS_ONLY.get(self._fault, 0)

    async def _wait(self) -> None:
        if self._fault in _DELAYS_S:
            await asyncio.sleep(_DELAYS_S[self._fault])
        if self._fault in _RARE and self._calls % _RARE[self._fault] == 0:
            await asyncio.sleep(_LATE_S)
        if self._fault == "answers_late_under_load":
            await asyncio.sleep(_TURN_S)
            await asyncio.sleep(_LATE_S if self._under_way > _CROWD else 0)
        if self._fault == "answers_one_at_a_time":
            async with self._turn:
                await asyncio.sleep(_TURN_S)

    def _labelled(self, send: Send) -> Send:
        """Put the fault's content type in place of the right one."""
        if self._fault not in _CONTENT_TYPES:
            return send

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                others = [each for each in message["headers"] if each[0] != b"content-type"]
                message = {**message, "headers": [*others, *_CONTENT_TYPES[self._fault]]}
            await send(message)

        return sent

    def _late_end(self, send: Send) -> Send:
        if self._fault != "sends_the_last_byte_late":
            return send

        async def sent(message: Message) -> None:
            if message["type"] != "http.response.body":
                await send(message)
                return
            body = message["body"]
            await send({"type": "http.response.body", "body": body[:-1], "more_body": True})
            await asyncio.sleep(_LATE_S)
            await send({"type": "http.response.body", "body": body[-1:]})

        return sent


async def read(receive: Receive) -> tuple[bytes, bool]:
    """Read a body, and say whether it came whole."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return body, False
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body, True


def replayed(body: bytes) -> Receive:
    """Hand a body that was read on to the next app."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _answer(send: Send, status: int) -> None:
    headers = [(b"content-length", b"0"), (b"location", b"/elsewhere")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
