"""The platform's control API as the suite uses it. What goes wrong here is ours, and never the connector's fault."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import httpx

from conformance.errors import HarnessBroke
from contract.profile import ConnectorTable
from jwo_toolkit.json_types import JsonObject

_CALL_WITHIN_S = 60.0
"""Longer than any gate and any repeated message takes together."""


class Fault(NamedTuple):
    """A fault to arm: by its name in the platform's list, how much of it, for how many, which share, after how many."""

    name: str
    amount: float | None = None
    times: int | None = None
    rate: float | None = None
    after: int | None = None


class Controls:
    """One client of the control API; safe to use from several threads."""

    def __init__(self, url: str) -> None:
        plain = httpx.HTTPTransport(verify=False)  # it is on this machine, without TLS
        self._http = httpx.Client(base_url=url, timeout=_CALL_WITHIN_S, transport=plain, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def set_up_store(self, store_id: str, gates: Iterable[str], connector: ConnectorTable) -> None:
        """Set a store up, with its connector for all calls."""
        target = {"url": connector.url, "auth": connector.auth, "headers": connector.headers}
        setup = {"retailer": store_id, "connector": target, "gates": list(gates), "qrPattern": ""}
        self._call("PUT", f"/portal/stores/{quote(store_id, safe='')}", setup)

    def arm(self, fault: Fault, **where: str) -> str:
        """Arm a fault for exchanges of an operation, store, gate or trip, and return its id."""
        chosen = {name: value for name, value in fault._asdict().items() if value is not None}
        return str(self._call("POST", "/faults", {**chosen, "where": where})["id"])

    def disarm(self, fault_id: str) -> None:
        """Take a fault back."""
        self._call("DELETE", f"/faults/{fault_id}")

    def armed(self) -> set[str]:
        """Return the ids of the faults that have not struck as often as they were to."""
        return {str(fault["id"]) for fault in self._call("GET", "/faults")}

    def scan(self, gate: str, identity_key: str) -> JsonObject:
        """Show a key at a gate and return the gate's decision."""
        return dict(self._call("POST", f"/gates/{gate}/scans", {"identityKey": identity_key}))

    def pick(self, trip_id: str, sku: str, quantity: int) -> None:
        """Take something off a shelf."""
        self._call("POST", f"/trips/{trip_id}/pick", {"sku": sku, "quantity": str(quantity)})

    def leave(self, trip_id: str) -> None:
        """Walk out; the cart is on its way when this returns."""
        self._call("POST", f"/trips/{trip_id}/leave")

    def delivery(self, trip_id: str) -> JsonObject:
        """Return how the delivery of a trip's cart stands, with its attempts."""
        found = self._call("GET", f"/deliveries?tripId={trip_id}")
        if not found:
            raise HarnessBroke(f"the platform knows no delivery for trip {trip_id}")
        return dict(found[0])

    def redrive(self, trip_id: str) -> None:
        """Send a cart of the dead-letter list once more."""
        self._call("POST", f"/deliveries/{trip_id}/redrive")

    def journal(self, **about: str) -> list[JsonObject]:
        """Return the journal's entries of a trip or a gate, oldest first."""
        return list(self._call("GET", "/journal", params={**about, "limit": 10_000}))

    def resend(self, seq: int) -> JsonObject:
        """Send an exchange of the journal again, as it was, and return the new entry."""
        return dict(self._call("POST", f"/journal/{seq}/resend"))

    def _call(
        self, method: str, path: str, body: JsonObject | None = None, params: dict[str, Any] | None = None
    ) -> Any:  # noqa: ANN401 - any JSON
        try:
            answer = self._http.request(method, path, json=body, params=params)
        except httpx.HTTPError as error:
            raise HarnessBroke(f"the simulated platform: {method} {path}: {error or type(error).__name__}") from error
        if answer.is_error:
            raise HarnessBroke(f"the simulated platform: {method} {path} answered {answer.status_code}: {answer.text}")
        return answer.json()
