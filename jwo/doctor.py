"""Tries each declaration of a profile once, for `jwo doctor`, before a whole run depends on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from conformance import match
from conformance.badge_scans import badge_channels
from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import HarnessBroke, NotDeclared
from conformance.requests import REGISTRY, Requests, is_answered
from conformance.run.configuration import utc_now
from conformance.run.controls import ControlCalls, Trial
from conformance.run.recorder import Recorder
from jwo.certify import reach
from jwo.doctor_lines import (
    OK,
    UNTRIED,
    WRONG,
    Line,
    judged,
    program,
    rate_limited,
    reached,
    status_of,
    undeclared,
)
from jwo_contract.key_kinds import BADGE_KINDS, PAYMENT_KINDS, KeyKind
from jwo_contract.operations import (
    CREATE_PURCHASES,
    RESOLVE_SCAN,
    SHOPPER_AUTHORIZATION,
    VERIFY_IDENTITY_KEYS,
    Operation,
)
from jwo_contract.profile import Profile

_MOST_ITEMS = 50
"""The most items of a list that are tried each by itself, after a cart of all is refused."""
_VISITOR_TYPES: dict[KeyKind, str] = {"shopper": "SHOPPER", "associate": "ASSOCIATE", "cash_shopper": "CASH_SHOPPER"}
"""The keys that the connector lets in, and the visitor's type in its answer."""
_OPEN_BADGES: dict[KeyKind, str] = {"badge": "", "associate_badge": "ASSOCIATE"}
"""The badges that the connector lets in; the first may belong to anyone, so its type is not checked."""
_OPENS_FIRST: KeyKind = "debt_after_trip"
_TURNED_AWAY: tuple[KeyKind, ...] = ("refused", "expired", "used")
_WRONG_PATH, _NO_ACCESS, _INVALID, _ACCEPTED = {404, 405}, {401, 403}, {400, 422}, {200, 201}
_DECIDED = {200, *_NO_ACCESS}
"""The statuses of a scan that the connector understands."""
_HINTS = {
    0: "the connector gives no answer; see its log",
    415: "the connector must accept application/json",
    429: "the connector limits its rate; declare [limits] rate_limit_per_second",
}
_REFUSED_IDENTITIES = ("high_risk", "invalid_card", "expired_card", "outstanding_balance")
_CLIENTS = {
    "catalog_client": "CAT-X.3",
    "payment_client": "PAY-X.3",
    "checkout_client": "CHK-X.4",
    "feed_consumer": "FEED-X.1",
}
"""The table of each client of the retailer, and the case that tries it."""
_RESOLUTIONS = {"accepted": "ACCEPT", "rejected": "REJECT"}


def doctor(profile: Profile, console: Console) -> int:
    """Try each declaration once and print the result. Returns 1 if a declaration does not work, else 0."""
    reach(profile)
    declared, profile, recorder = profile, profile.at_usual_address, Recorder()
    with ConnectorClient(profile, utc_now, recorder.keep) as client:
        lines = [reached(profile), *_Doctor(Requests(profile, utc_now), client, recorder).lines()]
    lines.append(program(profile.connector.restart_command, "[connector] restart_command", "it was not run"))
    if declared.limits.url:
        lines.append(rate_limited(declared.at_rate_limit))
    lines += [
        program(getattr(profile, table).command, f"[{table}] command", f"try it: jwo replay {case_id}")
        for table, case_id in _CLIENTS.items()
    ]
    for mark, text in lines:
        console.print(f"{mark:<6} {text}", soft_wrap=True, markup=False)
    return 1 if any(line.mark == WRONG for line in lines) else 0


