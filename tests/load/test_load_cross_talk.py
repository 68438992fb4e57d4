"""Cross-talk under load, over real sockets: answers that go to the wrong shopper are found, and nothing else is."""

from __future__ import annotations

import asyncio
import base64
import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from conformance.mutants.http_app import Reply, Request
from conformance.mutants.small_connector import SmallConnector
from load.run import LoadReport, run_load
from load.settings import LoadOptions

FIXED = '[keys]\nshopper = "dmFsaWRfc2hvcHBlcl9rZXk="\nassociate = "YXNzb2NpYXRlX2tleQ=="\n'


class Store(SmallConnector):
    """Mints keys that are good for one event each; `shoppers` is how many people they belong to, 0 one for each key.

    `swaps`: now and then the answers to two scans or two carts that meet are exchanged; what is remembered is right.
    """

    def __init__(self, *, swaps: bool = False, shoppers: int = 0) -> None:
        super().__init__()
        self._swaps, self._shoppers = swaps, shoppers
        self._numbers, self._turns = count(), count()
        self._met: dict[str, tuple[asyncio.Future[Reply], Reply]] = {}

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
        return await self._swapped("scan", await super().scan(request))

    async def cart(self, request: Request) -> Reply:
        return await self._swapped("cart", await super().cart(request))

    async def _swapped(self, call: str, reply: Reply) -> Reply:
        if not self._swaps or reply.status not in {200, 201}:
            return reply
        if call in self._met:
            waiting, theirs = self._met.pop(call)
            waiting.set_result(reply)
            return theirs
        if next(self._turns) % 10:
            return reply
        waiting = asyncio.get_running_loop().create_future()
        self._met[call] = waiting, reply
        await asyncio.wait([waiting], timeout=0.02)
        if waiting.done():
            return waiting.result()
        del self._met[call]
        return reply


def run(url: str, folder: Path, keys: str, scenario: str) -> LoadReport:
    profile = folder / "jwo.toml"
    store = '[store]\nid = "STORE-001"\n[catalog]\nskus = ["SKU-001"]\n'
    profile.write_text(f'[connector]\nurl = "{url}"\n{store}{keys.replace("URL", url)}')
    options = LoadOptions(profile=str(profile), scenario=scenario, rate=150, duration_s=1.5, lag_bound_ms=2000)
    return run_load(options, lambda _: None)


MINTED = '[keys]\nurl = "URL/mint/{type}"\n'


@pytest.mark.parametrize(
    ("keys", "scenario"), [(MINTED, "gate_rush"), (MINTED, "walk_out_wave"), (FIXED, "walk_out_wave")]
)
def test_swapped_answers_are_found(serve: Any, tmp_path: Path, keys: str, scenario: str) -> None:
    report = run(serve(Store(swaps=True)), tmp_path, keys, scenario)

    assert report.exit_code == 1, report.document["verdict"]
    assert report.document["findings"]["cross-talk"] > 0


@pytest.mark.parametrize("shoppers", [0, 1, 3])
@pytest.mark.parametrize("scenario", ["gate_rush", "walk_out_wave"])
def test_a_connector_is_free_in_whose_keys_it_mints(serve: Any, tmp_path: Path, shoppers: int, scenario: str) -> None:
    report = run(serve(Store(shoppers=shoppers)), tmp_path, MINTED, scenario)

    assert report.document["verdict"]["word"] == "pass", report.document["verdict"]
    assert report.document["generator"]["asked_alone"] > 50


def test_a_visitor_for_each_event_is_no_cross_talk(serve: Any, tmp_path: Path) -> None:
    class Guests(SmallConnector):
        def decide(self, request: Request) -> Reply:
            reply = super().decide(request)
            if reply.status != 200:
                return reply
            kind = reply.body["visitorDetails"]["type"]
            return self.let_in(f"{kind}-{self.event_key(request)}", kind)

    report = run(serve(Guests()), tmp_path, FIXED, "gate_rush")

    assert report.document["verdict"]["word"] == "pass", report.document["verdict"]


def test_another_visitor_than_a_fixed_key_names_alone_is_cross_talk(serve: Any, tmp_path: Path) -> None:
    class Stranger(SmallConnector):
        """Remembers a wrong visitor, of the right type, for every twentieth scan while it is busy."""

        turns = count(1)

        def let_in(self, visitor: str, kind: str) -> Reply:
            turn = next(self.turns)
            is_strange = turn % 20 == 0 and turn <= 100
            return super().let_in(visitor.replace("-001", "-777") if is_strange else visitor, kind)

    report = run(serve(Stranger()), tmp_path, FIXED, "gate_rush")

    assert report.exit_code == 1
    assert set(report.document["findings"]) == {"cross-talk"}
    assert "fixed key of a SHOPPER" in str(report.document["examples"])


def test_a_fixed_key_whose_visitor_changes_for_good_is_no_cross_talk(serve: Any, tmp_path: Path) -> None:
    class Pseudonyms(SmallConnector):
        """Names the shopper anew in the middle of the run, as others do at midnight."""

        turns = count(1)

        def let_in(self, visitor: str, kind: str) -> Reply:
            return super().let_in(visitor.replace("-001", "-777") if next(self.turns) > 100 else visitor, kind)

    report = run(serve(Pseudonyms()), tmp_path, FIXED, "gate_rush")

    assert report.document["verdict"]["word"] == "pass", report.document["verdict"]
