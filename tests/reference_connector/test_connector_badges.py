"""Badges: which of them open the gate, who changes them, and that each change is durable and seen by all nodes."""

from __future__ import annotations

import asyncio
import base64
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from reference_connector.app import create_app
from reference_connector.settings import ConnectorSettings
from tests.reference_connector.badge_calls import SAMPLE_CODE, change, issue, show, with_rows
from tests.reference_connector.conftest import OPERATOR, both_databases

ADA, ERIN = {"id": "ada", "type": "SHOPPER"}, {"id": "erin", "type": "ASSOCIATE"}


def test_badge_opens_again_and_again_through_each_reader(direct: Any, a_scan: Any) -> None:
    for channel in ("CONTACT", "RADIO", "OPTICAL", None):
        for badge, visitor in (("badge-ada-0001", ADA), ("badge-erin-0001", ERIN), ("badge-ada-0001", ADA)):
            assert show(direct, a_scan, badge, keyChannel=channel) == (200, visitor)


def test_event_of_a_badge_keeps_its_answer_after_the_badge_is_revoked(direct: Any, a_scan: Any) -> None:
    event = str(uuid4())
    assert show(direct, a_scan, "badge-ada-0001", event_id=event)[0] == 200
    assert change(direct, "revoke", "badge-ada-0001").status_code == 200
    assert show(direct, a_scan, "badge-ada-0001", event_id=event, requestId=str(uuid4())) == (200, ADA)
    assert show(direct, a_scan, "badge-ada-0001")[0] == 401


REFUSED = {
    "badge-ada-0000": "revoked_badge",
    "badge-erin-0000": "lost_badge",
    "badge-erin-2025": "expired_badge",
    "badge-no-one": "unknown_key",
}


def test_refusal_has_the_status_of_the_house_and_logs_its_reason(start: Any, a_scan: Any) -> None:
    connector = start(identity={"refusal_status": 403})
    assert [show(connector, a_scan, badge)[0] for badge in REFUSED] == [403, 403, 403, 401]
    assert [event["refusal"] for event in connector.events("identity_answered", len(REFUSED))] == list(REFUSED.values())
    assert not any(badge in connector.log.getvalue() for badge in REFUSED)


NOT_BADGES = (
    "badge-ada-9999", "BADGE-ADA-0001", "badge-ada-001", "badge-ada-00001", " badge-ada-0001", "badge-ada-0001\n",
    "badge-ada-0001\0", "\0", "\uff42adge-ada-0001", "b", "e" * 750,
)  # fmt: skip


@both_databases
def test_only_the_exact_text_is_a_badge(start: Any, a_scan: Any) -> None:
    connector = start(identity={"refusal_status": 403})
    assert [show(connector, a_scan, text)[0] for text in NOT_BADGES] == [401] * len(NOT_BADGES)


def test_expiry_is_an_instant_in_any_zone(direct: Any, a_scan: Any) -> None:
    scans = (("11:59:59Z", 200), ("12:00:00Z", 401), ("12:59:59+01:00", 200), ("13:00:00+01:00", 401))
    for number, expires in enumerate(("T13:00:00+01:00", "T12:00:00Z", "T07:00:00-05:00")):
        issued = issue(direct, f"zone-{number}", expires=f"2026-02-09{expires}")
        assert (issued.status_code, issued.json()["expires"]) == (201, "2026-02-09T12:00:00Z")
        for at, status in scans:
            assert show(direct, a_scan, f"zone-{number}", event_timestamp=f"2026-02-09T{at}")[0] == status


@both_databases
def test_every_node_sees_a_change(start: Callable[..., Any], a_scan: Any) -> None:
    first, second = start(), start()
    assert issue(first, "run-time", "erin").status_code == 201
    assert show(second, a_scan, "run-time") == (200, ERIN)
    assert change(second, "lost", "run-time").json()["state"] == "lost"
    assert show(first, a_scan, "run-time")[0] == 401
    third = start()
    assert show(third, a_scan, "run-time")[0] == 401
    assert issue(third, "run-time", "erin").status_code == 201
    assert {show(each, a_scan, "run-time")[0] for each in (first, second, third)} == {200}


