"""Steps that look at every answer of the run: failures, leaks, echoes, content types, and the keys that got in."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator

from pytest_bdd import given, parsers, then, when

from conformance import match
from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.drivers.keys import KeySource
from conformance.drivers.masks import unescaped
from conformance.errors import Finding, NotDeclared
from conformance.internals import sign_of_internals
from conformance.match import Mismatch
from conformance.run.controls import ControlCalls
from conformance.run.recorder import Recorder
from conformance.timing import average_calls
from conformance.verdicts import Verdict
from conformance.verify import must
from conformance.whole_run import (
    Past,
    is_judged,
    is_ordinary,
    is_usual_time,
    is_uuid,
    of_operation,
    outline,
    past_calls,
    sent_by,
    status_of,
    text_at,
    text_of,
    valid_body,
)
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS
from jwo_contract.profile import Profile

_OPERATIONS = {"scan": VERIFY_IDENTITY_KEYS, "cart": CREATE_PURCHASES}
_LOW_RATE, _FEW = 20, 3
"""Below this declared rate, in calls per second, the suite sends only a few of the calls that would take long."""
_CROWD = 60
_SHORTEST = 6
"""Shorter texts also occur inside ordinary words."""
_HIDDEN_START = 4
"""A key without this many characters at its start or end is still the key."""
_NOT_BROKEN = {501, 505}
"""Server errors that are right for a method or a version that the server does not support."""
_NO_REFUSAL = {401, 403, 408, 409, 429}
"""Statuses that another case judges: access, patience, changed carts and rates."""
_PERSONAL = ("shopperIdentity.id", "shopperDeviceId", "paymentSource.id")
_DEEP, _DEEP_LABEL = 20_000, "deep JSON"
"""Levels that no message has. RFC 8259 lets a parser limit the depth, so that a server error at it is no finding."""


@given(parsers.parse("the calls of the whole run with a {name}"), target_fixture="calls")
def calls_of_the_run(recorder: Recorder, name: str) -> list[Past]:
    """Return the calls of an operation, oldest first; those beyond the core count as scans."""
    return of_operation(past_calls(recorder), _OPERATIONS[name])


@when("calls that often bring out a program's inside are sent")
def provoke(draft: Draft, connector: ConnectorClient, profile: Profile, calls: list[Past]) -> None:
    """Send deep JSON, a wrong path, bytes that are no text and others; only a few under a low declared rate."""
    operation, body = draft.operation, draft.encoded()
    nowhere = operation._replace(path=f"{operation.path}/nowhere")
    quoted = draft.with_value("storeId", "a\x00'\"--").encoded()
    provoking: list[Callable[[], Exchange]] = [
        lambda: connector.send(operation, b'{"requestId":' + b"[" * _DEEP + b"]" * _DEEP + b"}", label=_DEEP_LABEL),
        lambda: connector.send(nowhere, body, label="another path"),
        lambda: connector.send(operation, quoted, label="a store id with quotes"),
        lambda: connector.send(operation, body.replace(b"ENTRY", b"\xff\xfe"), label="bytes that are no text"),
        lambda: connector.send(operation, body, label="PUT", method="PUT"),
        lambda: connector.send(operation, body, label="another content type", content_type="application/xml"),
    ]
    is_limited = profile.limits.rate_limit_per_second in range(1, _LOW_RATE)
    calls += [Past("", Verdict.PASS, send()) for send in (provoking[:_FEW] if is_limited else provoking)]


@then("no answer shows the inside of the connector")
def nothing_inside(calls: list[Past], connector: ConnectorClient, profile: Profile) -> None:
    """Match answers without stack traces, paths of files, SQL and debug pages."""
    if profile.house.http.shows_internals:
        raise NotDeclared("[house.http] shows_internals says that answers may show the connector's inside")
    for _case_id, _verdict, exchange in calls:
        text = text_of(exchange)
        sent = exchange.body.decode("utf-8", "replace")
        for form in dict.fromkeys((text, unescaped(text))):
            if sign := sign_of_internals(form, sent):
                connector.show([exchange])
                raise Finding("an answer without the connector's inside", f"{sign}, in: {exchange.in_short()}")


@then("no refusal repeats the key or the body")
def nothing_repeated(calls: list[Past], connector: ConnectorClient, profile: Profile) -> None:
    """Match refusals and errors without the request's key, its personal data and its whole body."""
    if profile.house.http.repeats_personal:
        raise NotDeclared("[house.http] repeats_personal says that answers may repeat keys and personal data")
    for past in calls:
        exchange = past.exchange
        if exchange.answer is None or exchange.answer.status < 400 or is_judged(past):  # noqa: PLR2004 - the refusals
            continue
        text = text_of(exchange)
        plain = unescaped(text)
        for what, hidden in _hidden_texts(exchange):
            if hidden in text or hidden in plain:
                connector.show([exchange])
                raise Finding(
                    f"a refusal that does not repeat {what}", f"{exchange.in_short()} (the answer repeats it)"
                )


@then("every success says that it is JSON")
def all_json(calls: list[Past], connector: ConnectorClient, profile: Profile) -> None:
    """Match the content type of each successful answer to a valid request, and names that are there once."""
    for past in calls:
        exchange = past.exchange
        if exchange.answer is None or exchange.answer.status not in {200, 201} or not is_ordinary(exchange):
            continue
        mismatch = match.says_json(exchange) or match.unique_names(exchange)
        if mismatch and not is_judged(past) and valid_body(exchange, profile) is not None:
            connector.show([exchange])
            must(Mismatch(mismatch.expected, f"{mismatch.got}: {exchange.in_short()}"))


