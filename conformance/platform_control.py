"""A client of the simulated platform's control API. An error here is a fault of the kit, never of the connector."""

from __future__ import annotations

import json
from collections.abc import Iterable
from types import TracebackType
from typing import Any, NamedTuple, Self, TypedDict
from urllib.parse import quote

import httpx

from conformance.errors import HarnessBroke
from jwo_contract.profile_connector import ConnectorTable
from jwo_contract.sigv4 import Key
from jwo_toolkit.json_types import JsonObject
from jwo_toolkit.keep_alive import LIMITS

_CALL_TIMEOUT_S = 60.0
"""Longer than the limit of a gate and of a resent message together."""
_JOURNAL_LIMIT = 10_000
_NOT_FOUND = 404


class Fault(NamedTuple):
    """A fault to arm: its name in the platform's list, its amount, and the exchanges that it applies to.

    It skips `after` exchanges of an operation, then applies to the next `times`, or to the share `rate`. None keeps
    the platform's default.
    """

    name: str
    amount: float | None = None
    times: int | None = None
    rate: float | None = None
    after: int | None = None
    operation: str | None = None


class Visitor(TypedDict):
    """The visitor in a connector's answer."""

    id: str
    type: str


class Decision(TypedDict, total=False):
    """The decision of a gate about a key."""

    opens: bool
    light: str
    cause: str
    authEventId: str
    shoppingTripId: str | None
    visitor: Visitor | None


class Attempt(TypedDict):
    """One attempt to deliver a cart."""

    outcome: str
    status: int | None


class Delivery(TypedDict, total=False):
    """The delivery of a cart; `state` is pending, delivered or dead_letter."""

    state: str
    attempts: list[Attempt]


class AccountSetup(NamedTuple):
    """The data of a retailer's AWS account that the portal stores; an account for catalogs has a queue."""

    retailer: str
    key: Key
    queue_arn: str = ""


