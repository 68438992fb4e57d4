"""A small connector that mints its own keys and can swap answers, and a short load test of it."""

from __future__ import annotations

import asyncio
import base64
import json
from itertools import count
from pathlib import Path
from typing import Any

from conformance.mutants.http_app import Reply, Request
from conformance.mutants.small_connector import SmallConnector
from load.run import LoadReport, run_load
from load.settings import LoadOptions

FIXED = '[keys]\nshopper = "dmFsaWRfc2hvcHBlcl9rZXk="\nassociate = "YXNzb2NpYXRlX2tleQ=="\n'


class Store(SmallConnector):
    """Mints keys, each for one event, of `shoppers` people; 0 means a person for each key.

    With `swaps`, two concurrent scans, or two carts, sometimes get each other's answers; what it stores stays right.
    """

    def __init__(self, *, swaps: bool = False, shoppers: int = 0) -> None:
        super().__init__()
        self._swaps, self._shoppers = swaps, shoppers
        self._numbers, self._turns = count(), count()
        self._waiting: dict[str, tuple[asyncio.Future[Reply], Reply]] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/mint/"):
            await super().__call__(scope, receive, send)
            return
        key = f"{scope['path'].rsplit('/', 1)[-1]} {next(self._numbers)}"
        body = json.dumps({"identityKey": base64.b64encode(key.encode()).decode()}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    def visitor_of(self, key: str) -> tuple[str, str] | None:
        kind, _, number = key.partition(" ")
        if kind not in {"shopper", "associate"}:
            return super().visitor_of(key)
        person = int(number) % self._shoppers if self._shoppers else int(number)
        return f"{kind}-{person}", kind.upper()

    async def scan(self, request: Request) -> Reply:
        return await self._swap("scan", await super().scan(request))

    async def cart(self, request: Request) -> Reply:
        return await self._swap("cart", await super().cart(request))

    async def _swap(self, call: str, reply: Reply) -> Reply:
        if not self._swaps or reply.status not in {200, 201}:
            return reply
        if call in self._waiting:
            waiting, other_reply = self._waiting.pop(call)
            waiting.set_result(reply)
            return other_reply
        if next(self._turns) % 10:
            return reply
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[call] = waiting, reply
        await asyncio.wait([waiting], timeout=0.02)
        if waiting.done():
            return waiting.result()
        del self._waiting[call]
        return reply


def run(url: str, folder: Path, keys: str, scenario: str) -> LoadReport:
    profile = folder / "jwo.toml"
    store = '[store]\nid = "STORE-001"\n[catalog]\nskus = ["SKU-001"]\n'
    profile.write_text(f'[connector]\nurl = "{url}"\n{store}{keys.replace("URL", url)}')
    options = LoadOptions(profile=str(profile), scenario=scenario, rate=150, duration_s=1.5, lag_bound_ms=2000)
    return run_load(options, lambda _: None)


MINTED = '[keys]\nurl = "URL/mint/{type}"\n'
