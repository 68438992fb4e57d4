"""Faults of Verify Identity Keys: wrong decisions about keys, and wrong descriptions of the visitor."""

from __future__ import annotations

from dataclasses import replace

from conformance.mutants.http_app import Reply, error
from conformance.mutants.registry import CONNECTOR_FAULTS
from conformance.mutants.small_connector import SmallConnector

_fault = CONNECTOR_FAULTS.fault
_RATE_LIMIT = 5


@_fault("VIK-1.1")
class calls_everybody_an_associate(SmallConnector):
    def let_in(self, visitor: str, kind: str) -> Reply:
        return super().let_in(visitor, "ASSOCIATE")


@_fault("VIK-1.2")
class calls_everybody_a_shopper(SmallConnector):
    def let_in(self, visitor: str, kind: str) -> Reply:
        return super().let_in(visitor, "SHOPPER")


@_fault("VIK-X.12")
class says_cash_for_cash_shopper(SmallConnector):
    def let_in(self, visitor: str, kind: str) -> Reply:
        return super().let_in(visitor, "CASH" if kind == "CASH_SHOPPER" else kind)


@_fault("VIK-1.1", "VIK-1.2")
class names_no_visitor_type(SmallConnector):
    def let_in(self, visitor: str, kind: str) -> Reply:
        return Reply(200, {"visitorDetails": {"id": visitor}})


@_fault("VIK-1.1", "PLAN-APP-VAL-CONN-001", "PLAN-APPCHK-VAL-VIK", "PLAN-APP-IV-001")
class names_no_visitor(SmallConnector):
    def let_in(self, visitor: str, kind: str) -> Reply:
        return super().let_in("", kind)


@_fault("VIK-1.1")
class names_visitors_at_length(SmallConnector):
    def let_in(self, visitor: str, kind: str) -> Reply:
        return super().let_in(visitor * 300, kind)


@_fault("VIK-1.1")
class names_visitors_by_number(SmallConnector):
    def let_in(self, visitor: str, kind: str) -> Reply:
        return Reply(200, {"visitorDetails": {"id": 4711, "type": kind}})


@_fault("VIK-1.1", "VIK-1.2")
class writes_the_type_small(SmallConnector):
    def let_in(self, visitor: str, kind: str) -> Reply:
        return super().let_in(visitor, kind.lower())


@_fault("VIK-1.1")
class answers_flat(SmallConnector):
    def let_in(self, visitor: str, kind: str) -> Reply:
        return Reply(200, {"id": visitor, "type": kind})


@_fault("VIK-1.1")
class answers_malformed_json(SmallConnector):
    def let_in(self, visitor: str, kind: str) -> Reply:
        return Reply(200, b'{"visitorDetails": {"id": ')


@_fault("VIK-1.1")
class answers_in_xml(SmallConnector):
    def let_in(self, visitor: str, kind: str) -> Reply:
        return Reply(200, b"<visitor/>")


@_fault("VIK-1.1")
class answers_a_list(SmallConnector):
    def let_in(self, visitor: str, kind: str) -> Reply:
        return Reply(200, [])


@_fault("VIK-1.1")
class answers_nothing(SmallConnector):
    def let_in(self, visitor: str, kind: str) -> Reply:
        return Reply(200, b"")


@_fault("VIK-2", "E2E-X.2")
class opens_for_an_unknown_key(SmallConnector):
    def visitor_of(self, key: str) -> tuple[str, str] | None:
        unknown = key not in {"refused_key", "expired_key", "used_key"}
        return super().visitor_of(key) or (("shopper-uuid-999", "SHOPPER") if unknown else None)


@_fault("VIK-X.9")
class opens_for_a_refused_key(SmallConnector):
    def visitor_of(self, key: str) -> tuple[str, str] | None:
        return ("shopper-uuid-999", "SHOPPER") if key == "refused_key" else super().visitor_of(key)


@_fault("VIK-X.10")
class opens_for_an_expired_key(SmallConnector):
    def visitor_of(self, key: str) -> tuple[str, str] | None:
        return ("shopper-uuid-999", "SHOPPER") if key == "expired_key" else super().visitor_of(key)


@_fault("VIK-X.11")
class opens_for_a_used_key(SmallConnector):
    def visitor_of(self, key: str) -> tuple[str, str] | None:
        return ("shopper-uuid-999", "SHOPPER") if key == "used_key" else super().visitor_of(key)


@_fault("VIK-X.4")
class opens_each_event_once_a_shopper(SmallConnector):
    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._entered: set[str] = set()

    def visitor_of(self, key: str) -> tuple[str, str] | None:
        visitor = None if key in self._entered else super().visitor_of(key)
        self._entered.add(key)
        return visitor


@_fault("VIK-2")
class refuses_with_403(SmallConnector):
    def turn_away(self) -> Reply:
        return error(403, "not known")


@_fault("VIK-4", slow=True, rate_limit_per_second=_RATE_LIMIT)
class never_limits_its_rate(SmallConnector):
    def is_too_fast(self) -> bool:
        return False


@_fault("VIK-4", slow=True, rate_limit_per_second=_RATE_LIMIT)
class limits_its_rate_with_503(SmallConnector):
    def too_many(self) -> Reply:
        return replace(super().too_many(), status=503)
