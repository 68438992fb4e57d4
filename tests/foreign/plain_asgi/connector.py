"""A conformant connector as a plain ASGI app: it checks members by a table, and answers in one task."""

from __future__ import annotations

import base64
import itertools
import json
import re
import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import uvicorn

ABSENT = object()
BELOW = "/retail/jwo-gates"
Check = Callable[[Any], bool]


def text(most: int = 255, least: int = 1) -> Check:
    return lambda value: isinstance(value, str) and least <= len(value) <= most


def like(pattern: str, most: int = 255) -> Check:
    return lambda value: text(most)(value) and re.fullmatch(pattern, value) is not None


def word(*words: str) -> Check:
    return lambda value: isinstance(value, str) and value in words


def kind(wanted: type) -> Check:
    return lambda value: isinstance(value, wanted)


def instant(value: Any) -> bool:
    try:
        return "T" in value and datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def encoded(value: Any) -> bool:
    try:
        return text(1000)(value) and bool(base64.b64decode(value, validate=True))
    except ValueError:
        return False


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


UUID = like("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
COMMON = {"requestId!": UUID, "storeId!": word("14", "15")}
SCAN = COMMON | {
    "identityKey!": encoded,
    "authEvent!": kind(dict),
    "authEvent.id!": UUID,
    "authEvent.timestamp!": instant,
    "authEvent.location!": word("ENTRY"),
    "keyChannel": word("OPTICAL", "CONTACT", "RADIO"),
}
EVENT, ITEM = "shoppingTrip.authEvents[]", "cartItems[]"
CART = COMMON | {
    "idempotentShoppingTripId!": text(),
    "shoppingTrip!": kind(dict),
    "shoppingTrip.startTime!": instant,
    "shoppingTrip.endTime!": instant,
    "shoppingTrip.authEvents!": kind(list),
    f"{EVENT}!": kind(dict),
    f"{EVENT}.id!": like("[0-9a-zA-Z_.-]+"),
    f"{EVENT}.timestamp": instant,
    f"{EVENT}.location": word("ENTRY", "EXIT", "MANUAL_IN_STORE"),
    f"{EVENT}.payloadType!": word("FINANCIAL", "SCAN_CODE"),
    f"{EVENT}.scanResult": kind(dict),
    f"{EVENT}.scanResult.id": text(least=0),
    f"{EVENT}.scanResult.type": word("SHOPPER", "ASSOCIATE", "CASH", "CASH_SHOPPER", "LOYALTY"),
    "shopperIdentity": kind(dict),
    "shopperIdentity.id": text(least=0),
    "shopperDeviceId": text(least=0),
    "paymentSource": kind(dict),
    "paymentSource.id": text(10_000, least=0),
    "cartItems!": kind(list),
    f"{ITEM}!": kind(dict),
    f"{ITEM}.id!": text(),
    f"{ITEM}.type!": word("SKU", "SCANCODE"),
    f"{ITEM}.quantity!": kind(dict),
    f"{ITEM}.quantity.value!": like(r"[0-9]+(\.[0-9]+)?", 10),
    f"{ITEM}.quantity.unit!": text(10_000),
    f"{ITEM}.lineItemId": text(least=0),
    f"{ITEM}.externalIdentifiers": kind(list),
    f"{ITEM}.externalIdentifiers[]!": kind(dict),
    f"{ITEM}.externalIdentifiers[].id": text(least=0),
    f"{ITEM}.externalIdentifiers[].type": word("UPC", "EAN", "EAN8", "ISBN", "GTIN", "PLU"),
}
STORE = {"storeId!": COMMON["storeId!"]}
TAP, OPINION = "shopperInteraction.gateAuthenticationEvent", "shopperInteraction.recommendation"
CARD = STORE | {
    "shopperIdentity!": kind(dict),
    "shopperIdentity.id!": text(10_000),
    "authorizedAmount": kind(dict),
    "authorizedAmount.value": number,
    "authorizedAmount.currencyCode": like("[A-Z]{3}"),
    "shopperInteraction": kind(dict),
    "shopperInteraction.shoppingTripId": text(10_000, least=0),
    TAP: kind(dict),
    f"{TAP}.id": text(10_000, least=0),
    f"{TAP}.type": text(10_000, least=0),
    f"{TAP}.interactionType": text(10_000, least=0),
    f"{TAP}.timestamp": instant,
    f"{TAP}.location": text(10_000, least=0),
    f"{TAP}.data": kind(dict),
    OPINION: kind(dict),
    f"{OPINION}.shopperAuthorized": kind(bool),
    f"{OPINION}.authorizationConditions": kind(list),
    f"{OPINION}.shopperRisks": kind(list),
    f"{OPINION}.shopperRisks[]": text(10_000, least=0),
    "shopperInteraction.cartHint": kind(dict),
}
RESOLVE = STORE | {
    "requestId!": UUID,
    "scanEvent!": kind(dict),
    "scanEvent.id!": text(10_000),
    "scanEvent.timestamp": instant,
    "scanEvent.location": word("ENTRY", "EXIT"),
    "scanEvent.value": text(10_000, least=0),
    "scanEvent.channel": word("OPTICAL", "CONTACT", "RADIO"),
}
DETAILS = STORE | {
    "scanResult!": kind(dict),
    "scanResult.id!": text(),
    "scanResult.type!": word("SHOPPER", "ASSOCIATE", "CASH", "LOYALTY"),
}
LESS = [{"type": "ADJUST", "amount": {"value": 12.5, "currencyCode": "NOK"}}]
CARDS = {
    "card 1": {"shopperAuthorized": True},
    "card 2": {"shopperAuthorized": True, "authorizationConditions": LESS, "shopperRisks": []},
    "card 13": {"shopperAuthorized": False, "shopperRisks": ["BadDebt"]},
    "card 14": {"shopperAuthorized": False, "shopperRisks": ["InvalidCard"]},
}
BONUS_CARDS = {b"bonus 99": "bonus/99"}
MEMBERS = {
    b"member 4711": ("4711", "SHOPPER"),
    b"clerk 2": ("2", "ASSOCIATE"),
    b"coins": ("walk-in", "CASH_SHOPPER"),
    b"0042": ("2", "ASSOCIATE"),
}
numbers = itertools.count(100_000)
gate: dict[str, tuple[int, Any]] = {}
orders: dict[str, str] = {}
taps: dict[tuple[str, str], Any] = {}
resolved: dict[str, dict[str, str]] = {}


def found(value: Any, steps: list[str]) -> Iterator[Any]:
    if not steps:
        yield value
    elif steps[0] == "[]":
        for entry in value if isinstance(value, list) else ():
            yield from found(entry, steps[1:])
    elif isinstance(value, dict):
        member = value.get(steps[0])
        if member is not None:
            yield from found(member, steps[1:])
        elif len(steps) == 1:
            yield ABSENT


def keeps(table: dict[str, Check], body: Any) -> bool:
    for path, check in table.items():
        steps = re.findall(r"\w+|\[\]", path)
        for value in found(body, steps):
            if path.endswith("!") if value is ABSENT else not check(value):
                return False
    return isinstance(body, dict)


def scan(body: Any) -> tuple[int, Any]:
    if not keeps(SCAN, body):
        return 400, {"errorMsg": "this is no scan"}
    visitor = MEMBERS.get(base64.b64decode(body["identityKey"]))
    entered = (
        (200, {"visitorDetails": {"id": visitor[0], "type": visitor[1]}}) if visitor else (401, {"errorMsg": "no"})
    )
    return gate.setdefault(body["authEvent"]["id"].lower(), entered)


def cart(body: Any) -> tuple[int, Any]:
    if not keeps(CART, body) or turned_round(body["shoppingTrip"]) or doubled(body["cartItems"]):
        return 400, {"errorMsg": "this is no cart"}
    trip = body["idempotentShoppingTripId"]
    if trip not in orders:
        orders[trip] = f"R-{next(numbers)}" if body["cartItems"] else ""
    return 201, {"purchaseId": orders[trip]}


def turned_round(visit: Any) -> bool:
    return datetime.fromisoformat(visit["endTime"]) < datetime.fromisoformat(visit["startTime"])


def doubled(lines: Any) -> bool:
    named = [line["lineItemId"] for line in lines if line.get("lineItemId")]
    return len(named) > len(set(named))


def card(body: Any) -> tuple[int, Any]:
    if not keeps(CARD, body):
        return 400, {"errorMsg": "this is no card"}
    interaction = body.get("shopperInteraction") or {}
    trip, tap = interaction.get("shoppingTripId"), (interaction.get("gateAuthenticationEvent") or {}).get("id")
    decision = CARDS.get(body["shopperIdentity"]["id"], {"shopperAuthorized": False})
    return 200, taps.setdefault((trip, tap), decision) if trip and tap else decision


def resolve(body: Any) -> tuple[int, Any]:
    if not keeps(RESOLVE, body):
        return 400, {"errorMsg": "this is no scan"}
    event = body["scanEvent"]
    data = (event.get("value") or event["id"]).strip()
    try:
        content = data.encode() if event.get("channel") == "RADIO" else base64.b64decode(data, validate=True)
    except ValueError:
        if event.get("value"):
            return 400, {"errorMsg": "this is no Base64"}
        content = b""
    name = BONUS_CARDS.get(content)
    fresh = {"action": "ACCEPT", "id": name, "type": "LOYALTY"} if name else {"action": "REJECT"}
    return 200, resolved.setdefault(event["id"], fresh)


def details(body: Any) -> tuple[int, Any]:
    if not keeps(DETAILS, body):
        return 400, {"errorMsg": "this is no question"}
    if body["scanResult"]["id"] not in BONUS_CARDS.values():
        return 404, {"errorMsg": "nobody"}
    return 200, {"provider": "Bonus AS", "promotionIds": []}


ROUTES = {
    "/v1/identity/identity-keys": scan,
    "/v1/order/purchases": cart,
    "/v1/fraudandabuse/shopperauthorization": card,
    "/v1/identity/scan": resolve,
    "/v1/identity/scan/details": details,
}


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    raw, more = b"", True
    while more:
        message = await receive()
        raw, more = raw + message.get("body", b""), message.get("more_body", False)
    status, answer = answered(scope, raw)
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


def answered(scope: Any, raw: bytes) -> tuple[int, Any]:
    route = ROUTES.get(scope["path"].removeprefix(BELOW)) if scope["path"].startswith(BELOW) else None
    if route is None:
        return 404, {"errorMsg": "nothing here"}
    if scope["method"] != "POST":
        return 405, {"errorMsg": "POST, please"}
    try:
        return route(json.loads(raw))
    except (ValueError, RecursionError):
        return 400, {"errorMsg": "this is no JSON"}


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}{BELOW}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off")).run(sockets=[listener])
