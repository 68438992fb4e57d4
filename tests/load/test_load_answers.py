"""Requests follow the contract, and answers are compared with it, without a network."""

from __future__ import annotations

import base64
import json
import re
import secrets
import uuid
from collections.abc import Callable

import pytest

from jwo_contract.house import House, Ordering
from jwo_contract.messages import message
from jwo_contract.profile import CatalogTable, KeysTable, Profile, StoreTable
from jwo_contract.profile_connector import ConnectorTable
from load.expectations import Expectations, Finding
from load.schedule import Kind, Share
from load.traffic import RUN_DIGITS, Event, Traffic

SHOPPER = b'{"visitorDetails":{"id":"shopper-1","type":"SHOPPER"}}'
ASSOCIATE = b'{"visitorDetails":{"id":"associate-1","type":"ASSOCIATE"}}'


class FixedKeys:
    def has(self, kind: str) -> bool:
        return kind in {"shopper", "associate"}

    def take(self, kind: str) -> str | None:
        return base64.b64encode(kind.encode()).decode()


def a_profile(**connector: object) -> Profile:
    return Profile(
        connector=ConnectorTable.model_validate({"url": "http://127.0.0.1:8080/stage"} | connector),
        store=StoreTable(id="STORE-9"),
        keys=KeysTable(shopper="c2hvcHBlcg=="),
        catalog=CatalogTable(skus=("SKU-7",)),
    )


def a_traffic(**connector: object) -> Traffic:
    return Traffic(a_profile(**connector), FixedKeys(), Share(0, 1, secrets.randbits(48)))


def an_event(kind: Kind = Kind.SCAN, traffic: Traffic | None = None) -> Event:
    event = (traffic or a_traffic()).event(kind, 1_700_000_000.0)
    assert event is not None
    return event


def body_of(request: bytes) -> dict[str, object]:
    head, _, body = request.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    return dict(json.loads(body))


@pytest.mark.parametrize("kind", [Kind.SCAN, Kind.ASSOCIATE, Kind.BAD_KEY, Kind.CART, Kind.SCAN_TWICE, Kind.CART_TWICE])
def test_requests_follow_the_contract(kind: Kind) -> None:
    traffic = a_traffic()
    event = an_event(kind, traffic)

    body = body_of(traffic.request(event))

    assert message(event.operation.request).violations(body) == []
    assert body["storeId"] == "STORE-9"


def test_duplicate_is_the_same_event_with_a_new_request_id() -> None:
    traffic = a_traffic()
    first = an_event(Kind.CART, traffic)
    again = an_event(Kind.CART_AGAIN, traffic)

    one, two = body_of(traffic.request(first)), body_of(traffic.request(again))

    assert one.pop("requestId") != two.pop("requestId")
    assert one == two


def test_two_runs_share_no_event() -> None:
    assert an_event().id != an_event().id


def test_ids_of_an_event_are_uuids_that_begin_with_its_mark() -> None:
    traffic = a_traffic()
    first, second = an_event(Kind.CART, traffic), an_event(Kind.CART, traffic)

    ids = [re.findall(rb'"([0-9a-f-]{36})"', traffic.request(each)) for each in (first, first, second)]

    assert all(str(uuid.UUID(each.decode())) == each.decode() for found in ids for each in found)
    assert len({each for found in ids for each in found}) == 7  # two trips with one entry each, three requests
    assert all(each.decode().startswith(first.mark) for each in ids[0] + ids[1])
    assert not any(each.decode().startswith(first.mark) for each in ids[2])


def test_two_workers_of_a_run_share_no_event() -> None:
    first, second = (Traffic(a_profile(), FixedKeys(), Share(place, 2, 77)) for place in (0, 1))

    one, two = an_event(Kind.SCAN, first), an_event(Kind.SCAN, second)

    assert one.mark != two.mark
    assert one.mark[:RUN_DIGITS] == two.mark[:RUN_DIGITS]


def test_bad_key_is_never_repeated_as_a_duplicate() -> None:
    traffic = a_traffic()
    an_event(Kind.BAD_KEY, traffic)

    assert an_event(Kind.SCAN_AGAIN, traffic).expected_status == 200


def test_request_has_the_connectors_path_and_headers() -> None:
    traffic = a_traffic(auth="headers", headers={"x-api-key": "secret"})

    request = traffic.request(an_event(Kind.SCAN, traffic))

    assert request.startswith(b"POST /stage/v1/identity/identity-keys HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n")
    assert b"\r\nx-api-key: secret\r\n" in request


