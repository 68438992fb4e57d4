"""Stage 4: shoppers with phones at the gates. Each presents a picture of a code, shops, leaves, and gets a receipt."""

from __future__ import annotations

import time
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import qrcode

from jwo.demo.neighbourhood import Neighbourhood, call
from jwo.demo.stages import Stage
from jwo.errors import Broken
from jwo_contract.house import ScanKeyRules
from jwo_contract.scan_key import ScanKey, encode
from jwo_contract.values import format_instant
from simulator.worlds import Pick, Visit

_DELIVERED_WITHIN_S = 20.0
_VALID_FOR = timedelta(minutes=5)


@dataclass
class Day:
    """The counts of the day, and the PINs for the app."""

    pins: dict[str, str]
    pictures: dict[str, bytes] = field(default_factory=dict)
    lights: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    visitors: Counter[str] = field(default_factory=Counter)
    """The people who were let in, by the type in the connector's answer."""
    trips: dict[str, Visit] = field(default_factory=dict)
    slowest_ms: float = 0.0


def shoppers(here: Neighbourhood, stage: Stage) -> None:
    """Run the world's visits, and check every light, cart and receipt."""
    day = Day(_pins(here))
    for visit in here.world.visits:
        _visit(here, visit, day, stage)
    purchases = [_purchase(here, trip_id, stage) for trip_id in day.trips]
    receipts = [receipt for receipt in purchases if receipt and receipt["purchaseId"]]
    spent = _sum_of("total", receipts)
    people = len({visit.shopper for visit in here.world.visits})
    stage.expect(bool(receipts), "no purchase was made")
    stage.summary = (
        f"{sum(day.lights.values())} scans by {people} people: {day.lights['green']} let in, "
        f"{day.lights['red']} kept out; {len(day.trips)} carts became {len(receipts)} purchases worth {spent} USD"
    )
    stage.details.append(
        "decisions by cause: " + ", ".join(f"{cause} x {n}" for cause, n in sorted(day.causes.items()))
    )
    stage.details.append("let in by type: " + ", ".join(f"{kind} x {n}" for kind, n in sorted(day.visitors.items())))
    stage.details.append(_money(receipts))
    stage.details.append(f"slowest gate decision with an answer: {day.slowest_ms:.0f} ms of 2000")


def _money(receipts: list[dict[str, Any]]) -> str:
    """Return how the prices of all purchases add up, and who pays."""
    goods, off, tax, total = (_sum_of(name, receipts) for name in ("subtotal", "promotions", "tax", "total"))
    payers = Counter(receipt["payer"] for receipt in receipts)
    paid = ", ".join(f"{payer} x {n}" for payer, n in sorted(payers.items()))
    return f"receipts: {goods} USD of goods - {off} promotions + {tax} tax = {total} USD; who pays: {paid}"


def _sum_of(name: str, receipts: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(receipt[name]) for receipt in receipts), Decimal(0))


def _pins(here: Neighbourhood) -> dict[str, str]:
    """Read the PINs from the world file, which is also the retailer's file."""
    rows = tomllib.loads(here.world.file.read_text("utf-8")).get("shopper", [])
    return {row["id"]: row.get("pin", "") for row in rows}


def _visit(here: Neighbourhood, visit: Visit, day: Day, stage: Stage) -> None:
    picture = _picture(here, visit, day)
    decision = call(
        "POST", f"{here.platform_url}/gates/{visit.gate}/scans", content=picture, headers={"Content-Type": "image/png"}
    )
    _count(decision, day)
    day.slowest_ms = max(day.slowest_ms, decision["elapsedMs"] or 0.0)
    expected = ("green" if visit.opens else "red", visit.cause)
    stage.expect(
        (decision["light"], decision["cause"]) == expected,
        f"{visit.shopper} ({visit.kind}): expected {expected}, got {decision['light']}, {decision['cause']}",
    )
    if decision["opens"]:
        day.visitors[decision["visitor"]["type"]] += 1
        _shop(here, visit, decision, day)


def _picture(here: Neighbourhood, visit: Visit, day: Day) -> bytes:
    """Return the code that this shopper presents, as a PNG."""
    if visit.kind == "replayed_code":
        return day.pictures[visit.replays]
    if visit.kind == "unknown_key":
        rules = ScanKeyRules()
        return _qr(encode(ScanKey(rules.prefix, datetime.now(UTC), "f" * rules.token_digits), rules))
    if visit.kind == "foreign_code":
        return _qr("https://another-shop.example/coupon/17")
    request = {"issuedAt": format_instant(datetime.now(UTC) - _VALID_FOR)} if visit.kind == "expired_code" else None
    signed_in = {"shopper": visit.shopper, "pin": day.pins.get(visit.shopper, "")}
    call("POST", f"{here.connector_url}/app/session", signed_in)  # the client keeps the session's cookie
    picture: bytes = call("POST", f"{here.connector_url}/app/shoppers/{visit.shopper}/scan-key.png", request)
    day.pictures[visit.shopper] = picture
    return picture


def _shop(here: Neighbourhood, visit: Visit, decision: dict[str, Any], day: Day) -> None:
    trip = f"{here.platform_url}/trips/{decision['shoppingTripId']}"
    for pick in visit.picks:
        call("POST", f"{trip}/pick", _pick_body(pick))
    for pick in visit.put_backs:
        call("POST", f"{trip}/put-back", _pick_body(pick))
    call("POST", f"{trip}/leave")
    if visit.kind != "associate":
        day.trips[decision["shoppingTripId"]] = visit


def _pick_body(pick: Pick) -> dict[str, str]:
    return {"sku": pick.sku, "quantity": pick.quantity, "unit": pick.unit}


def _count(decision: dict[str, Any], day: Day) -> None:
    day.lights[decision["light"]] += 1
    day.causes[decision["cause"]] += 1


def _purchase(here: Neighbourhood, trip_id: str, stage: Stage) -> dict[str, Any] | None:
    """Wait for the delivery of a cart and return its receipt, which must have the delivery's purchase id."""
    deadline = time.monotonic() + _DELIVERED_WITHIN_S
    while True:
        deliveries = call("GET", f"{here.platform_url}/deliveries", params={"tripId": trip_id})
        if deliveries and deliveries[0]["state"] == "delivered":
            break
        if time.monotonic() > deadline:
            stage.problems.append(f"the cart of trip {trip_id[:8]} was not delivered: {deliveries}")
            return None
        time.sleep(0.02)
    operator = {"Authorization": f"Bearer {here.admin_token}"}
    receipt: dict[str, Any] = call("GET", f"{here.connector_url}/ops/receipts/{trip_id}", headers=operator)
    stage.expect(
        receipt["purchaseId"] == deliveries[0]["purchaseId"],
        f"the receipt of trip {trip_id[:8]} has another purchase id than the connector's answer",
    )
    return receipt


def _qr(text: str) -> bytes:
    try:
        image, target = qrcode.make(text), BytesIO()
        image.save(target)
    except (ValueError, OSError) as error:
        raise Broken(f"cannot draw a QR code: {error}") from error
    return target.getvalue()
