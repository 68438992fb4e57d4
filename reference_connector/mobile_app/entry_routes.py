"""The app's routes about entries: whether a code opened the gate, what keeps a shopper out, and the sample accounts.

POST /app/shoppers/{id}/entry    {"codes": […]}: {"opened": true if one of the codes opened the gate, "closed": why,
                                 "closedAt": the instant of the refused scan, if `closed` is about one}
GET  /app/samples                {"accounts": [{"id", "name", "pin", "about"}]}, if test keys are on
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from jwo_contract.errors import BadValue, ContractError
from jwo_contract.house import ScanKeyRules
from jwo_contract.messages import parse_object
from jwo_contract.scan_key import decode
from reference_connector.errors import InvalidRequest
from reference_connector.mobile_app import closed_gate
from reference_connector.mobile_app.mint import trouble_of
from reference_connector.mobile_app.routes import app_json, read_app_body
from reference_connector.refused_scans import RefusedScans
from reference_connector.retailer import CurrentRetailer, Retailer
from reference_connector.scan_keys import Refusal, owes_too_much
from reference_connector.store import Records, Store

_MOST_CODES = 4
_OF_ACCOUNT = frozenset({Refusal.FLAGGED, Refusal.OWES})
"""What the present account decides, and not the last scan: the shopper may have paid since."""

_ABOUT = {
    "flagged": "is blocked by the store: the gate stays closed",
    "in_debt": "owes an old bill: the gate stays closed",
    "declined": "has a card that is declined: the gate stays closed",
    "declined_after_trip": "has a card that fails after a trip: shop, then pay the debt here",
}
_ABOUT_TYPES = {
    "SHOPPER": "shops, and has no means of payment on record",
    "ASSOCIATE": "works in the store",
    "CASH_SHOPPER": "pays cash",
}
_PAYS = "shops, and pays by card"


def entry_routes(retailer: CurrentRetailer, store: Store, rules: ScanKeyRules, refused: RefusedScans) -> APIRouter:
    """Make the route for the entries of a signed-in shopper."""
    routes = APIRouter(prefix="/app/shoppers/{shopper_id}")

    def find(records: Records, shopper_id: str, tokens: list[str]) -> dict[str, object]:
        """Return what the app shows. This is a unit of work."""
        codes = [found for token in tokens if (found := records.find_code(token))]
        opened = any(code.used_by and code.shopper_id == shopper_id for code in codes)
        account, policy = retailer.current.accounts[shopper_id], retailer.current.policy
        last = refused.last(records, shopper_id)
        if account.flagged:
            closed = {"closed": closed_gate.ASK_THE_STORE}
        elif owes_too_much(account, records.debt_of(shopper_id), policy):
            closed = {"closed": closed_gate.OWES}
        elif last is not None and last.refusal not in _OF_ACCOUNT:
            closed = {"closed": closed_gate.WORDS.get(last.refusal, closed_gate.ASK_THE_STORE), "closedAt": last.at}
        else:
            closed = {"closed": closed_gate.BUSY if refused.gate_was_busy(records) and not opened else ""}
        return {"opened": opened, **closed}

    @routes.post("/entry")
    async def entry(shopper_id: str, request: Request) -> Response:
        tokens = _tokens(await read_app_body(request), rules)
        return app_json(await store.transact(find, shopper_id, tokens))

    return routes


def sample_routes(retailer: CurrentRetailer) -> APIRouter:
    """Make the route that names the sample accounts, with their PINs: for a demonstration only."""
    routes = APIRouter()

    @routes.get("/app/samples")
    async def samples() -> Response:
        return app_json({"accounts": _samples(retailer.current)})

    return routes


def _samples(retailer: Retailer) -> list[dict[str, str]]:
    """Return the first account that shows each thing."""
    first: dict[str, dict[str, str]] = {}
    for shopper_id, account in retailer.accounts.items():
        pin, kind = account.pin.get_secret_value(), account.visitor.type
        trouble = trouble_of(account, retailer.policy)
        usual = _PAYS if kind == "SHOPPER" and account.payment_method else _ABOUT_TYPES[kind]
        about = _ABOUT[trouble] if trouble else usual
        if pin:
            first.setdefault(about, {"id": shopper_id, "name": shopper_id, "pin": pin, "about": about})
    return list(first.values())


def _tokens(body: bytes, rules: ScanKeyRules) -> list[str]:
    """Read the tokens of the codes. Raises InvalidRequest if the body has no list of codes."""
    try:
        codes = parse_object(body).get("codes")
        if not isinstance(codes, list) or len(codes) > _MOST_CODES or not all(isinstance(each, str) for each in codes):
            raise InvalidRequest(f"the body needs codes, a list of at most {_MOST_CODES} texts")
        return [decode(code, rules).token for code in codes]
    except (BadValue, ContractError) as error:
        raise InvalidRequest(str(error)) from error
