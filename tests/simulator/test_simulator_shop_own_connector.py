"""The shop command against a retailer's own connector: fresh keys, declared ways in, the verdict, the exit code."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from jwo.errors import Usage, exit_code, sentence
from jwo.shop_command import shop
from jwo_contract.house import House
from simulator.shop.results import Results
from simulator.shop.verdict import findings

MINTING = 'printf \'%s %s\' "$1" "$(cat /proc/sys/kernel/random/uuid)" | base64 -w0\n'
TYPES = {"shopper": "SHOPPER", "associate": "ASSOCIATE", "cash_shopper": "CASH_SHOPPER"}
CARDS = {
    "good": {"shopperAuthorized": True},
    "fraud": {"shopperAuthorized": False, "shopperRisks": ["CustomerFraud"]},
}
DECLARED_CARDS = '[tiers]\nshopper_authorization = true\n[shopper_identities]\nlow_risk = "good"\nhigh_risk = "fraud"\n'


def run(*words: str) -> Any:
    app = typer.Typer()
    app.command()(shop)
    return CliRunner().invoke(app, words)


def a_day(connector: Any, folder: Path, profile: str, *words: str, trips: int = 24) -> Any:
    (folder / "jwo.toml").write_text(f'[connector]\nurl = "{connector.url}"\n{profile}', "utf-8")
    given = ("--profile", str(folder / "jwo.toml"), "--out", str(folder / "out"), "--trips", str(trips))
    return run(*given, "--seed", "7", *words)


def minting(folder: Path, kinds: str = '"shopper", "associate", "cash_shopper"') -> str:
    (folder / "mint.sh").write_text(MINTING, "utf-8")
    return f'[keys]\ncommand = "sh {folder / "mint.sh"} {{type}}"\nminted = [{kinds}]\n'


class SingleUse:
    """A connector that accepts each fresh key once, and knows two cards and one loyalty card."""

    def __init__(self) -> None:
        self.used: dict[str, str] = {}

    def __call__(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if path.startswith("fraud"):
            return 200, CARDS.get(body["shopperIdentity"]["id"], {"shopperAuthorized": False})
        if path.startswith("identity/scan/details"):
            return 200, {"provider": "Club", "promotionIds": []}
        if path.startswith("identity/scan"):
            return 200, {"action": "ACCEPT", "id": "m-1", "type": "LOYALTY"}
        if path.startswith("identity"):
            return self._scan(body["identityKey"], body["authEvent"]["id"])
        return 201, {"purchaseId": "p" if body["cartItems"] else ""}

    def _scan(self, key: str, event: str) -> tuple[int, Any]:
        kind, _, code = base64.b64decode(key).decode(errors="replace").partition(" ")
        if kind not in TYPES or not code or self.used.setdefault(key, event) != event:
            return 401, {"errorMsg": "no"}
        return 200, {"visitorDetails": {"id": kind, "type": TYPES[kind]}}


def test_each_day_of_an_own_connector_has_new_events(connector: Any, tmp_path: Path) -> None:
    connector.answer = SingleUse()
    seen: list[set[str]] = []
    for number in range(2):
        out = tmp_path / str(number)
        result = run("--connector", connector.url, "--trips", "3", "--out", str(out))
        assert "--seed" in result.output
        lines = map(json.loads, (out / "journal.ndjson").read_text("utf-8").splitlines())
        seen.append({line["authEventId"] for line in lines if "authEventId" in line})
    assert seen[0]
    assert not seen[0] & seen[1]


def test_each_entry_with_minted_keys_has_a_fresh_key_of_its_kind(connector: Any, tmp_path: Path) -> None:
    connector.answer = SingleUse()
    shares = ("--share", "associate=0.3", "--share", "cash=0.3", "--share", "group=0.5", "--share", "stranger=0")
    result = a_day(connector, tmp_path, minting(tmp_path), *shares)
    assert result.exit_code == 0, result.output
    keys = [body["identityKey"] for body in connector.bodies("identity-keys")]
    assert len(keys) == len(set(keys)) > 24
    assert {base64.b64decode(key).split()[0].decode() for key in keys} == set(TYPES)
    assert "PASS" in result.output


@pytest.mark.parametrize(
    ("profile", "paths"),
    [
        ('[keys]\nshopper = "c2hvcHBlciBmaXhlZA=="\n', {"identity-keys"}),
        ('[keys]\nassociate = "YXNzb2NpYXRlIGZpeGVk"\n', {"identity-keys"}),
        (DECLARED_CARDS, {"shopperauthorization"}),
        (
            '[tiers]\nresolve_scan = true\n[scans]\naccepted = "Y2FyZCA5"\n',
            {"scan", "details"},
        ),
        (f'[keys]\nshopper = "c2hvcHBlciBmaXhlZA=="\n{DECLARED_CARDS}', {"identity-keys", "shopperauthorization"}),
    ],
)
def test_day_uses_only_the_declared_ways_in(connector: Any, tmp_path: Path, profile: str, paths: set[str]) -> None:
    scans: Counter[str] = Counter()

    def answer(path: str, body: dict[str, Any]) -> tuple[int, Any]:
        scans[path.rpartition("/")[2]] += 1
        if path.endswith("identity-keys"):
            kind = base64.b64decode(body["identityKey"]).decode(errors="replace").split()[0]
            known = {"visitorDetails": {"id": kind, "type": TYPES.get(kind, "")}}
            return (200, known) if kind in TYPES else (401, {})
        return SingleUse()(path, body)

    connector.answer = answer
    result = a_day(connector, tmp_path, profile)
    assert result.exit_code == 0, result.output
    assert set(scans) - {"purchases"} == paths


@pytest.mark.parametrize(
    ("share", "needs"),
    [
        ("card=0.2", "[tiers] shopper_authorization"),
        ("palm=0.2", "[tiers] shopper_authorization"),
        ("badge=0.2", "[keys] badge"),
        ("loyalty_inside=1", "[scans] accepted"),
        ("associate=0.2", "[keys] associate"),
    ],
)
def test_share_without_declared_means_is_a_usage_error(connector: Any, tmp_path: Path, share: str, needs: str) -> None:
    error = a_day(connector, tmp_path, '[keys]\nshopper = "c2hvcHBlciBmaXhlZA=="\n', "--share", share).exception
    assert isinstance(error, Usage)
    assert needs in str(error)


@pytest.mark.parametrize(
    "words",
    [
        ("--share", "palms=0.1"),
        ("--share", "palm=2"),
        ("--share", "palm=nan"),
        ("--share", "palm"),
        ("--share", "card=0.9", "--share", "palm=0.2"),
        ("--share", "group=0.1", "--share", "group=0.2"),
        ("--strategy", "amazon"),
        ("--strategy", "retailer_managed"),
        ("--strategy", "none", "--strategy", "none"),
    ],
)
def test_wrong_share_or_strategy_is_a_usage_error(connector: Any, tmp_path: Path, words: tuple[str, ...]) -> None:
    result = a_day(connector, tmp_path, '[keys]\nshopper = "c2hvcHBlciBmaXhlZA=="\n', *words)
    assert isinstance(result.exception, Usage)
    assert connector.seen == []


def test_day_shows_the_declared_badges(connector: Any, tmp_path: Path) -> None:
    owners = {"b-1": "SHOPPER", "b-2": "ASSOCIATE"}

    def answer(path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if not path.endswith("identity-keys"):
            return SingleUse()(path, body)
        badge = base64.b64decode(body["identityKey"]).decode()
        known = {"visitorDetails": {"id": badge, "type": owners.get(badge, "")}}
        return (200, known) if badge in owners else (401, {})

    connector.answer = answer
    declared = {"badge": "b-1", "associate_badge": "b-2", "revoked_badge": "b-3", "expired_badge": "b-4"}
    keys = "".join(f'{name} = "{base64.b64encode(text.encode()).decode()}"\n' for name, text in declared.items())
    result = a_day(connector, tmp_path, f"[keys]\n{keys}", "--share", "badge=0.5")
    assert result.exit_code == 0, result.output
    scans = connector.bodies("identity-keys")
    assert {base64.b64decode(body["identityKey"]).decode() for body in scans} == set(declared.values())
    assert {body["keyChannel"] for body in scans} == {"CONTACT"}
    assert "associate with a badge" in result.output


def test_badge_that_is_no_text_is_a_usage_error(connector: Any, tmp_path: Path) -> None:
    error = a_day(connector, tmp_path, '[keys]\nbadge = "/////w=="\n').exception
    assert isinstance(error, Usage)
    assert "[keys] badge is not usable in a store day" in str(error)


def test_refusal_of_all_app_shoppers_is_a_finding_although_cards_get_in(connector: Any, tmp_path: Path) -> None:
    connector.answer = lambda path, body: (401, {}) if path.endswith("identity-keys") else SingleUse()(path, body)
    result = a_day(connector, tmp_path, minting(tmp_path, '"shopper"') + DECLARED_CARDS)
    assert result.exit_code == 1
    assert "shoppers with the app in (Verify Identity Keys: 401 x" in result.output
    numbers = json.loads((tmp_path / "out" / "shop.json").read_text("utf-8"))
    assert (numbers["verdict"], len(numbers["findings"])) == ("fail", 1)
    assert numbers["opened"] > 0
    assert numbers["findings"][0].partition(" (")[0] in (tmp_path / "out" / "shop.html").read_text("utf-8")


@pytest.mark.parametrize("kind", ["associate", "cash_shopper"])
def test_refusal_of_one_declared_kind_is_a_finding(connector: Any, tmp_path: Path, kind: str) -> None:
    def answer(path: str, body: dict[str, Any]) -> tuple[int, Any]:
        key = base64.b64decode(body.get("identityKey", "")).decode(errors="replace")
        return (401, {}) if key.startswith(kind) else known(path, body)

    known = connector.answer = SingleUse()
    connector.answer = answer
    shares = ("--share", "associate=0.4", "--share", "cash=0.4")
    result = a_day(connector, tmp_path, minting(tmp_path), *shares, trips=12)
    assert result.exit_code == 1
    assert f"{kind.replace('_', ' ')}s with the app in" in result.output
    assert result.output.count("FAIL") == 1


def test_late_gate_is_a_finding_that_names_its_limit(connector: Any, tmp_path: Path) -> None:
    connector.identity = [
        (200, {"visitorDetails": {"id": "v", "type": "SHOPPER"}}, {"delay_s": 0.2}),
        (200, {"visitorDetails": {"id": "v", "type": "SHOPPER"}}),
    ]
    profile = '[keys]\nshopper = "c2hvcHBlciBmaXhlZA=="\n[house.gate]\ntimeout_s = 0.1\n'
    result = a_day(connector, tmp_path, profile, "--in-turn", trips=6)
    assert result.exit_code == 1
    assert "1 answer to Verify Identity Keys took longer than 0.1 s" in result.output


def test_fault_of_the_day_is_no_finding(connector: Any, tmp_path: Path) -> None:
    connector.answer = SingleUse()
    words = ("--share", "stranger=0", "--fault", "drop_after@0.5")
    result = a_day(connector, tmp_path, minting(tmp_path), *words)
    assert result.exit_code == 0, result.output
    assert "no connection" in result.output


@pytest.mark.parametrize("command", ["false {type}", "no-such-program", "echo not/base64!"])
def test_key_command_that_fails_is_an_error_of_the_harness(connector: Any, tmp_path: Path, command: str) -> None:
    error = a_day(connector, tmp_path, f'[keys]\ncommand = "{command}"\n').exception
    assert exit_code(error) == 3
    assert sentence(error).startswith("[keys] command")


def test_connector_that_is_not_reachable_is_a_usage_error(tmp_path: Path) -> None:
    assert isinstance(run("--connector", "http://127.0.0.1:9", "--out", str(tmp_path)).exception, Usage)


@pytest.mark.parametrize(
    ("elapsed_ms", "more", "found"),
    [(2001, {}, True), (2000, {}, False), (9000, {"faults": ["slow_body"]}, False)],
)
def test_late_cart_is_a_finding_without_a_fault(elapsed_ms: int, more: dict[str, Any], *, found: bool) -> None:
    results = Results(House())
    entry = {"kind": "delivery", "operation": "Create Purchases", "tripId": "t", "elapsedMs": elapsed_ms, **more}
    results.receive(entry)
    deliveries = {"delivered": 1, "pending": 0, "dead_letter": 0, "attempts": 1}
    assert any("Create Purchases took longer than 2 s" in one for one in findings(results, deliveries)) == found


def test_day_keeps_the_declared_rate_limit(connector: Any, tmp_path: Path) -> None:
    arrived: list[float] = []

    def answer(path: str, body: dict[str, Any]) -> tuple[int, Any]:
        arrived.append(time.monotonic())
        return SingleUse()(path, body)

    connector.answer = answer
    result = a_day(connector, tmp_path, minting(tmp_path) + "[limits]\nrate_limit_per_second = 100\n", trips=10)
    assert result.exit_code == 0, result.output
    assert len(arrived) > 15
    assert arrived[-1] - arrived[0] > (len(arrived) - 2) * 0.01


def test_equal_counts_are_listed_alike_in_each_run() -> None:
    orders = ("ba", "ab")
    listed = []
    for order in orders:
        results = Results(House())
        for name in order:
            results.visitors[name, True] += 2
            results.causes["app", name, True] += 2
            results.outcomes[name] += 2
        listed.append((results.visitor_rows(), json.dumps(results.summary())))
    assert listed[0] == listed[1]
