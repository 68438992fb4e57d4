"""Faults of optional members: a connector that requires one that may be absent, or refuses one that may be there."""

from __future__ import annotations

from collections.abc import Callable

from conformance.mutants.http_app import Request
from conformance.mutants.json_values import at
from conformance.mutants.registry import CONNECTOR_FAULTS, Fault
from conformance.mutants.small_connector import SmallConnector

_EVENT, _LINE = "shoppingTrip.authEvents[]", "cartItems[]"
_MEMBERS = {
    "line_item_id": f"{_LINE}.lineItemId",
    "external_identifiers": f"{_LINE}.externalIdentifiers",
    "scan_result": f"{_EVENT}.scanResult",
    "entry_location": f"{_EVENT}.location",
    "entry_timestamp": f"{_EVENT}.timestamp",
    "shopper_identity": "shopperIdentity",
    "shopper_device_id": "shopperDeviceId",
    "payment_source": "paymentSource",
}
_SENT = ("line_item_id", "scan_result", "entry_location", "entry_timestamp")
"""The members of a complete cart, as the platform sends it to this connector."""


def _add(name: str, found_by: tuple[str, ...], is_refused: Callable[[Request], bool]) -> None:
    def problem_of(self: SmallConnector, request: Request) -> str:
        problem = SmallConnector.problem_of(self, request)
        return problem or (name if request.call == "cart" and is_refused(request) else "")

    CONNECTOR_FAULTS.add(Fault(name, found_by), type(name, (SmallConnector,), {"problem_of": problem_of}))


def _lacks(path: str) -> Callable[[Request], bool]:
    return lambda request: any(value is None for value in at(request.body, path))


def _has(path: str) -> Callable[[Request], bool]:
    return lambda request: any(value is not None for value in at(request.body, path))


for _name, _path in _MEMBERS.items():
    _sent = _name in _SENT
    _add(f"requires_{_name}", ("CP-X.56", "CP-1.15") if _sent else ("CP-1.1", "CP-1.15"), _lacks(_path))
    if _sent:
        _add(f"refuses_{_name}", ("CP-1.1",), _has(_path))

_add("relies_on_scan_result_id", ("CP-X.57",), lambda request: any(
    isinstance(value, dict) and "id" not in value for value in at(request.body, f"{_EVENT}.scanResult")
))  # fmt: skip
_add("relies_on_identifier_type", ("CP-X.57",), lambda request: any(
    isinstance(value, dict) and "type" not in value for value in at(request.body, f"{_LINE}.externalIdentifiers[]")
))  # fmt: skip


@CONNECTOR_FAULTS.fault("CP-1.1")
class refuses_every_cart(SmallConnector):
    """Answers each cart with 400."""

    def problem_of(self, request: Request) -> str:
        """Find a problem in every cart."""
        return "refused" if request.call == "cart" else super().problem_of(request)


@CONNECTOR_FAULTS.fault("VIK-1.1")
class refuses_every_scan(SmallConnector):
    """Answers each scan with 400."""

    def problem_of(self, request: Request) -> str:
        """Find a problem in every scan."""
        return "refused" if request.call == "scan" else super().problem_of(request)
