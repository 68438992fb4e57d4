"""The rules that an exchange touches: by status, body, time, faults and earlier exchanges, and the calls for them."""

from __future__ import annotations

from typing import Any

import pytest

from jwo_contract.house import House
from jwo_contract.messages import document
from jwo_contract.register import register
from simulator.touched_rules import Observed, event_id, problems, rules_of

HOUSE = House()
SCAN = document("verify_identity_keys.request")["examples"][0]
CART = document("create_purchases.request")["examples"][0]
SHOPPER = {"visitorDetails": {"id": "ada", "type": "SHOPPER"}}
JSON = {"content-type": "application/json"}


def entry(status: int | None, answer: Any = None, **more: Any) -> dict[str, Any]:
    response = None if status is None else {"status": status, "headers": JSON, "body": answer}
    request = {"body": more.pop("sent", SCAN)}
    return {
        "seq": 9,
        "operation": "Verify Identity Keys",
        "response": response,
        "elapsedMs": 80,
        "request": request,
    } | more


def touched(one: dict[str, Any], request: Any = SCAN, **more: Any) -> dict[str, str]:
    return {each.id: each.result for each in rules_of(Observed(one, request, **more), HOUSE)}


def without(body: dict[str, Any], *path: str) -> dict[str, Any]:
    name, *rest = path
    return {**body, name: without(body[name], *rest)} if rest else {key: body[key] for key in body if key != name}


def test_a_good_answer_keeps_its_rules() -> None:
    found = touched(entry(200, SHOPPER))

    assert found == {"VIK-8": "touched", "VIK-1.1": "kept", "VIK-X.37": "kept", "VIK-9": "kept"}


@pytest.mark.parametrize(
    ("kind", "rule"), [("SHOPPER", "VIK-1.1"), ("ASSOCIATE", "VIK-1.2"), ("CASH_SHOPPER", "VIK-X.12")]
)
def test_each_visitor_has_its_own_rule(kind: str, rule: str) -> None:
    assert touched(entry(200, {"visitorDetails": {"id": "ada", "type": kind}}))[rule] == "kept"


@pytest.mark.parametrize(("status", "rule"), [(401, "VIK-2"), (429, "VIK-4"), (500, "VIK-5"), (400, "VIK-3.8")])
def test_a_refusal_touches_the_rule_of_its_status(status: int, rule: str) -> None:
    assert touched(entry(status, {"errorMsg": "no"}))[rule] == "touched"


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"status": 200, "answer": SHOPPER}, "the answer is 200: the gate opens"),
        ({"status": 401, "answer": {}}, "the answer is 401: the gate stays closed"),
        ({"status": 200, "answer": {"visitor": 1}}, "the answer does not have the published form: the gate follows"),
        ({"status": 200, "answer": "text"}, "the answer does not have the published form: the gate follows"),
        ({"status": None, "failure": "timed_out"}, "no answer within the limit: the gate follows the store default"),
    ],
)
def test_the_gates_rule_says_in_words_what_the_gate_does(members: dict[str, Any], why: str) -> None:
    (gate,) = [each for each in rules_of(Observed(entry(**members), SCAN), HOUSE) if each.id == "VIK-8"]

    assert gate.why.startswith(why)


def test_an_answer_that_breaks_its_schema_breaks_the_rule() -> None:
    found = rules_of(Observed(entry(200, {"visitorDetails": {"id": "ada"}}), SCAN), HOUSE)
    broken = next(each for each in found if each.id == "VIK-1.1")

    assert (broken.result, broken.why) == ("broken", "visitorDetails.type is missing")


@pytest.mark.parametrize(("elapsed", "result"), [(2000, "kept"), (2001, "broken")])
def test_the_time_limit_is_two_seconds(elapsed: int, result: str) -> None:
    assert touched(entry(200, SHOPPER, elapsedMs=elapsed))["VIK-9"] == result


def test_no_answer_in_time_breaks_the_limit_unless_a_fault_made_it_late() -> None:
    late = entry(None, failure="timed_out", elapsedMs=2000)

    assert touched(late)["VIK-9"] == "broken"
    assert touched(late | {"faults": ["late_answer"]})["VIK-9"] == "touched"


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        (("requestId",), "VIK-3.1"),
        (("storeId",), "VIK-3.6"),
        (("authEvent",), "VIK-3.9"),
        (("authEvent", "id"), "VIK-3.10"),
    ],
)
def test_a_missing_member_has_its_published_rule(path: tuple[str, ...], rule: str) -> None:
    invalid = without(SCAN, *path)

    assert touched(entry(400, {"errorMsg": "no"}), invalid)[rule] == "kept"
    assert touched(entry(200, SHOPPER), invalid)[rule] == "broken"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"storeId": "x" * 256}, "CP-3.5"),
        ({"cartItems": [{"id": "A", "type": "BOX", "quantity": {"value": "1", "unit": "unit"}}]}, "CP-3.22"),
        ({"cartItems": [{"id": "A", "type": "SKU", "quantity": {"unit": "unit"}}]}, "CP-3.24"),
        ({"requestId": "7"}, "CP-3.2"),
    ],
)
def test_an_invalid_cart_has_its_published_rule(change: dict[str, Any], rule: str) -> None:
    one = entry(201, {"purchaseId": "p"}, operation="Create Purchases")

    assert touched(one, {**CART, **change})[rule] == "broken"


