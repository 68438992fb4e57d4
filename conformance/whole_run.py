"""The exchanges of a whole run: which calls were accepted, what kinds they are, and which of them may be repeated."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.run.recorder import Recorder
from conformance.timing import interval
from conformance.verdicts import FINDINGS, Verdict
from jwo_contract.errors import MalformedBody
from jwo_contract.messages import message, parse_object
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS, Operation
from jwo_contract.profile import Profile

RESTARTING = frozenset({"VIK-X.25", "VIK-X.84", "CP-X.34", "CP-X.47", "CP-X.105", "E2E-X.15"})
"""The cases that restart the connector, in which calls may be late or fail."""
ID_PATHS: Mapping[Operation, str] = {
    VERIFY_IDENTITY_KEYS: "authEvent.id",
    CREATE_PURCHASES: "idempotentShoppingTripId",
}
"""The path of each call's idempotency key."""
_LARGEST_BODY = 100_000
_RECENT = timedelta(hours=2)
_MANY_LINES, _LONG_ID = 30, 64
_USUAL_UNITS = {"unit", "lb", "kg", "oz", "g"}
_OWN_IDS = {"requestId", "idempotentShoppingTripId", "timestamp", "startTime", "endTime", "identityKey", "scanResult"}
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Past(NamedTuple):
    """An exchange of the run, the case that made it, empty for a control call, and the verdict of that case."""

    case_id: str
    verdict: Verdict
    exchange: Exchange


class Answered(NamedTuple):
    """A valid request of the run, the exchange with its first answer, and the kinds of request that it represents."""

    draft: Draft
    first: Exchange
    kinds: frozenset[str]


def past_calls(recorder: Recorder) -> list[Past]:
    """Return every exchange of the run so far, oldest first, each once."""
    made = [
        *(Past("", Verdict.PASS, each) for each in recorder.controls),
        *(Past(result.id, result.verdict, each) for result in recorder.results.values() for each in result.exchanges),
    ]
    unique = {(each.exchange.started_at, each.exchange.elapsed_s, each.exchange.body): each for each in reversed(made)}
    return sorted(unique.values(), key=lambda past: past.exchange.started_at)


def of_operation(calls: Iterable[Past], operation: Operation) -> list[Past]:
    """Return the calls of Create Purchases, or all others: the calls beyond the core belong to those at the gate."""
    is_cart = operation is CREATE_PURCHASES
    own = [each for each in calls if each.exchange.operation.called_by == "platform"]
    return [each for each in own if (each.exchange.operation.name == CREATE_PURCHASES.name) is is_cart]


def is_ordinary(exchange: Exchange) -> bool:
    """Say whether the suite sent a usual request: a POST of JSON, not too large, at its own speed."""
    kinds = [value.lower() for name, value in exchange.headers.items() if name.lower() == "content-type"]
    is_json = kinds == ["application/json"] and len(exchange.body) <= _LARGEST_BODY
    return (
        exchange.method == "POST" and exchange.measured and is_json and exchange.url.endswith(exchange.operation.path)
    )


def valid_body(exchange: Exchange, profile: Profile) -> dict[str, Any] | None:
    """Return the body of a valid request of a declared store, as it was sent; None if it is not valid."""
    try:
        plain = parse_object(exchange.body)
        body: dict[str, Any] = json.loads(exchange.body)
    except (MalformedBody, ValueError, RecursionError):
        return None
    if not message(exchange.operation.request, profile.house).is_valid(plain):
        return None
    stores = {profile.store.id, profile.store.other_id} - {""}
    return body if not stores or plain.get("storeId") in stores else None


def text_at(body: Any, path: str) -> str:  # noqa: ANN401 - any JSON
    """Return the text at a path of objects; empty if there is none."""
    for name in path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body if isinstance(body, str) else ""