def _report_lost_and_die(storage: dict[str, Any]) -> None:
    """Report a badge lost, and die by SIGKILL when the answer has arrived."""

    async def run() -> None:
        app = create_app(ConnectorSettings.model_validate(storage))
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://connector") as http,
        ):
            answer = await http.post("/ops/badges/lost", json={"id": "badge-ada-0001"}, headers=OPERATOR)
            if answer.status_code == 200:
                os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(run())


@both_databases
def test_change_survives_a_kill(start: Any, a_scan: Any, storage: dict[str, Any]) -> None:
    child = multiprocessing.get_context("spawn").Process(target=_report_lost_and_die, args=(storage,))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert show(start(), a_scan, "badge-ada-0001")[0] == 401


def test_refusal_of_the_retailer_file_stays(direct: Any, a_scan: Any) -> None:
    for badge, owner in (("badge-ada-0000", "ada"), ("badge-erin-0000", "erin"), ("badge-ada-0001", "erin")):
        refused = issue(direct, badge, owner)
        assert (refused.status_code, "retailer files" in refused.json()["errorMsg"]) == (409, True)
    later = issue(direct, "badge-erin-2025", "erin", expires="2031-12-31T23:59:59Z")
    assert (later.status_code, later.json()["errorMsg"]) == (
        409, "the retailer files let the badge expire earlier; correct them first",
    )  # fmt: skip
    assert show(direct, a_scan, "badge-ada-0000")[0] == 401


def test_badge_of_the_file_is_lost_and_found_at_run_time(direct: Any, a_scan: Any) -> None:
    assert change(direct, "lost", "badge-ada-0001").json()["state"] == "lost"
    assert show(direct, a_scan, "badge-ada-0001")[0] == 401
    assert issue(direct, "badge-ada-0001").json()["state"] == "issued"
    assert show(direct, a_scan, "badge-ada-0001") == (200, ADA)
    assert change(direct, "revoke", "badge-ada-0001").json()["state"] == "revoked"
    assert change(direct, "lost", "badge-ada-0001").json()["state"] == "revoked"


def test_badge_gets_another_owner_only_after_it_is_revoked(direct: Any, a_scan: Any) -> None:
    assert issue(direct, "moves", "ada").status_code == 201
    change(direct, "lost", "moves")
    assert issue(direct, "moves", "erin").status_code == 409
    change(direct, "revoke", "moves")
    assert issue(direct, "moves", "erin").status_code == 201
    assert show(direct, a_scan, "moves") == (200, ERIN)


WRONG_CALLS: list[tuple[dict[str, Any], int, str]] = [
    ({"owner": "nobody-here"}, 400, "add the account first"),
    ({"owner": "finn"}, 400, "not a shopper or an associate"),
    ({"owner": 7}, 400, "owner: "),
    ({"id": ""}, 400, "id: "),
    ({"id": "  "}, 400, "id: "),
    ({"id": 17}, 400, "id: a number, which loses the zeros at its beginning. Write it as a text"),
    ({"id": "ü" * 376}, 400, "id: has 752 bytes, and identityKey carries at most 750"),
    ({"id": "a\u200bb"}, 400, "U+200B"),
    ({"id": "a\0b"}, 400, "U+0000"),
    ({"id": SAMPLE_CODE}, 400, "the form of the app's Scan Key Codes"),
    ({"id": "valid_shopper_key"}, 409, "fixture key"),
    ({"expires": "2031-12-31"}, 400, "with its offset from UTC, such as"),
    ({"expires": "2031-12-31T10:00:00"}, 400, "with its offset from UTC, such as"),
    ({"expires": 1}, 400, "expires: not an instant"),
    ({"expires": "9999-12-31T23:59:59-01:00"}, 400, "out of range"),
    ({"state": "lost"}, 400, "state: unknown name"),
    ({"credential": ""}, 400, "credential: "),
]


def test_wrong_call_says_what_to_do(direct: Any) -> None:
    for members, status, says in WRONG_CALLS:
        body = {"id": "new", "owner": "ada"} | members
        answer = direct.operator_post("/ops/badges", json=body)
        assert (answer.status_code, says in answer.json()["errorMsg"]) == (status, True), answer.text
    assert len(direct.operator_get("/ops/badges").json()["badges"]) == 5


