"""Lenient faults: a connector that leaves out one validation rule, or gives an invalid request a wrong answer.

Each row of `validation_rules` registers the fault of leaving that rule out.
"""

from __future__ import annotations

from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.json_values import text_at
from conformance.mutants.registry import CONNECTOR_FAULTS, Fault
from conformance.mutants.small_connector import NO_JSON, NO_OBJECT, BreaksOneCall, Purchase, SmallConnector, trip_of
from conformance.mutants.validation_rules import EMPTY_OBJECT, RULES

for _rule in (row for rows in (*RULES.values(), EMPTY_OBJECT.values()) for row in rows):
    CONNECTOR_FAULTS.add(
        Fault(_rule.fault, _rule.found_by), type(_rule.fault, (SmallConnector,), {"left_out": _rule.fault})
    )


@CONNECTOR_FAULTS.fault_of_each_call(scan=("VIK-3.1", "VIK-3.5", "VIK-3.16"), cart=("CP-3.1", "CP-3.10", "CP-3.34"))
class refuses_with_422(BreaksOneCall):
    def refuse(self, request: Request, problem: str) -> Reply:
        return error(422, problem) if request.call == self.broken_call else super().refuse(request, problem)


@CONNECTOR_FAULTS.fault_of_each_call(scan=("VIK-X.8", "VIK-3.17"), cart=("CP-X.8", "CP-3.35"))
class fails_on_malformed_json(BreaksOneCall):
    def refuse(self, request: Request, problem: str) -> Reply:
        breaks = problem == NO_JSON and request.call == self.broken_call
        return error(500, problem) if breaks else super().refuse(request, problem)


@CONNECTOR_FAULTS.fault_of_each_call(scan=("VIK-X.8",), cart=("CP-X.8",))
class fails_on_a_list(BreaksOneCall):
    def refuse(self, request: Request, problem: str) -> Reply:
        breaks = problem == NO_OBJECT and request.call == self.broken_call
        return error(500, problem) if breaks else super().refuse(request, problem)


@CONNECTOR_FAULTS.fault("VIK-X.13")
class remembers_invalid_scans(SmallConnector):
    def refuse(self, request: Request, problem: str) -> Reply:
        reply = super().refuse(request, problem)
        event = text_at(request.body, "authEvent.id")
        if request.call == "scan" and event:
            self.decisions.keep(event, reply, request)
        return reply


@CONNECTOR_FAULTS.fault("CP-X.13")
class remembers_invalid_carts(SmallConnector):
    def refuse(self, request: Request, problem: str) -> Reply:
        trip = trip_of(request.body)
        if request.call == "cart" and trip:
            self.purchases.keep(trip, Purchase("", []), request)
        return super().refuse(request, problem)