def forgotten_before(recorder: Recorder, own_case: str) -> float:
    """Return the time of the last restart, if the connector may forget at a restart; else 0.

    `own_case` judges whether the connector remembers over a restart. Its verdict is the only finding about that.
    """
    own = recorder.results.get(own_case)
    if own and own.verdict is Verdict.PASS:
        return 0.0
    restarts = [recorder.results[each] for each in RESTARTING if each in recorder.results]
    return max((interval(each)[1] for result in restarts for each in result.exchanges), default=0.0)


def accepted_trips(calls: Iterable[Past], profile: Profile, since: float = 0.0) -> list[Answered]:
    """Return each trip of a recent, valid cart that got a purchase id, with the first such answer."""
    trips: dict[str, Answered] = {}
    for case_id, _verdict, exchange in calls:
        is_cart = exchange.operation is CREATE_PURCHASES or exchange.operation == CREATE_PURCHASES
        if not is_cart or not is_ordinary(exchange) or purchase_of(exchange) is None or interval(exchange)[0] < since:
            continue
        body = valid_body(exchange, profile)
        if body is None or not _is_recent(body, exchange):
            continue
        kinds = {*_kinds_of_cart(body, profile), f"case {case_id}", f"label {exchange.label}"}
        trip = body["idempotentShoppingTripId"]
        known = trips.get(trip)
        if known is None:
            trips[trip] = Answered(Draft(CREATE_PURCHASES, body), exchange, frozenset(kinds))
        else:
            trips[trip] = known._replace(kinds=known.kinds | kinds)
    return list(trips.values())


def decided_events(calls: Iterable[Past], profile: Profile, since: float = 0.0) -> list[Answered]:
    """Return each authEvent of valid scans with one key that got a decision, with the first decision."""
    events: dict[str, Answered] = {}
    mixed = set()
    for case_id, _verdict, exchange in calls:
        if exchange.operation != VERIFY_IDENTITY_KEYS or not is_ordinary(exchange) or interval(exchange)[0] < since:
            continue
        body = valid_body(exchange, profile)
        if body is None or exchange.answer is None or exchange.answer.status not in {200, 401}:
            continue
        kinds = {*_kinds_of_scan(body, exchange), f"case {case_id}", f"label {exchange.label}"}
        event = body["authEvent"]["id"]
        known = events.setdefault(event, Answered(Draft(VERIFY_IDENTITY_KEYS, body), exchange, frozenset(kinds)))
        events[event] = known._replace(kinds=known.kinds | kinds)
        if known.draft.body["identityKey"] != body["identityKey"]:
            mixed.add(event)
    return [answered for event, answered in events.items() if event not in mixed]


def choose(answered: Sequence[Answered], most: int) -> list[Answered]:
    """Return the first call and, for each kind, the first call of that kind, at most `most`."""
    chosen, covered = list(answered[:1]), set(answered[0].kinds if answered else ())
    for is_of_case in (False, True):
        for each in answered:
            new = {kind for kind in each.kinds - covered if kind.startswith(("case ", "label ")) is is_of_case}
            if new and len(chosen) < most:
                chosen.append(each)
                covered |= each.kinds
    return chosen


def purchase_of(exchange: Exchange) -> str | None:
    """Return the purchase id of a successful answer; None if there is none."""
    if exchange.answer is None or exchange.answer.status not in {200, 201}:
        return None
    value = (exchange.answer.json() or {}).get("purchaseId")
    return value if isinstance(value, str) else None


def is_judged(past: Past) -> bool:
    """Say whether a case with a finding made the call, or a case in which the connector restarts."""
    return past.verdict in FINDINGS or past.case_id in RESTARTING