class PlatformControl:
    """One client of the control API; safe to use from several threads. Use it as a context manager."""

    def __init__(self, url: str) -> None:
        plain = httpx.HTTPTransport(verify=False, limits=LIMITS)  # the platform runs on this machine, without TLS
        self._http = httpx.Client(base_url=url, timeout=_CALL_TIMEOUT_S, transport=plain, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def set_up_store(self, store_id: str, gates: Iterable[str], connector: ConnectorTable) -> None:
        """Set up a store, with its connector for all calls."""
        target = {"url": connector.url, "auth": connector.auth, "headers": connector.headers}
        setup = {"retailer": store_id, "connector": target, "gates": list(gates), "qrPattern": ""}
        self._call("PUT", f"/portal/stores/{quote(store_id, safe='')}", setup)

    def set_up_catalog_store(self, store_id: str, retailer: str) -> None:
        """Set up a store of a retailer, for catalog uploads only."""
        self._call("PUT", f"/portal/stores/{quote(store_id, safe='')}", {"retailer": retailer})

    def set_up_card_store(self, store_id: str, retailer: str, connector_url: str = "") -> str:
        """Set up a store that opens for every card, and return its gate. A cart goes to the connector."""
        gate = f"{store_id}-GATE"
        setup = {"retailer": retailer, "gates": [gate], "methods": ["card"], "strategy": "none"}
        connector = {"connector": {"url": connector_url, "auth": "none"}} if connector_url else {}
        self._call("PUT", f"/portal/stores/{quote(store_id, safe='')}", {**setup, **connector})
        return gate

    def set_up_account(self, account_id: str, account: AccountSetup) -> None:
        """Allow-list an AWS account. The platform sends the SubscriptionConfirmation to its queue."""
        key = account.key
        setup = {
            "retailer": account.retailer,
            "accessKeyId": key.access_key_id,
            "secretAccessKey": key.secret_access_key,
            "sessionToken": key.session_token,
            "queueArn": account.queue_arn or None,
        }
        self._call("PUT", f"/portal/accounts/{account_id}", setup)

    def subscription_status(self, account_id: str) -> str:
        """Return the status of an account's subscription, as the portal shows it."""
        return str(self._call("GET", f"/portal/accounts/{account_id}")["subscriptionStatus"])

    def arm(self, fault: Fault, **where: str) -> str:
        """Arm a fault for the exchanges of a store, gate, trip or account, and return its id."""
        chosen = {name: value for name, value in fault._asdict().items() if value is not None and name != "operation"}
        if fault.operation is not None:
            where["operation"] = fault.operation
        return str(self._call("POST", "/faults", {**chosen, "where": where})["id"])

    def disarm(self, fault_id: str) -> None:
        """Disarm a fault."""
        self._call("DELETE", f"/faults/{fault_id}")

    def armed(self) -> set[str]:
        """Return the ids of the armed faults that can still apply."""
        return {str(fault["id"]) for fault in self._call("GET", "/faults")}

    def scan(self, gate: str, identity_key: str) -> Decision:
        """Show a key at a gate and return the gate's decision."""
        decision: Decision = self._call("POST", f"/gates/{gate}/scans", {"identityKey": identity_key})
        return decision

    def tap(self, gate: str, card: str) -> str:
        """Tap a card at a gate and return the id of the trip. Raises HarnessBroke if the gate stays closed."""
        decision: Decision = self._call("POST", f"/gates/{gate}/cards", {"instrument": card})
        if not decision["opens"]:
            raise HarnessBroke(f"the gate {gate} of the simulated platform stays closed for a card: {decision}")
        return str(decision["shoppingTripId"])

    def charge(self, trip_id: str) -> JsonObject | None:
        """Return the charge of a trip; None if no call has touched it."""
        path = f"/trips/{trip_id}/charge"
        answer = self._answered("GET", path)
        return None if answer.status_code == _NOT_FOUND else dict(self._checked("GET", path, answer).json())

    def calls(self, account_id: str, stores: Iterable[str]) -> list[JsonObject]:
        """Return the journal's entries of a retailer's calls: those of its account, and any that name its stores."""
        searches = [{"account": account_id}, *({"store": store} for store in stores)]
        found = [each for search in searches for each in self.journal(kind="retailer_call", **search)]
        return list({entry["seq"]: entry for entry in found}.values())

    def subscribe_to_files(self, retailer: str, queue_arn: str) -> None:
        """Announce a retailer's intra-day files to a queue from now on."""
        self._call("PUT", f"/portal/merchants/{retailer}/intra-day", {"queueArn": queue_arn})

    def files_of(self, retailer: str) -> int:
        """Return how many intra-day files a retailer has."""
        return int(self._call("GET", f"/portal/merchants/{retailer}/intra-day")["files"])

    def advance(self, seconds: float) -> None:
        """Move the platform's clock forward."""
        self._call("PUT", "/clock", {"advanceS": seconds})

    def pick(self, trip_id: str, sku: str, quantity: int) -> None:
        """Pick items from a shelf."""
        self._call("POST", f"/trips/{trip_id}/pick", {"sku": sku, "quantity": str(quantity)})

    def leave(self, trip_id: str) -> None:
        """Leave the store. When this returns, the platform has begun to deliver the cart."""
        self._call("POST", f"/trips/{trip_id}/leave")

    def delivery(self, trip_id: str) -> Delivery:
        """Return the state of the delivery of a trip's cart. Raises HarnessBroke if the platform knows none."""
        found: list[Delivery] = self._call("GET", f"/deliveries?tripId={trip_id}")
        if not found:
            raise HarnessBroke(f"the platform knows no delivery for trip {trip_id}")
        return found[0]

    def redrive(self, trip_id: str) -> None:
        """Deliver a cart of the dead-letter list again."""
        self._call("POST", f"/deliveries/{trip_id}/redrive")

    def journal(self, **about: str) -> list[JsonObject]:
        """Return the journal's entries of a trip or a gate, oldest first."""
        return list(self._call("GET", "/journal", params={**about, "limit": _JOURNAL_LIMIT}))

    def entries(self, *kinds: str) -> list[JsonObject]:
        """Return the journal's entries of some kinds, of all accounts, oldest first."""
        return [entry for entry in self._lines("/journal.ndjson") if entry["kind"] in kinds]

    def resend(self, seq: int) -> JsonObject:
        """Send an exchange of the journal again, unchanged, and return the new entry."""
        return dict(self._call("POST", f"/journal/{seq}/resend"))

    def catalog(self, store_id: str) -> list[JsonObject]:
        """Return all items of a store, unchanged since their upload."""
        return self._lines(f"/stores/{quote(store_id, safe='')}/catalog.ndjson")

    def report(self, link: str) -> list[JsonObject]:
        """Follow the link of an ingestion's report and return its rows."""
        return list(self._call("GET", link)["items"])

    def _lines(self, path: str) -> list[JsonObject]:
        return [json.loads(line) for line in self._answer("GET", path).content.splitlines()]

    def _call(
        self, method: str, path: str, body: JsonObject | None = None, params: dict[str, Any] | None = None
    ) -> Any:  # noqa: ANN401 - any JSON
        return self._answer(method, path, body, params).json()

    def _answer(
        self, method: str, path: str, body: JsonObject | None = None, params: dict[str, Any] | None = None
    ) -> httpx.Response:
        return self._checked(method, path, self._answered(method, path, body, params))

    def _answered(
        self, method: str, path: str, body: JsonObject | None = None, params: dict[str, Any] | None = None
    ) -> httpx.Response:
        try:
            return self._http.request(method, path, json=body, params=params)
        except httpx.HTTPError as error:
            raise HarnessBroke(f"the simulated platform: {method} {path}: {error or type(error).__name__}") from error

    def _checked(self, method: str, path: str, answer: httpx.Response) -> httpx.Response:
        if answer.is_error:
            raise HarnessBroke(f"the simulated platform: {method} {path} answered {answer.status_code}: {answer.text}")
        return answer