def test_signed_requests_carry_a_signature() -> None:
    traffic = a_traffic(auth="sigv4", access_key_id="AKIDEXAMPLE", secret_access_key="wJalr")

    assert b"\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/" in traffic.request(
        an_event(Kind.SCAN, traffic)
    )


def judged(event: Event, status: int, body: bytes, expectations: Expectations | None = None) -> Finding | None:
    wrong = (expectations or Expectations(a_profile())).judge(event, status, body)
    return wrong[0] if wrong else None


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        (Kind.SCAN, 200, SHOPPER),
        (Kind.ASSOCIATE, 200, ASSOCIATE),
        (Kind.BAD_KEY, 401, b""),
        (Kind.CART, 201, b'{"purchaseId":"p-1","more":1}'),
    ],
)
def test_right_answer_is_no_finding(kind: Kind, status: int, body: bytes) -> None:
    assert judged(an_event(kind), status, body) is None


@pytest.mark.parametrize(
    ("kind", "status", "body", "finding"),
    [
        (Kind.SCAN, 401, b"", Finding.WRONG_CODE),
        (Kind.SCAN, 500, b"", Finding.WRONG_CODE),
        (Kind.BAD_KEY, 200, SHOPPER, Finding.WRONG_CODE),
        (Kind.CART, 200, b'{"purchaseId":"p-1"}', Finding.WRONG_CODE),
        (Kind.SCAN, 200, b"not JSON", Finding.MALFORMED),
        (Kind.SCAN, 200, b'{"id":"x","type":"SHOPPER"}', Finding.MALFORMED),
        (Kind.CART, 201, b'{"orderId":"p-1"}', Finding.MALFORMED),
        (Kind.CART, 201, b'{"purchaseId":""}', Finding.MALFORMED),
        (Kind.ASSOCIATE, 200, SHOPPER, Finding.CROSS_TALK),
        (Kind.SCAN, 200, ASSOCIATE, Finding.CROSS_TALK),
    ],
)
def test_wrong_answer_is_a_finding(kind: Kind, status: int, body: bytes, finding: Finding) -> None:
    assert judged(an_event(kind), status, body) is finding


def test_another_purchase_for_a_duplicate_is_doubled() -> None:
    expectations, event = Expectations(a_profile()), an_event(Kind.CART)

    assert judged(event, 201, b'{"purchaseId":"p-1"}', expectations) is None
    assert judged(event, 201, b'{"purchaseId":"p-1"}', expectations) is None
    assert judged(event, 201, b'{"purchaseId":"p-2"}', expectations) is Finding.DOUBLED_PURCHASE


def test_declared_duplicate_status_applies_after_the_first_answer() -> None:
    profile = a_profile().model_copy(update={"house": House(ordering=Ordering(duplicate_status=200))})
    traffic = Traffic(profile, FixedKeys(), Share(0, 1, 77))
    expectations, event = Expectations(profile), an_event(Kind.CART, traffic)
    body = b'{"purchaseId":"p-1"}'

    traffic.request(event)
    assert judged(event, 200, body, expectations) is Finding.WRONG_CODE
    traffic.request(event)
    assert judged(event, 200, body, expectations) is judged(event, 201, body, expectations) is None
    event.answered_ns = 5
    assert expectations.judge(event, 201, body, sent_ns=4) is expectations.judge(event, 200, body, sent_ns=6) is None
    assert str(expectations.judge(event, 201, body, sent_ns=6)).count("201 instead of 200") == 1


def test_purchase_id_longer_than_the_house_rule_is_no_finding() -> None:
    expectations, event = Expectations(a_profile()), an_event(Kind.CART)

    assert judged(event, 201, b'{"purchaseId":"%s"}' % (b"p" * 300), expectations) is None
    assert judged(event, 201, b'{"purchaseId":"%s"}' % (b"q" * 300), expectations) is Finding.DOUBLED_PURCHASE


def test_another_visitor_for_a_duplicate_scan_is_a_finding() -> None:
    expectations, event = Expectations(a_profile()), an_event()

    assert judged(event, 200, SHOPPER, expectations) is None
    assert judged(event, 200, SHOPPER.replace(b"-1", b"-2"), expectations) is Finding.CHANGED_ANSWER