class _Doctor:
    """Tries the declarations that need calls to the connector."""

    def __init__(self, requests: Requests, client: ConnectorClient, recorder: Recorder) -> None:
        self._requests = requests
        self._profile = requests.profile
        self._client = client
        self._controls = ControlCalls(requests, client, recorder)

    def lines(self) -> Iterator[Line]:
        """Yield one line for each declaration."""
        scan, cart = self._trial(VERIFY_IDENTITY_KEYS), self._trial(CREATE_PURCHASES)
        if cause := _common_cause([scan.exchanges[0], cart.exchanges[0]], self._profile):
            yield Line(WRONG, cause)
            yield Line(UNTRIED, "[store], [keys] and [catalog] were not tried; correct the line above first")
            return
        yield self._call(scan)
        yield self._call(cart)
        yield from self._stores(scan, cart)
        if scan.refusal and _status(scan) not in _NO_ACCESS:
            yield Line(UNTRIED, "[keys] were not tried, because the connector refuses each scan")
        else:
            yield from self._keys()
        refuses_items = cart.refusal and _status(cart) in _INVALID and not _refuses_store(scan, cart)
        if cart.refusal and not refuses_items:
            yield Line(UNTRIED, "[catalog] was not tried, because the connector refuses each cart")
        else:
            yield from self._items()
        yield from self._authorizations()
        yield from self._loyalty_scans()

    def _trial(self, operation: Operation) -> Trial:
        """Try a valid request as the suite does. If no key can be made, a scan has an unknown key."""
        try:
            return self._controls.trial(operation)
        except HarnessBroke:
            exchange = self._send(self._requests.valid_request(CREATE_PURCHASES))
            if operation is VERIFY_IDENTITY_KEYS:
                exchange = self._send(self._requests.build.scan(self._requests.keys.unknown()))
            accepted = exchange.answer is not None and exchange.answer.status in _DECIDED | _ACCEPTED
            return Trial((exchange,), refusal="" if accepted else exchange.in_short())

    def _send(self, draft: Draft) -> Exchange:
        return self._client.send(draft.operation, draft.encoded())

    def _call(self, trial: Trial) -> Line:
        """Judge a valid request, where at least one other call shows no common cause."""
        exchange, status = trial.exchanges[0], _status(trial)
        name = exchange.operation.name
        if exchange.operation is VERIFY_IDENTITY_KEYS and status in _NO_ACCESS and (trial.refusal or not trial.finding):
            return Line(OK, f"{name}: a valid request is answered {status}; the lines of [keys] judge the keys")
        if not trial.refusal and not trial.finding:
            if breach := match.well_formed(exchange, self._profile.house):
                return Line(WRONG, f"{name}: {breach.got}; {self._advice(exchange, status)}")
            return Line(OK, f"{name}: a valid request is answered {status}")
        if not trial.refusal:
            return Line(WRONG, f"{name}: {trial.finding}; the complete request is valid, so correct the connector")
        return Line(WRONG, f"{name}: a valid request gets {exchange.in_short()}; {self._advice(exchange, status)}")

    def _advice(self, exchange: Exchange, status: int) -> str:
        if status in _INVALID:
            missing = self._missing(exchange.operation)
            if missing:
                return f"not declared: {' and '.join(missing)}; declare it, since the suite can only guess it"
            return "its text tells what it refuses; the lines below try each declaration"
        if status in _WRONG_PATH or _is_html(exchange):
            return f"another call is answered, so only the route of {exchange.url} is missing; add it to the connector"
        if status in _NO_ACCESS:
            return "another call is answered; check that the credentials in [connector] may make this call"
        if status in _ACCEPTED:
            return f"answer with the published members of {exchange.operation.response}"
        return _HINTS.get(status, "the connector fails; see its log")

    def _missing(self, operation: Operation) -> list[str]:
        return [name for name, declared in REGISTRY[operation].needs.items() if not declared(self._profile)]

    # stores

    def _stores(self, scan: Trial, cart: Trial) -> Iterator[Line]:
        store = self._profile.store
        yield self._declared_store(scan, cart)
        if not store.other_id:
            yield undeclared("[store] other_id")
        else:
            advice = "check that the connector serves this store, and that [keys] shopper may enter there"
            admitted = _status(scan) if _status(scan) in _DECIDED else 200
            yield judged(self._scan_at(store.other_id), {admitted}, f"[store] other_id {store.other_id}", advice)
        what = f"[store] unknown_id {store.unknown_id}"
        if store.id and not _refuses_store(scan, cart) and _status(scan) in _DECIDED:
            advice = "declare an id that the connector does not serve, or let it refuse unknown stores"
            yield judged(self._scan_at(store.unknown_id), {400}, what, advice)
        else:
            yield Line(UNTRIED, f"{what} was not tried; its refusal proves nothing while [store] id is not accepted")

    def _declared_store(self, scan: Trial, cart: Trial) -> Line:
        store = self._profile.store
        if not store.id:
            return undeclared("[store] id")
        what = f"[store] id {store.id}"
        if not _refuses_store(scan, cart):
            return Line(OK, f"{what}: a call for this store is understood")
        if store.other_id and status_of(self._scan_at(store.other_id)) in _DECIDED:
            return Line(WRONG, f"{what}: refused, and other_id {store.other_id} is accepted; declare that one")
        return Line(
            WRONG,
            f"{what}: each call for this store is refused: {scan.exchanges[0].in_short()}; "
            "check that the connector serves this store",
        )

    def _scan_at(self, store_id: str) -> Exchange:
        try:
            draft = self._requests.understood_scan()
        except HarnessBroke:
            draft = self._requests.build.scan(self._requests.keys.unknown())
        return self._send(draft.with_value("storeId", store_id))

    # keys

    def _keys(self) -> Iterator[Line]:
        for kind, visitor_type in _VISITOR_TYPES.items():
            advice = "check that the connector knows this key; if you have none, leave it empty"
            yield self._key(kind, 200, advice, visitor_type)
        refusal = self._profile.house.identity.refusal_status
        for kind in _TURNED_AWAY:
            advice = f"declare a key that the connector refuses as {kind}"
            yield self._key(kind, refusal, f"{advice}, or declare its status as [house.identity] refusal_status")
        yield from self._badges(refusal)
        yield from self._payments(refusal)
        yield self._unknown_key()

    def _badges(self, refusal: int) -> Iterator[Line]:
        for kind in BADGE_KINDS:
            opens = kind in _OPEN_BADGES
            advice = "check that the connector knows this badge"
            if not opens:
                advice = "declare a badge that the connector refuses, or its status as [house.identity] refusal_status"
            yield self._key(kind, 200 if opens else refusal, advice, _OPEN_BADGES.get(kind, ""))

    def _payments(self, refusal: int) -> Iterator[Line]:
        for kind in PAYMENT_KINDS:
            advice = "declare a key that the connector refuses, or its status as [house.identity] refusal_status"
            if kind == _OPENS_FIRST:
                advice = "check that the connector knows this key, and that its shopper owes nothing yet"
            yield self._key(kind, 200 if kind == _OPENS_FIRST else refusal, advice)

    def _key(self, kind: KeyKind, wanted: int, advice: str, visitor_type: str = "") -> Line:
        what = f"[keys] {kind}"
        try:
            key = self._requests.keys.take(kind)
        except NotDeclared:
            return undeclared(what)
        except HarnessBroke as error:
            return Line(WRONG, f"{what}: {error}")
        scan = self._requests.build.scan(key)
        if kind in BADGE_KINDS:
            scan = scan.with_value("keyChannel", badge_channels(self._profile.house)[0])
        exchange = self._send(scan)
        line = judged(exchange, {wanted}, what, advice)
        visitor = _body(exchange).get("visitorDetails")
        answered_type = visitor.get("type") if isinstance(visitor, dict) else None
        if line.mark == OK and visitor_type and answered_type != visitor_type:
            return Line(
                WRONG,
                f"{what}: expected the type {visitor_type}, got {exchange.in_short()}; declare another",
            )
        return line

    def _unknown_key(self) -> Line:
        is_declared = self._requests.keys.has("unknown")
        what = "[keys] unknown" if is_declared else "[keys] unknown (not declared, so a random key)"
        try:
            draft = self._requests.build.scan(self._requests.keys.unknown())
        except HarnessBroke as error:
            return Line(WRONG, f"{what}: {error}")
        advice = "the connector must turn away a key that it does not know"
        return judged(self._send(draft), {401}, what, advice)

    # items

    def _items(self) -> Iterator[Line]:
        build, catalog = self._requests.build, self._profile.catalog
        yield from self._cart_of("skus", {sku: build.line(sku) for sku in catalog.skus})
        yield from self._cart_of("scancodes", {code: build.line(code, kind="SCANCODE") for code in catalog.scancodes})
        weighed = {sku: build.line(sku, value="1.25", unit=build.weight_unit) for sku in catalog.weighted_skus}
        yield from self._cart_of("weighted_skus", weighed)

    def _cart_of(self, name: str, lines: dict[str, dict[str, Any]]) -> Iterator[Line]:
        """Try one cart of all items; if it is refused, one cart for each."""
        what = f"[catalog] {name}"
        if not lines:
            yield undeclared(what)
            return
        together = self._send(self._requests.build.cart(list(lines.values())))
        if status_of(together) in _ACCEPTED:
            yield Line(OK, f"{what}: a cart of {', '.join(lines)} is answered {status_of(together)}")
            return
        tried = list(lines)[:_MOST_ITEMS]
        alone = {item: self._send(self._requests.build.cart([lines[item]])) for item in tried}
        refused = {item: exchange for item, exchange in alone.items() if status_of(exchange) not in _ACCEPTED}
        if len(refused) == len(lines) and len(lines) > 1:
            yield Line(
                WRONG,
                f"{what}: each of {len(lines)} items is refused: {together.in_short()}; "
                "check what the answer names, and then that the connector knows these items",
            )
            return
        for item, exchange in refused.items():
            yield judged(exchange, _CREATED, f"{what} {item}", "check that the connector knows this item")
        if not refused:
            yield Line(
                WRONG,
                f"{what}: a cart of all {len(lines)} is refused, and each of {len(tried)} alone is accepted: "
                f"{together.in_short()}; let the connector accept a cart of several items",
            )

    # the entry tier

    def _authorizations(self) -> Iterator[Line]:
        if not is_answered(SHOPPER_AUTHORIZATION, self._profile):
            yield undeclared("[tiers] shopper_authorization")
            return
        trial = self._controls.trial(SHOPPER_AUTHORIZATION)
        yield self._call(trial)
        if trial.refusal:
            return
        for name, shopper in self._profile.shopper_identities.model_dump().items():
            what = f"[shopper_identities] {name}"
            yield self._identity(what, name, shopper) if shopper else undeclared(what)

    def _identity(self, what: str, name: str, shopper: str) -> Line:
        exchange = self._send(self._requests.entry.authorization(shopper))
        line = judged(exchange, {200}, what, "check that the connector knows this shopper")
        wanted = name not in _REFUSED_IDENTITIES
        authorized = _body(exchange).get("shopperAuthorized")
        adjusts = "ADJUST" in str(_body(exchange).get("authorizationConditions"))
        if line.mark == OK and (authorized is not wanted or (name == "adjusted" and not adjusts)):
            decision = "an adjusted amount" if name == "adjusted" else f"shopperAuthorized {str(wanted).lower()}"
            return Line(WRONG, f"{what}: expected {decision}, got {exchange.in_short()}; declare another")
        return line

    def _loyalty_scans(self) -> Iterator[Line]:
        if not is_answered(RESOLVE_SCAN, self._profile):
            yield undeclared("[tiers] resolve_scan")
            return
        trial = self._controls.trial(RESOLVE_SCAN)
        yield self._call(trial)
        if trial.refusal:
            return
        for name, value in self._profile.scans.model_dump().items():
            what = f"[scans] {name}"
            yield self._loyalty_scan(what, _RESOLUTIONS[name], value) if value else undeclared(what)

    def _loyalty_scan(self, what: str, resolution: str, value: str) -> Line:
        exchange = self._send(self._requests.entry.scan(value))
        line = judged(exchange, {200}, what, "check that the connector understands this content")
        if line.mark == OK and resolution not in _words(_body(exchange)):
            return Line(WRONG, f"{what}: expected {resolution}, got {exchange.in_short()}; declare another")
        return line