def test_a_body_that_is_not_json_has_its_rule() -> None:
    assert touched(entry(400, {"errorMsg": "no"}), None, is_json=False)["VIK-X.8"] == "kept"


@pytest.mark.parametrize(
    ("answer", "sent", "expected"),
    [
        ((200, SHOPPER), SCAN, {"VIK-6": "kept"}),
        ((401, {"errorMsg": "no"}), SCAN, {"VIK-6": "broken"}),
        ((200, {"visitorDetails": {"id": "bob", "type": "SHOPPER"}}), SCAN, {"VIK-6": "broken"}),
        ((200, SHOPPER), {**SCAN, "storeId": "another"}, {"VIK-X.3": "kept"}),
        ((500, {"errorMsg": "no"}), SCAN, {"VIK-6": "touched"}),
    ],
)
def test_a_repetition_gets_the_first_answer(answer: Any, sent: Any, expected: dict[str, str]) -> None:
    first = entry(200, SHOPPER, seq=3)
    found = touched(entry(*answer, sent=sent), sent, earlier=[first])

    assert {id_: found.get(id_) for id_ in expected} == expected


def test_a_repetition_after_an_error_is_not_judged() -> None:
    assert touched(entry(200, SHOPPER), earlier=[entry(500, {}, seq=3)])["VIK-6"] == "touched"


def test_an_answer_that_a_fault_made_breaks_nothing() -> None:
    assert "broken" not in touched(entry(500, {}, faults=["error_answer"])).values()


@pytest.mark.parametrize("body", [None, 7, "text", [], {}, {"authEvent": 7}, {"authEvent": {"id": [1]}}])
def test_any_body_has_rules_or_none(body: Any) -> None:
    one = entry(200, body, sent=body)

    assert event_id("Verify Identity Keys", body) == ""
    assert set(touched(one, body)) <= set(register())


def test_hidden_values_are_not_judged() -> None:
    hidden = {**SCAN, "identityKey": "***"}
    wrong = problems("verify_identity_keys.request", {**hidden, "storeId": 7}, HOUSE)

    assert problems("verify_identity_keys.request", hidden, HOUSE) == []
    assert [each.path for each in wrong] == ["storeId"]


def newest_exchange(steady: Any) -> Any:
    return steady.http.get("/journal", params={"kind": "exchange", "limit": 1}).json()[0]


def test_the_call_gives_rules_with_titles_and_earlier_exchanges(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    steady.enter()
    first = newest_exchange(steady)
    again = steady.http.post(f"/journal/{first['seq']}/resend").json()
    shown = steady.http.get(f"/journal/{again['seq']}/rules").json()

    assert (shown["operation"], shown["limitMs"]) == ("Verify Identity Keys", 1000)
    assert [one["seq"] for one in shown["earlier"]] == [first["seq"]]
    (repeated,) = (one for one in shown["rules"] if one["id"] == "VIK-6")
    assert (repeated["title"], repeated["result"]) == ("Idempotency", "kept")
    assert shown["problems"] == {"request": [], "response": []}


def test_an_entry_and_its_curl_command_are_shown(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    steady.enter()
    first = newest_exchange(steady)

    assert steady.http.get(f"/journal/{first['seq']}").json() == first
    assert steady.http.get(f"/journal/{first['seq']}/curl").text.startswith("curl -sS -X POST http://")
    assert steady.http.get("/journal/999999/rules").status_code == 404


def test_hidden_values_stay_when_an_edited_body_is_sent(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    steady.enter()
    first = newest_exchange(steady)
    edited = {**first["request"]["body"], "storeId": "another"}
    assert edited["identityKey"] == "***"
    steady.http.post(f"/journal/{first['seq']}/resend", json={"body": edited}).raise_for_status()
    original, sent = connector.bodies("identity-keys")

    assert sent == {**original, "storeId": "another"}


def test_the_list_of_earlier_exchanges_has_an_end(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    steady.enter()
    first = newest_exchange(steady)
    last = [steady.http.post(f"/journal/{first['seq']}/resend").json()["seq"] for _ in range(30)][-1]
    shown = steady.http.get(f"/journal/{last}/rules").json()

    assert [one["seq"] for one in shown["earlier"]] == list(range(last - 20, last))