@then("every refusal that says that it is JSON is JSON")
def refusals_are_json(calls: list[Past], connector: ConnectorClient) -> None:
    """Match the body of each refusal and error, whatever was sent."""
    for past in calls:
        if status_of(past.exchange) < 400 or is_judged(past):  # noqa: PLR2004 - the refusals
            continue
        if mismatch := match.is_json_text(past.exchange):
            connector.show([past.exchange])
            must(mismatch)


@then(parsers.parse("no valid {name} failed or was refused"))
def none_failed(
    calls: list[Past], connector: ConnectorClient, controls: ControlCalls, profile: Profile, name: str
) -> None:
    """Match no server error to a valid request, and no refusal of a usual one, where no other case judges it."""
    operation = _OPERATIONS[name]
    usual = outline(controls.trial(operation).exchanges[-1].sent())
    everything = [each.exchange for each in calls]
    for past in calls:
        exchange, status = past.exchange, status_of(past.exchange)
        if status < 400 or status in _NO_REFUSAL or is_judged(past) or exchange.operation != operation:  # noqa: PLR2004 - the refusals
            continue
        if exchange.label and status < 500 and past.verdict is Verdict.PASS:  # noqa: PLR2004 - the case wants the refusal
            continue
        body = valid_body(exchange, profile) if is_ordinary(exchange) else None
        if body is None or average_calls(exchange, everything) > _CROWD:
            continue
        if status >= 500 or _is_usual(body, exchange, usual, profile):  # noqa: PLR2004 - the server errors
            connector.show([exchange])
            raise Finding(f"a decision about each valid {name} of the run", exchange.in_short())


@then("the connector never failed")
def no_server_error(calls: list[Past], connector: ConnectorClient) -> None:
    """Match no server error to any request, valid or not, where no other case judges it."""
    everything = [each.exchange for each in calls]
    for past in calls:
        exchange, status = past.exchange, status_of(past.exchange)
        is_limit = exchange.label == _DEEP_LABEL
        if status < 500 or status in _NOT_BROKEN or is_judged(past) or is_limit:  # noqa: PLR2004 - the server errors
            continue
        if average_calls(exchange, everything) <= _CROWD:
            connector.show([exchange])
            raise Finding("no server error to any request of the run", exchange.in_short())


@then("no unknown key opened the gate")
def strangers_kept_out(calls: list[Past], connector: ConnectorClient, profile: Profile) -> None:
    """Match no success for an event that only unknown keys showed."""
    keys: dict[str, set[str]] = {}
    scans = []
    for past in calls:
        body = valid_body(past.exchange, profile) if past.exchange.operation == VERIFY_IDENTITY_KEYS else None
        if body is not None:
            keys.setdefault(body["authEvent"]["id"], set()).add(body["identityKey"])
            scans.append((past.exchange, body))
    for exchange, body in scans:
        is_strange = all(_is_unknown(key, profile) for key in keys[body["authEvent"]["id"]])
        if is_strange and exchange.answer is not None and 200 <= exchange.answer.status < 300:  # noqa: PLR2004 - the 2xx
            connector.show([exchange])
            raise Finding("401 for each unknown key of the run", exchange.in_short())


def _is_usual(body: dict[str, object], exchange: Exchange, usual: object, profile: Profile) -> bool:
    """Say whether a request differs from the accepted control call only in its ids and times."""
    path = "authEvent.id" if exchange.operation == VERIFY_IDENTITY_KEYS else "idempotentShoppingTripId"
    if (
        outline(sent_by(exchange)) != usual
        or not is_uuid(text_at(body, path))
        or not is_uuid(text_at(body, "requestId"))
    ):
        return False
    if exchange.operation == CREATE_PURCHASES:
        start, end = (text_at(body, f"shoppingTrip.{name}") for name in ("startTime", "endTime"))
        return is_usual_time(start) and is_usual_time(end) and start <= end
    fixed = "" if KeySource(profile).are_fresh("shopper") else profile.keys.shopper
    return bool(fixed) and body["identityKey"] == fixed


def _is_unknown(key: str, profile: Profile) -> bool:
    """Say whether the suite made a key, so that the connector cannot know it."""
    if profile.keys.unknown:
        return key == profile.keys.unknown
    try:
        return base64.b64decode(key, validate=True).startswith(b"nobody")
    except (binascii.Error, ValueError):
        return False


def _hidden_texts(exchange: Exchange) -> Iterator[tuple[str, str]]:
    """Yield the texts of a request that a refusal must not hold, each with what it is."""
    body, raw = sent_by(exchange), exchange.body.decode("utf-8", "replace")
    if len(raw) >= _SHORTEST * _SHORTEST:
        yield "the whole body", raw
        yield "the whole body", json.dumps(body)
    key = text_at(body, "identityKey")
    try:
        decoded = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    for text in (key, decoded.decode("utf-8", "ignore"), decoded.hex(), decoded.hex().upper()):
        for part in (text, text[_HIDDEN_START:], text[:-_HIDDEN_START]):
            if len(part) >= (_SHORTEST if part is text else _SHORTEST * 2):
                yield "the identityKey", part
    for path in _PERSONAL:
        yield from _long_enough(path, text_at(body, path))
    trip = body.get("shoppingTrip") if isinstance(body, dict) else None
    events = trip.get("authEvents") if isinstance(trip, dict) else None
    for event in events if isinstance(events, list) else []:
        yield from _long_enough("scanResult.id", text_at(event, "scanResult.id"))


def _long_enough(path: str, text: str) -> Iterator[tuple[str, str]]:
    if len(text) >= _SHORTEST:
        yield path, text