_CREATED = {CREATE_PURCHASES.success}


def _common_cause(exchanges: Sequence[Exchange], profile: Profile) -> str:
    """Return what every call shows alike and what to do; empty if the calls differ or are understood."""
    statuses = {status_of(exchange) for exchange in exchanges}
    got = "; ".join(f"{exchange.url}: {exchange.in_short()}" for exchange in exchanges)
    if all(status_of(exchange) in _WRONG_PATH or _is_html(exchange) for exchange in exchanges):
        return f"[connector] url: no call is found there, so its path is likely missing or wrong; tried {got}"
    if statuses <= _NO_ACCESS:
        auth = profile.connector.auth
        return f"[connector] auth: every call is refused, so check auth = {auth} and its credentials; tried {got}"
    if all(status >= 500 or status in _HINTS for status in statuses):  # noqa: PLR2004 - the failures
        hints = sorted({_HINTS.get(status, "the connector fails; see its log") for status in statuses})
        return f"[connector] url: no call is accepted: {' and '.join(hints)}; tried {got}"
    if all(300 <= status < 400 for status in statuses):  # noqa: PLR2004 - the redirects
        target = exchanges[0].answer.headers.get("location", "") if exchanges[0].answer else ""
        return f"[connector] url: every call is redirected to {target}; declare the final address; tried {got}"
    return ""


def _refuses_store(scan: Trial, cart: Trial) -> bool:
    """Say whether the connector refuses both calls as invalid: their only common declaration is the store."""
    return bool(scan.refusal and cart.refusal) and {_status(scan), _status(cart)} <= _INVALID


def _is_html(exchange: Exchange) -> bool:
    if exchange.answer is None:
        return False
    headers = {name.lower(): value for name, value in exchange.answer.headers.items()}
    is_marked = headers.get("content-type", "").lower().startswith("text/html")
    return is_marked and exchange.answer.json() is None


def _status(trial: Trial) -> int:
    return status_of(trial.exchanges[0])


def _body(exchange: Exchange) -> dict[str, Any]:
    return (exchange.answer.json() or {}) if exchange.answer else {}


def _words(value: object) -> set[str]:
    """Return every text in a JSON value."""
    if isinstance(value, dict):
        return set().union(*(_words(member) for member in value.values()))
    return {value} if isinstance(value, str) else set()