def test_purchase_of_another_trip_is_cross_talk() -> None:
    expectations, traffic = Expectations(a_profile()), a_traffic()

    assert judged(an_event(Kind.CART, traffic), 201, b'{"purchaseId":"p-1"}', expectations) is None
    assert judged(an_event(Kind.CART, traffic), 201, b'{"purchaseId":"p-1"}', expectations) is Finding.CROSS_TALK


@pytest.mark.parametrize("kind", [Kind.SCAN, Kind.CART])
def test_answer_with_another_requests_id_is_cross_talk(kind: Kind) -> None:
    traffic = a_traffic()
    mine, other = an_event(kind, traffic), an_event(kind, traffic)
    status = mine.expected_status
    right = SHOPPER if kind == Kind.SCAN else b'{"purchaseId":"p-1"}'

    own, foreign = (right[:-1] + f',"for":"{each.id}"}}'.encode() for each in (mine, other))

    assert judged(mine, status, own) is None
    assert judged(mine, status, foreign) is Finding.CROSS_TALK


@pytest.mark.parametrize("spell", [str.upper, lambda name: name.replace("-", "")])
def test_id_is_recognized_in_any_spelling(spell: Callable[[str], str]) -> None:
    traffic = a_traffic()
    mine, other = an_event(traffic=traffic), an_event(traffic=traffic)

    own, foreign = (SHOPPER[:-1] + f',"for":"{spell(each.id)}"}}'.encode() for each in (mine, other))

    assert judged(mine, 200, own) is None
    assert judged(mine, 200, foreign) is Finding.CROSS_TALK


@pytest.mark.parametrize("length", [RUN_DIGITS, 20, 30])
def test_truncated_id_is_no_cross_talk(length: int) -> None:
    event = an_event(Kind.BAD_KEY)

    assert (
        judged(event, 401, f'{{"error":"no key for {event.id[:length]}... at the gate of STORE-9"}}'.encode()) is None
    )


def test_duplicate_with_another_scans_visitor_is_cross_talk() -> None:
    expectations, traffic = Expectations(a_profile()), a_traffic()
    mine, other = an_event(traffic=traffic), an_event(traffic=traffic)

    judged(mine, 200, SHOPPER, expectations)
    judged(other, 200, SHOPPER.replace(b"-1", b"-2"), expectations)

    assert judged(mine, 200, SHOPPER.replace(b"-1", b"-2"), expectations) is Finding.CROSS_TALK
    assert judged(mine, 200, SHOPPER.replace(b"-1", b"-3"), expectations) is Finding.CHANGED_ANSWER


def test_two_scans_with_one_visitor_are_repeated() -> None:
    expectations, traffic = Expectations(a_profile()), a_traffic()
    events = [an_event(traffic=traffic) for _ in range(600)]

    for place, event in enumerate(events):
        visitor = b"twice" if place in {401, 403} else str(place).encode()
        judged(event, 200, SHOPPER.replace(b"shopper-1", visitor), expectations)

    again = expectations.events_to_repeat()
    assert again[:2] == [events[401], events[403]]
    assert 100 <= len(again) <= 102
    assert expectations.count_other_visitors("SHOPPER", "twice") == 598
    assert expectations.count_other_visitors("ASSOCIATE", "any") == 0


def test_examples_contain_no_key_and_no_visitor() -> None:
    event = an_event(Kind.SCAN)

    wrong = Expectations(a_profile()).judge(event, 200, ASSOCIATE)

    assert wrong is not None
    assert "associate-1" not in wrong[1]
    assert str(event.body["identityKey"]) not in wrong[1]


def test_carts_of_declared_weighed_goods_hold_weights() -> None:
    catalog = {"skus": ["A"], "weighted_skus": ["B"]}
    document = {"connector": {"url": "http://127.0.0.1:1"}, "catalog": catalog}
    house = {"simulator": {"weight_unit": "kg"}}
    traffic = Traffic(Profile.model_validate(document | {"house": house}), FixedKeys(), Share(0, 1, 77))
    carts = [traffic.event(Kind.CART, 0.0) for _ in range(6)]
    items = [item for cart in carts if cart for item in cart.body["cartItems"]]  # type: ignore[attr-defined] # a list
    assert {item["id"]: item["quantity"]["unit"] for item in items} == {"A": "unit", "B": "kg"}
    traffic.check_own_requests()
