"""Faults of events: which authEvents are forgotten, and by which key a decision is remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from conformance.mutants.http_app import Reply, Request
from conformance.mutants.json_values import key_bytes_of, text_at
from conformance.mutants.memory_faults import NewVisitorIds
from conformance.mutants.registry import CONNECTOR_FAULTS, Fault
from conformance.mutants.small_connector import Memory, SmallConnector

_fault = CONNECTOR_FAULTS.fault
_INDEXED_GROUP, _NODE = 8, -12


class _Forgets(SmallConnector):
    """The base of faults that forget the event of some scans."""

    forgets: ClassVar[Callable[[Request], object]]

    async def decision(self, event: str, request: Request) -> Reply:
        reply = await super().decision(event, request)
        if type(self).forgets(request):
            self.decisions.kept.pop(event, None)
        return reply


def _at(path: str) -> Callable[[Request], str]:
    return lambda request: text_at(request.body, path)


_FORGOTTEN: dict[str, Callable[[Request], object]] = {
    "forgets_associates_of_scans": lambda request: key_bytes_of(request.body) == b"associate_key",
    "forgets_cash_shoppers": lambda request: key_bytes_of(request.body) == b"cash_shopper_key",
    "forgets_events_without_channel": lambda request: "keyChannel" not in request.body,
    "forgets_events_of_radio": lambda request: _at("keyChannel")(request) == "RADIO",
    "forgets_events_with_an_offset": lambda request: "+" in _at("authEvent.timestamp")(request),
    "forgets_events_with_a_fraction": lambda request: "." in _at("authEvent.timestamp")(request),
    "forgets_events_of_long_ago": lambda request: "2000" < _at("authEvent.timestamp")(request) < "2025",
    "forgets_events_in_upper_case": lambda request: _at("authEvent.id")(request).isupper(),
    "forgets_events_of_the_other_store": lambda request: _at("storeId")(request) != "STORE-001",
}
for _name, _forgets in _FORGOTTEN.items():
    CONNECTOR_FAULTS.add(Fault(_name, ("VIK-X.72",)), type(_name, (_Forgets,), {"forgets": staticmethod(_forgets)}))


class _NewestOnly(Memory):
    def keep(self, key: str, value: object, request: Request) -> None:
        self.kept.clear()
        super().keep(key, value, request)


@_fault("VIK-X.71", "VIK-X.23")
class keeps_the_newest_event(SmallConnector):
    def new_memory(self, call: str) -> Memory:
        return _NewestOnly() if call == "scan" else super().new_memory(call)


class _NewestOfKey(Memory):
    def keep(self, key: str, value: object, request: Request) -> None:
        shopper = text_at(request.body, "identityKey")
        self.kept = {each: known for each, known in self.kept.items() if known[0] != shopper}
        self.kept[key] = (shopper, value)

    def get(self, key: str) -> Any:  # noqa: ANN401 - a reply
        return self.kept.get(key, ("", None))[1]


@_fault("VIK-X.71")
class keeps_the_newest_event_of_a_key(SmallConnector):
    def new_memory(self, call: str) -> Memory:
        return _NewestOfKey() if call == "scan" else super().new_memory(call)


@_fault("VIK-X.71")
class forgets_all_at_a_refusal(SmallConnector):
    def turn_away(self) -> Reply:
        self.decisions.kept.clear()
        return super().turn_away()


@_fault("VIK-X.71")
class forgets_the_event_of_an_invalid_scan(SmallConnector):
    def refuse(self, request: Request, problem: str) -> Reply:
        self.decisions.kept.pop(text_at(request.body, "authEvent.id"), None)
        return super().refuse(request, problem)


@_fault("VIK-X.71")
class repeats_a_decision_once(SmallConnector):
    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._repeated: set[str] = set()

    async def decision(self, event: str, request: Request) -> Reply:
        if event in self._repeated:
            self.decisions.kept.pop(event, None)
        if self.decisions.get(event) is not None:
            self._repeated.add(event)
        return await super().decision(event, request)


@_fault("VIK-X.71")
class forgets_the_event_of_another_key(NewVisitorIds):
    async def decision(self, event: str, request: Request) -> Reply:
        reply = await super().decision(event, request)
        if self.visitor_of(key_bytes_of(request.body).decode(errors="replace")) is None:
            self.decisions.kept.pop(event, None)
        return reply


class _OtherKey(SmallConnector):
    """The base of faults that remember a decision under a wrong key."""

    key: ClassVar[Callable[[Request], str]]

    def event_key(self, request: Request) -> str:
        return type(self).key(request)


def _with(path: str) -> Callable[[Request], str]:
    return lambda request: f"{text_at(request.body, 'authEvent.id')} {text_at(request.body, path)}"


def _groups_in_order(request: Request) -> str:
    return "-".join(sorted(text_at(request.body, "authEvent.id").lower().split("-")))


_WRONG_KEYS: dict[str, tuple[str, Callable[[Request], str]]] = {
    "remembers_by_event_and_time": ("VIK-X.73", _with("authEvent.timestamp")),
    "remembers_by_event_and_channel": ("VIK-X.73", _with("keyChannel")),
    "remembers_by_event_and_store": ("VIK-X.73", _with("storeId")),
    "remembers_by_the_first_group": ("VIK-X.76", lambda request: _at("authEvent.id")(request)[:_INDEXED_GROUP]),
    "remembers_by_the_last_group": ("VIK-X.76", lambda request: _at("authEvent.id")(request)[_NODE:]),
    "remembers_by_groups_in_any_order": ("VIK-X.76", _groups_in_order),
    "remembers_by_the_time": ("VIK-X.76", _at("authEvent.timestamp")),
    "remembers_by_the_request": ("VIK-X.76", _at("requestId")),
    "remembers_by_a_sum_of_digits": (
        "VIK-X.76",
        lambda request: "".join(sorted(_at("authEvent.id")(request))),
    ),
}
for _name, (_found, _key) in _WRONG_KEYS.items():
    CONNECTOR_FAULTS.add(Fault(_name, (_found,)), type(_name, (_OtherKey,), {"key": staticmethod(_key)}))


@_fault("VIK-X.74")
class decides_a_refused_event_again(SmallConnector):
    async def decision(self, event: str, request: Request) -> Reply:
        known: Reply | None = self.decisions.get(event)
        if known is not None and known.status == self.turn_away().status:
            self.decisions.kept.pop(event)
        return await super().decision(event, request)


@_fault("VIK-X.75")
class looks_up_the_event_before_the_checks(SmallConnector):
    async def answer(self, request: Request) -> Reply:
        known: Reply | None = self.decisions.get(self.event_key(request)) if request.call == "scan" else None
        return known or await super().answer(request)
