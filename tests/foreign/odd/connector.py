"""A conformant connector that is as odd and as strict as the rules allow.

Its answers have additional members; some are gzipped, some chunked, some take 1.5 s. Its refusals have no body, its ids
are not UUIDs, its keys work once. It chooses the statuses for malformed text, refused shoppers, and repeated and
changed carts; its profile declares them under [house].
"""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import re
import secrets
import threading
import time
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STORE = "Ⅷ · 東京/渋谷"
SLOW_S, SLOW_EVERY = 1.5, 100
UUID = "[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
LARGEST = 8_000_000
guard = threading.Lock()
arrivals = itertools.count(1)
issued: dict[str, str] = {}
spent: dict[str, str] = {}
decided: dict[str, tuple[int, Any]] = {}
bought: dict[str, tuple[str, Any]] = {}
tapped: dict[Any, bool] = {}
resolved: dict[str, bool] = {}


class Refused(Exception):
    def __init__(self, status: int = 400) -> None:
        super().__init__(status)
        self.status = status


class Reading:
    """A part of a body with checks of its members; each raises Refused if the member is not valid."""

    def __init__(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise Refused
        self.value = value

    def text(self, name: str, form: str = ".*", most: int = 255, least: int = 1) -> str | None:
        given = self.value.get(name)
        if given is None and not least:
            return None
        if not isinstance(given, str) or not least <= len(given) <= most or not re.fullmatch(form, given, re.DOTALL):
            raise Refused
        return given

    def instant(self, name: str, least: int = 1) -> datetime:
        given = self.text(name, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", least=least)
        try:
            return datetime.fromisoformat(given or "1970-01-01T00:00:00Z")
        except ValueError as error:
            raise Refused from error

    def part(self, name: str, *, needed: bool = True) -> Reading:
        given = self.value.get(name)
        return Reading({} if given is None and not needed else given)

    def parts(self, name: str, *, needed: bool = True) -> list[Reading]:
        given = self.value.get(name)
        if given is None and not needed:
            return []
        if not isinstance(given, list):
            raise Refused
        return [Reading(each) for each in given]


def read(raw: bytes) -> Reading:
    body = parsed(raw)
    body.text("requestId", UUID)
    return body


def parsed(raw: bytes) -> Reading:
    if not raw:
        raise Refused
    try:
        body = Reading(json.loads(raw.decode("utf-8"), object_pairs_hook=once, parse_constant=no_number))
    except Refused as refusal:
        raise Refused(422 if raw.lstrip()[:1] != b"{" else refusal.status) from refusal
    except (ValueError, RecursionError) as error:
        raise Refused(422) from error
    if body.text("storeId") != STORE:
        raise Refused
    return body


def once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of these members. Raises ValueError if a name is repeated."""
    if len(dict(members)) < len(members):
        raise ValueError("a member is repeated")
    return dict(members)


def no_number(name: str) -> float:
    raise ValueError(name)


def scan(raw: bytes) -> tuple[int, Any]:
    body = read(raw)
    key = body.text("identityKey", "[A-Za-z0-9+/]+={0,2}", 1000) or ""
    try:
        code = base64.b64decode(key, validate=True).hex()
    except ValueError as error:
        raise Refused from error
    event = body.part("authEvent")
    event_id = event.text("id", UUID) or ""
    event.instant("timestamp")
    event.text("location", "ENTRY")
    body.text("keyChannel", "OPTICAL|CONTACT|RADIO", least=0)
    with guard:
        if event_id not in decided:
            decided[event_id] = decide(code, event_id)
        return decided[event_id]


def decide(code: str, event_id: str) -> tuple[int, Any]:
    kind = issued.get(code)
    if kind is None:
        return 401, None
    if kind == "refused" or spent.setdefault(code, event_id) != event_id:
        return 403, None
    visitor = {
        "type": kind.upper(),
        "name": None,
        "id": f'顧客 №{len(spent)} <&> "{code[:4]}"',
        "tags": ["x", {"y": 1}],
    }
    return 200, {"trace": {"took": 0.25}, "visitorDetails": visitor, "greeting": "いらっしゃいませ"}


def cart(raw: bytes) -> tuple[int, Any]:
    body = read(raw)
    trip_id = body.text("idempotentShoppingTripId") or ""
    trip = body.part("shoppingTrip")
    if trip.instant("endTime") < trip.instant("startTime"):
        raise Refused
    for event in trip.parts("authEvents"):
        check_event(event)
    body.part("shopperIdentity", needed=False).text("id", least=0)
    body.text("shopperDeviceId", least=0)
    body.part("paymentSource", needed=False).text("id", most=10_000, least=0)
    lines = body.parts("cartItems")
    named = [name for name in map(check_line, lines) if name]
    if len(named) > len(set(named)):
        raise Refused
    known_members = {name: value for name, value in body.value.items() if name in CART_MEMBERS}
    return record(trip_id, known_members, empty=not lines)


CART_MEMBERS = {"storeId", "shoppingTrip", "cartItems", "shopperIdentity", "shopperDeviceId"}


def record(trip_id: str, content: Any, *, empty: bool) -> tuple[int, Any]:
    with guard:
        if trip_id not in bought:
            number = "" if empty else f"領収書/{len(bought):09}?#%20" + "x" * 200
            bought[trip_id] = (number, content)
            return 201, {"purchaseId": number, "points": 12, "lines": []}
        number, first = bought[trip_id]
        return (200, {"purchaseId": number, "again": True}) if first == content else (409, None)


def check_event(event: Reading) -> None:
    event.text("id", "[0-9a-zA-Z_.-]+")
    event.instant("timestamp", least=0)
    event.text("location", "ENTRY|EXIT|MANUAL_IN_STORE", least=0)
    event.text("payloadType", "FINANCIAL|SCAN_CODE")
    result = event.part("scanResult", needed=False)
    result.text("id", least=0)
    result.text("type", "SHOPPER|ASSOCIATE|CASH|CASH_SHOPPER|LOYALTY", least=0)


def check_line(line: Reading) -> str | None:
    line.text("id")
    line.text("type", "SKU|SCANCODE")
    quantity = line.part("quantity")
    quantity.text("value", r"[0-9]+(\.[0-9]+)?", 10)
    quantity.text("unit", most=10_000)
    for identifier in line.parts("externalIdentifiers", needed=False):
        identifier.text("id", least=0)
        identifier.text("type", "UPC|EAN|EAN8|ISBN|GTIN|PLU", least=0)
    return line.text("lineItemId", least=0)


def card(raw: bytes) -> tuple[int, Any]:
    """Answer a tap with a decision, and with an additional member, its own number."""
    body = parsed(raw)
    identity = body.part("shopperIdentity").text("id", most=10_000) or ""
    amount = body.part("authorizedAmount", needed=False)
    amount.text("currencyCode", "[A-Z]{3}", least=0)
    interaction = body.part("shopperInteraction", needed=False)
    interaction.text("shoppingTripId", most=10_000, least=0)
    tap = interaction.part("gateAuthenticationEvent", needed=False)
    tap.instant("timestamp", least=0)
    event = (interaction.value.get("shoppingTripId"), tap.value.get("id"))
    with guard:
        welcome = tapped.setdefault(event, identity.startswith("友")) if all(event) else identity.startswith("友")
    return 200, {"decision": next(arrivals), "shopperAuthorized": welcome, "shopperRisks": None}


def resolve(raw: bytes) -> tuple[int, Any]:
    """Answer a loyalty scan in the wrapped form."""
    body = read(raw)
    event = body.part("scanEvent")
    event_id = event.text("id", most=10_000) or ""
    event.instant("timestamp", least=0)
    event.text("location", "ENTRY|EXIT", least=0)
    channel = event.text("channel", "OPTICAL|CONTACT|RADIO", least=0)
    value = (event.text("value", most=10_000, least=0) or event_id).strip()
    try:
        content = value if channel == "RADIO" else base64.b64decode(value, validate=True).decode()
    except ValueError as error:
        if event.value.get("value"):
            raise Refused from error
        content = ""
    with guard:
        known = resolved.setdefault(event_id, content.startswith("会員"))
    result = (
        {"scanResult": {"id": "会員/1", "type": "LOYALTY", "since": 1999}, "points": next(arrivals)} if known else {}
    )
    return 200, {"resolution": "ACCEPT" if known else "REJECT", **result}


def details(raw: bytes) -> tuple[int, Any]:
    question = parsed(raw).part("scanResult")
    question.text("type", "SHOPPER|ASSOCIATE|CASH|LOYALTY")
    if question.text("id") != "会員/1":
        return 404, None
    return 200, {"provider": "会", "promotionIds": ["1", "", "割引"], "tier": {"name": "gold"}}


def mint(kind: str) -> tuple[int, Any]:
    """Return a new code of a kind; a `used` one has already opened a gate."""
    code = secrets.token_bytes(48)
    with guard:
        issued[code.hex()] = "shopper" if kind == "used" else kind
        if kind == "used":
            spent[code.hex()] = "some earlier event"
    return 200, {"identityKey": base64.b64encode(code).decode(), "valid": "once"}


ROUTES = {
    "/v1/identity/identity-keys": scan,
    "/v1/order/purchases": cart,
    "/v1/fraudandabuse/shopperauthorization": card,
    "/v1/identity/scan": resolve,
    "/v1/identity/scan/details": details,
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.reply(*(mint(self.path.removeprefix("/mint/")) if self.path.startswith("/mint/") else (404, None)))

    def do_POST(self) -> None:
        arrival = next(arrivals)
        size = int(self.headers.get("content-length") or 0)
        if size > LARGEST or "transfer-encoding" in self.headers:
            self.close_connection = True
            self.reply(411 if size <= LARGEST else 413, None)
            return
        raw = self.received(size)
        if len(raw) < size:
            self.close_connection = True
            return
        if self.headers.get_content_type() != "application/json":
            self.reply(415, None)
            return
        if arrival % SLOW_EVERY == 0:
            time.sleep(SLOW_S)
        self.reply(*self.outcome(raw))

    def received(self, size: int) -> bytes:
        """Return the body, or the bytes before the caller closed the connection."""
        try:
            return self.rfile.read(size)
        except ConnectionError:
            return b""

    def outcome(self, raw: bytes) -> tuple[int, Any]:
        route = ROUTES.get(self.path)
        try:
            return route(raw) if route else (404, None)
        except Refused as refusal:
            return refusal.status, None

    def reply(self, status: int, answer: Any) -> None:
        payload = b"" if answer is None else json.dumps(answer, ensure_ascii=False, indent=3).encode() + b"\r\n"
        self.send_response(status, "As You Like It")
        if payload:
            self.send_header("content-TYPE", 'application/json;  Charset="UTF-8"')
        if payload and status == 200 and "gzip" in self.headers.get("accept-encoding", ""):
            payload = gzip.compress(payload)
            self.send_header("Content-Encoding", "gzip")
        if status == 201:
            self.send_header("Transfer-Encoding", "chunked")
            half = len(payload) // 2
            payload = b"".join(
                b"%x;odd=1\r\n%s\r\n" % (len(each), each) for each in (payload[:half], payload[half:], b"")
            )
        else:
            self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