BODIES = (b"", b"[]", b"{", b'{"id": 7}', b"{}", b'{"id": "x", "more": 1}', b"\xff", b" " * 9000)


def test_body_that_names_no_badge_is_400(direct: Any) -> None:
    for path in ("/ops/badges/revoke", "/ops/badges/lost", "/ops/badges"):
        assert {direct.operator_post(path, content=body).status_code for body in BODIES} == {400}


def test_unknown_badge_cannot_be_changed(direct: Any) -> None:
    assert [change(direct, what, "no-such").status_code for what in ("revoke", "lost")] == [404, 404]


@both_databases
def test_list_has_each_badge_once_in_pages(start: Any, tmp_path: Path) -> None:
    rows = [f'[[badge]]\nid = "filed-{number:03d}"\nowner = "ada"' for number in range(120)]
    connector = start(retailer_files=with_rows(tmp_path, *rows))
    for number in range(0, 120, 10):
        change(connector, "lost", f"filed-{number:03d}")
        issue(connector, f"Ausweis Müller {number}", "erin", credential="Dienstausweis")
    found, after = [], ""
    for _ in range(5):
        page = connector.operator_get("/ops/badges", params={"after": after}).json()
        found += page["badges"]
        after = page.get("next", "")
        if not after:
            break
    assert len(found) == len({badge["id"] for badge in found}) == 120 + 12 + 5
    assert sum(badge["state"] == "lost" for badge in found) == 12 + 1
    assert {badge["credential"] for badge in found} == {"employee badge", "Dienstausweis"}
    of_erin = connector.operator_get("/ops/badges", params={"owner": "erin"}).json()
    assert len(of_erin["badges"]) == 12 + 3
    assert "next" not in of_erin
    assert {badge["state"] for badge in of_erin["badges"]} == {"issued", "lost", "expired"}


def test_calls_about_badges_need_the_token(direct: Any) -> None:
    assert direct.http.get("/ops/badges").status_code == 401
    assert direct.http.post("/ops/badges/lost", json={"id": "badge-ada-0001"}).status_code == 401


ACCOUNTS = {
    "open_balance": 'open_balance = "50.01"',
    "flagged_account": "flagged = true",
    "card_expired": 'card_expires = "2026-01"',
    "fraud_threshold": "fraud_score = 71",
    "no_payment_method": 'payment_method = ""',
}


def test_account_behind_a_badge_is_checked_at_the_gate(start: Any, a_scan: Any, tmp_path: Path) -> None:
    rows = [
        f"[[shopper]]\nid = '{name}'\n{row}\n[[badge]]\nid = 'b-{name}'\nowner = '{name}'"
        for name, row in ACCOUNTS.items()
    ]
    connector = start(retailer_files=with_rows(tmp_path, *rows))
    assert [show(connector, a_scan, f"b-{name}")[0] for name in ACCOUNTS] == [401] * len(ACCOUNTS)
    assert [event["refusal"] for event in connector.events("identity_answered", len(ACCOUNTS))] == list(ACCOUNTS)


def test_badge_of_a_declined_means_of_payment_opens_no_gate(start: Any, a_scan: Any) -> None:
    connector = start()
    issue(connector, "of-gus", "gus")
    assert show(connector, a_scan, "of-gus")[0] == 401
    assert [event["refusal"] for event in connector.events("identity_answered")] == ["payment_declined"]


def test_authorisation_of_an_event_is_for_one_shopper(start: Any, a_scan: Any) -> None:
    connector = start(identity={"remember": [401]})
    for badge, owner in (("of-gus", "gus"), ("of-ada", "ada")):
        issue(connector, badge, owner)
    event = str(uuid4())
    assert [show(connector, a_scan, badge, event_id=event)[0] for badge in ("of-ada", "of-ada", "of-gus")] == [
        200, 200, 401
    ]  # fmt: skip
    [held] = connector.operator_get("/ops/authorisations/held").json()["authorisations"]
    assert held["shopperId"] == "ada"


