"""A conformant connector in Flask with a thread for each call, written from the published rules alone."""

from __future__ import annotations

import base64
import hmac
import logging
import os
import re
import threading
import time
import uuid
from datetime import datetime
from typing import Any

from flask import Flask, request
from werkzeug.serving import make_server

app = Flask(__name__)
lock = threading.Lock()
decisions: dict[str, Any] = {}
purchases: dict[str, str] = {}
KEYS = {b"blue-card-7": ("guest/7", "SHOPPER"), b"staff-1": ("employee 1", "ASSOCIATE")}
UUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


MOST_CALLS_A_SECOND = int(os.environ.get("SHOP_CALLS_A_SECOND", "100"))
arrivals: list[float] = []


@app.before_request
def admit() -> Any:
    if not hmac.compare_digest(request.headers.get("X-Shop-Key", "").encode(), os.environ["SHOP_KEY"].encode()):
        return "", 403
    now = time.monotonic()
    with lock:
        arrivals[:] = [each for each in arrivals if each > now - 1] + [now]
        return ("", 429) if len(arrivals) > MOST_CALLS_A_SECOND else None


class Wrong(Exception):
    pass


@app.errorhandler(Wrong)
@app.errorhandler(400)
def refuse(_error: Exception) -> Any:
    return "", 400


def text(holder: Any, name: str, most: int = 255, among: str = "", pattern: str = "", *, need: bool = True) -> str:
    value = holder.get(name) if isinstance(holder, dict) else None
    if value is None and not need:
        return ""
    if not isinstance(value, str) or (need and not value) or len(value) > most:
        raise Wrong
    if (among and value not in among.split()) or (pattern and not re.fullmatch(pattern, value)):
        raise Wrong
    return value


def instant(holder: Any, name: str, *, need: bool = True) -> datetime | None:
    written = text(holder, name, need=need)
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        raise Wrong from error
    if moment.tzinfo is None or "T" not in written:
        raise Wrong
    return moment


def sub(holder: Any, name: str, kind: type, *, need: bool = True) -> Any:
    value = holder.get(name)
    if value is None and not need:
        return kind()
    if not isinstance(value, kind):
        raise Wrong
    return value


def envelope() -> dict[str, Any]:
    body = request.get_json(force=True)
    if not isinstance(body, dict) or not UUID.fullmatch(text(body, "requestId")) or text(body, "storeId") != "oslo-3":
        raise Wrong
    return body


@app.post("/v1/identity/identity-keys")
def scan() -> Any:
    body = envelope()
    try:
        key = base64.b64decode(text(body, "identityKey", 1000), validate=True)
    except ValueError as error:
        raise Wrong from error
    event = sub(body, "authEvent", dict)
    if not UUID.fullmatch(text(event, "id")):
        raise Wrong
    instant(event, "timestamp")
    text(event, "location", among="ENTRY")
    text(body, "keyChannel", among="OPTICAL CONTACT RADIO", need=False)
    with lock:
        known = KEYS.get(key)
        fresh = ({"visitorDetails": {"id": known[0], "type": known[1]}}, 200) if known else ("", 401)
        return decisions.setdefault(event["id"], fresh)


@app.post("/v1/order/purchases")
def purchase() -> Any:
    body = envelope()
    trip = text(body, "idempotentShoppingTripId")
    visit = sub(body, "shoppingTrip", dict)
    start, end = instant(visit, "startTime"), instant(visit, "endTime")
    if start is None or end is None or end < start:
        raise Wrong
    for event in sub(visit, "authEvents", list):
        check_event(event)
    text(sub(body, "shopperIdentity", dict, need=False), "id", need=False)
    text(body, "shopperDeviceId", need=False)
    text(sub(body, "paymentSource", dict, need=False), "id", 10_000, need=False)
    lines = sub(body, "cartItems", list)
    for line in lines:
        check_line(line)
    named = [line["lineItemId"] for line in lines if line.get("lineItemId")]
    if len(named) != len(set(named)):
        raise Wrong
    with lock:
        return {"purchaseId": purchases.setdefault(trip, str(uuid.uuid4()) if lines else "")}, 201


def check_event(event: Any) -> None:
    text(event, "id", pattern=r"[0-9a-zA-Z_.-]+")
    instant(event, "timestamp", need=False)
    text(event, "payloadType", among="FINANCIAL SCAN_CODE")
    text(event, "location", among="ENTRY EXIT MANUAL_IN_STORE", need=False)
    result = sub(event, "scanResult", dict, need=False)
    text(result, "id", need=False)
    text(result, "type", among="SHOPPER ASSOCIATE CASH CASH_SHOPPER LOYALTY", need=False)


def check_line(line: Any) -> None:
    text(line, "id")
    text(line, "type", among="SKU SCANCODE")
    quantity = sub(line, "quantity", dict)
    text(quantity, "value", 10, pattern=r"[0-9]+(\.[0-9]+)?")
    text(quantity, "unit", 10_000)
    text(line, "lineItemId", need=False)
    for identifier in sub(line, "externalIdentifiers", list, need=False):
        if not isinstance(identifier, dict):
            raise Wrong
        text(identifier, "id", need=False)
        text(identifier, "type", among="UPC EAN EAN8 ISBN GTIN PLU", need=False)


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    print(f"http://localhost:{server.port}", flush=True)
    server.serve_forever()