def outline(body: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a body without ids, times and keys: calls of equal outlines differ in these only."""
    if isinstance(body, list):
        return [outline(each) for each in body]
    if not isinstance(body, dict):
        return body
    is_event = "payloadType" in body or "timestamp" in body
    return {
        name: outline(each) for name, each in body.items() if name not in _OWN_IDS and not (is_event and name == "id")
    }


def is_uuid(text: str) -> bool:
    """Say whether a text is a UUID as the suite writes it."""
    return _UUID.fullmatch(text) is not None


def is_usual_time(text: str) -> bool:
    """Say whether a text is an instant as the suite writes it, in UTC and without a fraction."""
    return _TIME.fullmatch(text) is not None


def _is_recent(body: Mapping[str, Any], exchange: Exchange) -> bool:
    end = datetime.fromisoformat(body["shoppingTrip"]["endTime"])
    return exchange.started_at - end < _RECENT


def _kinds_of_cart(body: Mapping[str, Any], profile: Profile) -> Iterator[str]:
    """Yield what makes a cart special, for rules that a connector may apply to such carts only."""
    lines, events = body["cartItems"], body["shoppingTrip"].get("authEvents") or []
    trip = body["idempotentShoppingTripId"]
    features = {
        "an empty cart": not lines,
        "several lines": len(lines) > 1,
        "many lines": len(lines) > _MANY_LINES,
        "a group": len(events) > 1,
        "no authEvents": not events,
        "a long trip id": len(trip) > _LONG_ID,
        "a trip id in another alphabet": not trip.isascii(),
        "another store": bool(profile.store.other_id) and body["storeId"] == profile.store.other_id,
        **{
            f"the member {name}": bool(body.get(name))
            for name in ("shopperIdentity", "shopperDeviceId", "paymentSource")
        },
    }
    yield from (name for name, is_so in features.items() if is_so)
    for line in lines:
        yield f"an item of type {line['type']}"
        unit, value = (line["quantity"].get(name) for name in ("unit", "value"))
        yield kind_of_unit(unit)
        yield "a whole quantity" if str(value).removesuffix(".0").isdecimal() else "a quantity with a fraction"
        if line.get("externalIdentifiers"):
            yield "external identifiers"
        if profile.catalog.skus and line["type"] == "SKU" and line["id"] not in _declared_items(profile):
            yield "an unknown item"
    for event in events:
        scan_result = event.get("scanResult")
        yield f"scanResult {scan_result.get('type') if scan_result else 'none'}"
        yield f"location {event.get('location')}, payload {event.get('payloadType')}"


def _kinds_of_scan(body: Mapping[str, Any], exchange: Exchange) -> Iterator[str]:
    visitor = (exchange.answer.json() or {}).get("visitorDetails") if exchange.answer else None
    yield f"the visitor {visitor.get('type')}" if isinstance(visitor, dict) else "a refusal"
    yield f"the channel {body.get('keyChannel')}"
    yield f"the store {body['storeId']}"
    yield f"a time of {len(body['authEvent'].get('timestamp') or '')} characters"
    yield f"the year {(body['authEvent'].get('timestamp') or '')[:4]}"


def kind_of_unit(unit: object) -> str:
    """Return the kind of a line with this unit."""
    return f"the unit {unit}" if unit in _USUAL_UNITS else "another unit"


def _declared_items(profile: Profile) -> set[str]:
    return {*profile.catalog.skus, *profile.catalog.weighted_skus}


def sent_by(exchange: Exchange) -> object:
    """Return the request's body as JSON; None if it is not JSON."""
    try:
        return json.loads(exchange.body)
    except (ValueError, RecursionError):
        return None


def text_of(exchange: Exchange) -> str:
    """Return the body and the headers of the answer as one text; empty without an answer."""
    answer = exchange.answer
    return answer.body.decode("utf-8", "replace") + " " + " ".join(answer.headers.values()) if answer else ""


def status_of(exchange: Exchange) -> int:
    """Return the status of the answer; 0 without an answer."""
    return exchange.answer.status if exchange.answer else 0


def decision_of(exchange: Exchange) -> tuple[int, object]:
    """Return the status of the answer to a scan, and its visitor."""
    body = (exchange.answer.json() or {}) if exchange.answer else {}
    return status_of(exchange), body.get("visitorDetails")
