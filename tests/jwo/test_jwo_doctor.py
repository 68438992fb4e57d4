"""`jwo doctor` tries each declaration, and its advice names the cause."""

from __future__ import annotations

import io
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from rich.console import Console

from conformance.mutants.gate import profile_of
from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.serving import served
from conformance.mutants.small_connector import SmallConnector, item_ids
from jwo.doctor import doctor
from jwo_contract.key_kinds import BADGE_KINDS, PAYMENT_KINDS
from jwo_contract.profile import Profile


class _Answers(SmallConnector):
    """A connector that gives one answer to every call."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply

    async def answer(self, request: Request) -> Reply:
        del request
        return self.reply


class _RefusesItem(SmallConnector):
    """A connector that refuses carts with one item."""

    item = "SKU-002"

    async def cart(self, request: Request) -> Reply:
        return error(400, "no such item") if self.item in item_ids(request) else await super().cart(request)


class _ForgetsVisitorId(SmallConnector):
    """A connector that lets a shopper in and does not say who it is."""

    async def scan(self, request: Request) -> Reply:
        reply = await super().scan(request)
        return Reply(200, {"visitorDetails": {"type": "SHOPPER"}}) if reply.status == HTTPStatus.OK else reply


def _changed(profile: Profile, **tables: dict[str, Any]) -> Profile:
    """Return the profile with other values in some tables."""
    values = profile.model_dump()
    for name, members in tables.items():
        values[name] |= members
    return Profile.model_validate(values)


def _tried(
    connector: SmallConnector, change: Callable[[Profile], Profile] = lambda profile: profile
) -> tuple[int, str]:
    """Return the exit code and the output."""
    output = io.StringIO()
    with served(connector) as url:
        code = doctor(change(profile_of(url)), Console(file=output, width=10_000))
    return code, output.getvalue()


def _wrong(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith("wrong")]


def test_answer_without_a_published_member_is_wrong() -> None:
    code, output = _tried(_ForgetsVisitorId())

    lines = [line for line in _wrong(output) if "Verify Identity Keys" in line]
    assert code == 1
    assert len(lines) == 1
    assert "visitorDetails.id is missing" in lines[0]
    assert "answer with the published members of verify_identity_keys.response" in lines[0]


def test_everything_declared_is_tried_and_ok() -> None:
    code, output = _tried(SmallConnector())

    assert (code, _wrong(output)) == (0, [])
    names = ("shopper", "associate", "cash_shopper", "refused", "expired", "used", *BADGE_KINDS, *PAYMENT_KINDS)
    stores = ("id STORE-001", "other_id STORE-002", "unknown_id NO-SUCH-STORE")
    expected = [
        *(f"[keys] {name}:" for name in names),
        "[keys] unknown (not declared",
        *(f"[store] {store}:" for store in stores),
        *(f"[catalog] {name}:" for name in ("skus", "scancodes", "weighted_skus")),
        *(f"[shopper_identities] {name}:" for name in ("low_risk", "high_risk", "adjusted", "outstanding_balance")),
        "[scans] accepted:",
        "[scans] rejected:",
        "[connector] restart_command:",
    ]
    assert [each for each in expected if f"ok     {each}" not in output] == []


def test_missing_base_path_is_named_with_the_tried_urls() -> None:
    page = Reply(200, b"<html></html>", ((b"content-type", b"text/html; charset=utf-8"),))
    for reply in (error(404, "no"), error(405, "no"), page):
        code, output = _tried(_Answers(reply))
        found = _wrong(output)
        assert (code, len(found)) == (1, 1), output
        assert "its path is likely missing or wrong" in found[0]
        assert "/v1/identity/identity-keys" in found[0]
        assert "/v1/order/purchases" in found[0]
        assert "knows this key" not in output


def test_refused_credentials_are_named() -> None:
    for status in (401, 403):
        code, output = _tried(_Answers(error(status, "no")))
        assert code == 1
        assert len(_wrong(output)) == 1
        assert "[connector] auth: every call is refused" in output


def test_only_the_store_is_named_when_it_is_refused() -> None:
    code, output = _tried(SmallConnector(stores=("STORE-002",)))

    assert code == 1
    assert "wrong  [store] id STORE-001: refused, and other_id STORE-002 is accepted" in output
    assert not [line for line in _wrong(output) if "[keys]" in line or "[catalog]" in line]


def test_undeclared_store_is_listed_for_a_refused_request() -> None:
    code, output = _tried(
        SmallConnector(stores=("S-9",)), lambda profile: _changed(profile, store={"id": "", "other_id": ""})
    )

    assert code == 1
    assert "not declared: [store] id; declare it" in output


def test_one_unknown_item_is_named_alone() -> None:
    code, output = _tried(_RefusesItem())

    assert code == 1
    assert [line.split(":")[0] for line in _wrong(output)] == ["wrong  [catalog] skus SKU-002"]


def test_a_key_of_another_kind_is_named() -> None:
    def swapped(profile: Profile) -> Profile:
        return _changed(profile, keys={"associate": profile.keys.shopper, "refused": profile.keys.shopper})

    code, output = _tried(SmallConnector(), swapped)

    assert code == 1
    found = _wrong(output)
    assert len(found) == 2
    assert "[keys] associate: expected the type ASSOCIATE" in found[0]
    assert "[keys] refused: expected 401, got 200" in found[1]


def test_shopper_identity_and_scan_with_another_decision_are_named() -> None:
    def swapped(profile: Profile) -> Profile:
        scans = {"accepted": profile.scans.rejected}
        return _changed(profile, shopper_identities={"high_risk": "card-1"}, scans=scans)

    code, output = _tried(SmallConnector(), swapped)

    assert code == 1
    assert len(_wrong(output)) == 2
    assert "[shopper_identities] high_risk: expected shopperAuthorized false" in output
    assert "[scans] accepted: expected ACCEPT" in output


def test_restart_command_is_checked_and_not_run(tmp_path: Path) -> None:
    program, mark = tmp_path / "restart", tmp_path / "ran"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n", encoding="utf-8")

    def declared(profile: Profile) -> Profile:
        return _changed(profile, connector={"restart_command": str(program)})

    plain = _tried(SmallConnector(), declared)
    program.chmod(0o755)
    executable = _tried(SmallConnector(), declared)
    missing = _tried(SmallConnector(), lambda each: _changed(each, connector={"restart_command": "no-such-program x"}))

    assert plain[0] == 1
    assert "is not executable; make it so with: chmod +x" in plain[1]
    assert executable[0] == 0
    assert not mark.exists()
    assert missing[0] == 1
    assert "[connector] restart_command: no-such-program was not found" in missing[1]


def test_command_of_keys_that_fails_is_the_only_fault() -> None:
    keys = {"command": "sh -c 'echo no such shopper >&2; exit 2' {type}", "minted": ("shopper",)}
    code, output = _tried(SmallConnector(), lambda profile: _changed(profile, keys=keys))

    assert code == 1
    assert _wrong(output) == ["wrong  [keys] shopper: [keys] command failed for shopper: exit code 2: no such shopper"]