def test_declined_charge_keeps_a_badge_out(start: Any, a_scan: Any, a_cart: Any, a_line: Any) -> None:
    connector = start(payments={"preauthorise": 0})
    issue(connector, "of-gus", "gus")
    assert show(connector, a_scan, "of-gus")[0] == 200
    cart = a_cart(cartItems=[a_line("SKU-002", "20")])
    cart["shoppingTrip"]["authEvents"][0]["scanResult"] = {"id": "gus", "type": "SHOPPER"}
    connector.purchase(cart)
    deadline = time.monotonic() + 10
    while not connector.operator_get("/ops/charges/declined").json()["charges"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert show(connector, a_scan, "of-gus")[0] == 401


def test_code_of_the_app_opens_once_through_each_reader(direct: Any, a_scan: Any) -> None:
    direct.sign_in()
    for channel in ("CONTACT", "RADIO"):
        code = direct.http.post("/app/shoppers/ada/scan-key").json()["code"]
        assert show(direct, a_scan, code, keyChannel=channel) == (200, ADA)
        assert show(direct, a_scan, code, keyChannel=channel)[0] == 401


def test_badge_is_resolved_as_its_owner(direct: Any) -> None:
    body = {
        "requestId": str(uuid4()),
        "storeId": "STORE-001",
        "scanEvent": {"id": str(uuid4()), "value": base64.b64encode(b"badge-erin-0001").decode(), "channel": "CONTACT"},
    }
    answer = direct.http.post("/v1/identity/scan", content=json.dumps(body))
    assert answer.json() == {"action": "ACCEPT", "id": "erin", "type": "ASSOCIATE"}


# the app


def test_owner_sees_the_badge_and_reports_it_lost(direct: Any, a_scan: Any) -> None:
    direct.sign_in()
    shown = direct.http.get("/app/shoppers/ada/badges").json()
    states = {badge["id"]: badge["state"] for badge in shown["badges"]}
    assert states == {"badge-ada-0001": "issued", "badge-ada-0000": "revoked"}
    picture = direct.http.post("/app/shoppers/ada/badges/picture.svg", json={"id": "badge-ada-0001"})
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/svg+xml")
    lost = direct.http.post("/app/shoppers/ada/badges/lost", json={"id": "badge-ada-0001"})
    assert (lost.status_code, lost.json()["state"]) == (200, "lost")
    assert show(direct, a_scan, "badge-ada-0001")[0] == 401
    refused = direct.http.post("/app/shoppers/ada/badges/picture.svg", json={"id": "badge-ada-0001"})
    assert (refused.status_code, refused.json()["errorMsg"]) == (409, "the badge is lost")


def test_badges_of_others_do_not_exist(direct: Any, a_scan: Any) -> None:
    paths = ("badges/lost", "badges/picture.svg")
    own, others = {"id": "badge-ada-0001"}, {"id": "badge-erin-0001"}
    assert {direct.http.post(f"/app/shoppers/ada/{path}", json=own).status_code for path in paths} == {401}
    direct.sign_in()
    assert {direct.http.post(f"/app/shoppers/erin/{path}", json=others).status_code for path in paths} == {403}
    assert {direct.http.post(f"/app/shoppers/ada/{path}", json=others).status_code for path in paths} == {404}
    assert direct.http.get("/app/shoppers/erin/badges").status_code == 403
    assert show(direct, a_scan, "badge-erin-0001") == (200, ERIN)


def test_pictures_of_badges_are_a_setting(start: Any) -> None:
    connector = start(app_badge_pictures=False)
    connector.sign_in()
    assert connector.http.get("/app/shoppers/ada/badges").json()["pictures"] is False
    answer = connector.http.post("/app/shoppers/ada/badges/picture.svg", json={"id": "badge-ada-0001"})
    assert answer.status_code == 404


MINTED = {
    "badge": (200, ADA), "associate_badge": (200, ERIN), "revoked_badge": (401, None), "lost_badge": (401, None),
    "expired_badge": (401, None),
}  # fmt: skip


def test_minted_badge_has_its_kind(direct: Any, a_scan: Any) -> None:
    for kind, wanted in MINTED.items():
        key = direct.http.get(f"/app/mint/{kind}").json()["identityKey"]
        for _ in range(2):
            answer = direct.identify(a_scan(identityKey=key, event_id=str(uuid4()), keyChannel="RADIO"))
            assert (answer.status_code, answer.json().get("visitorDetails")) == wanted
