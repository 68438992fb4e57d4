"""Faults of the entry tier: Shopper Authorization, Resolve Scan and Get Scan Details."""

from __future__ import annotations

from dataclasses import replace

from conformance.mutants.http_app import Reply, Request
from conformance.mutants.json_values import Body, at
from conformance.mutants.registry import CONNECTOR_FAULTS
from conformance.mutants.small_connector import SmallConnector, new_id

_fault = CONNECTOR_FAULTS.fault


@_fault("SA-7a.1", "SA-7a.6", "SA-7a.7", "SA-7a.8", "PLAN-CCD-VAL-CONN-001")
class authorises_with_204(SmallConnector):
    def authorization(self, *, refused: bool, adjusted: bool) -> Reply:
        return super().authorization(refused=refused, adjusted=adjusted) if refused else Reply(204)


@_fault("SA-7a.2", "SA-7a.4", "SA-7a.5", "SA-7a.9", "SA-7a.11")
class refuses_cards_with_403(SmallConnector):
    def authorization(self, *, refused: bool, adjusted: bool) -> Reply:
        return Reply(403, {}) if refused else super().authorization(refused=refused, adjusted=adjusted)


@_fault("SA-7a.2", "SA-7a.4", "SA-7a.5", "SA-7a.11")
class authorises_everybody(SmallConnector):
    def is_refused(self, body: Body) -> bool:
        return False


@_fault("SA-7a.1")
class refuses_everybody(SmallConnector):
    def is_refused(self, body: Body) -> bool:
        return True


@_fault("SA-7a.9")
class follows_the_recommendation(SmallConnector):
    def is_refused(self, body: Body) -> bool:
        return not at(body, "shopperInteraction.recommendation.shopperAuthorized")[0]


@_fault("SA-7a.3", "SA-7a.10")
class never_adjusts(SmallConnector):
    def authorization(self, *, refused: bool, adjusted: bool) -> Reply:
        return super().authorization(refused=refused, adjusted=False)


@_fault("SA-7a.6")
class fails_on_bad_debt(SmallConnector):
    def authorize(self, request: Request) -> Reply:
        risks = at(request.body, "shopperInteraction.recommendation.shopperRisks")[0]
        return Reply(500, {}) if risks == ["BadDebt"] else super().authorize(request)


@_fault("SA-7a.1")
class authorises_in_words(SmallConnector):
    def authorization(self, *, refused: bool, adjusted: bool) -> Reply:
        return Reply(200, {"decision": "DENIED" if refused else "APPROVED"})


@_fault("SA-X.1")
class decides_each_tap_anew(SmallConnector):
    def authorization(self, *, refused: bool, adjusted: bool) -> Reply:
        reply = super().authorization(refused=refused, adjusted=adjusted)
        return replace(reply, body={**reply.body, "shopperRisks": [new_id()]})


@_fault("RS-1.1")
class accepts_scans_with_201(SmallConnector):
    def accepted(self, member: str) -> Reply:
        return replace(super().accepted(member), status=201)


@_fault("RS-1.1")
class rejects_every_scan(SmallConnector):
    def member_of(self, code: str) -> str:
        return ""


@_fault("RS-1.1")
class resolves_without_an_id(SmallConnector):
    def accepted(self, member: str) -> Reply:
        return Reply(200, {"action": "ACCEPT", "type": "LOYALTY"})


@_fault("RS-X.1")
class rejects_with_401(SmallConnector):
    def rejected(self) -> Reply:
        return replace(super().rejected(), status=401)


@_fault("RS-X.1")
class accepts_every_scan(SmallConnector):
    def member_of(self, code: str) -> str:
        return super().member_of(code) or "loyalty-0"


@_fault("RS-X.3")
class uses_a_loyalty_card_up(SmallConnector):
    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._used: set[str] = set()

    def member_of(self, code: str) -> str:
        member = "" if code in self._used else super().member_of(code)
        self._used.add(code)
        return member


@_fault("GSD-X.1")
class leaves_promotions_out(SmallConnector):
    def member_details(self) -> Reply:
        return Reply(200, {"provider": "Corner Club"})


@_fault("GSD-X.1")
class knows_no_member_again(SmallConnector):
    def is_member(self, member: str) -> bool:
        return False


@_fault("GSD-X.2")
class knows_everybody(SmallConnector):
    def is_member(self, member: str) -> bool:
        return True
