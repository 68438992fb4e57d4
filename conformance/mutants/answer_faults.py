"""Faults of single answers: echoes, leaks, and answers of one kind that are written in another form."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import ClassVar

from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.json_values import text_at
from conformance.mutants.registry import CONNECTOR_FAULTS
from conformance.mutants.small_connector import SmallConnector
from conformance.mutants.transport_faults import BreaksAnswers

_fault = CONNECTOR_FAULTS.fault

# echoes and leaks


@_fault("VIK-X.86", beside=("VIK-3.8",))
class quotes_the_scan_of_an_unknown_store(SmallConnector):
    def refuse(self, request: Request, problem: str) -> Reply:
        return _quoting_other_stores(self, request, super().refuse(request, problem), "scan")


@_fault("CP-X.106", beside=("CP-X.10",))
class quotes_the_cart_of_an_unknown_store(SmallConnector):
    def refuse(self, request: Request, problem: str) -> Reply:
        return _quoting_other_stores(self, request, super().refuse(request, problem), "cart")


@_fault("VIK-X.86", beside=("VIK-2",))
class names_unknown_keys_in_hex(SmallConnector):
    async def scan(self, request: Request) -> Reply:
        reply = await super().scan(request)
        key = base64.b64decode(text_at(request.body, "identityKey"), validate=False).hex()
        return reply if "visitorDetails" in reply.body else error(401, f"no visitor has the key {key}")


@_fault("VIK-X.86", beside=("VIK-2",))
class names_unknown_keys_in_a_header(SmallConnector):
    async def scan(self, request: Request) -> Reply:
        reply = await super().scan(request)
        header = (b"x-key", text_at(request.body, "identityKey")[4:].encode())
        return reply if "visitorDetails" in reply.body else replace(reply, headers=(*reply.headers, header))


_LEAKS = {
    "a_trace_of_python": 'Traceback (most recent call last):\n  File "/srv/app.py", line 12, in scan\nKeyError',
    "a_trace_of_java": "java.lang.IllegalStateException: no\n\tat com.shop.Gate.open(Gate.java:41)",
    "a_trace_of_dotnet": "at Shop.Gate.Open(String key) in C:\\shop\\Gate.cs:line 41",
    "a_trace_of_node": "Error: no\n    at Gate.open (/srv/shop/gate.js:41:7)",
    "a_trace_of_go": "goroutine 1 [running]:\nmain.open()",
    "a_path": "cannot read /etc/connector/keys.toml",
    "sql": "SELECT id FROM visitors WHERE code = 'x'",
    "a_database": 'duplicate key value violates unique constraint "trips_pkey"',
    "a_debug_page": "<html><title>KeyError // Werkzeug Debugger</title></html>",
}


class _Leaks(BreaksAnswers):
    """The base of faults that show their inside in the answer to JSON that cannot be read."""

    text: ClassVar[str]

    async def break_answer(self, request: Request) -> Reply:
        reply = await super().break_answer(request)
        return replace(reply, body=self.text.encode()) if not request.is_json else reply


for _name, _text in _LEAKS.items():
    _fault("VIK-X.87")(type(f"shows_{_name}:scan", (_Leaks,), {"broken_call": "scan", "text": _text}))
    _fault("CP-X.107")(type(f"shows_{_name}:cart", (_Leaks,), {"broken_call": "cart", "text": _text}))


@_fault("VIK-X.87", "CP-X.107")
class shows_the_file_that_is_missing(SmallConnector):
    async def answer(self, request: Request) -> Reply:
        reply = await super().answer(request)
        return reply if request.call else error(404, f"/var/www/shop{request.path} does not exist")


# answers of one kind


@_fault("CP-X.108", beside=("CP-1.7",))
class answers_empty_carts_as_a_page(SmallConnector):
    async def cart(self, request: Request) -> Reply:
        reply = await super().cart(request)
        return reply if request.items else replace(reply, headers=((b"content-type", b"text/html"),))


@_fault("CP-X.108", beside=("CP-2",))
class answers_duplicates_as_a_page(SmallConnector):
    async def sale(self, trip: str, request: Request) -> Reply:
        is_known = self.purchases.get(trip) is not None
        reply = await super().sale(trip, request)
        return replace(reply, headers=((b"content-type", b"text/html"),)) if is_known else reply


@_fault("VIK-X.88", beside=("VIK-1.2",))
class answers_associates_as_text(SmallConnector):
    async def scan(self, request: Request) -> Reply:
        reply = await super().scan(request)
        return (
            replace(reply, headers=((b"content-type", b"text/plain"),)) if "associate" in key_text(request) else reply
        )


@_fault("CP-X.108", beside=("CP-1.1",))
class names_the_purchase_twice(SmallConnector):
    def sold(self, purchase_id: str) -> Reply:
        return Reply(201, f'{{"purchaseId": "", "purchaseId": "{purchase_id}"}}'.encode())


@_fault("VIK-X.88", beside=("VIK-1.2",))
class names_the_visitor_twice(SmallConnector):
    def let_in(self, visitor: str, kind: str) -> Reply:
        details = f'{{"id": "another", "type": "{kind}", "id": "{visitor}"}}'
        return Reply(200, f'{{"visitorDetails": {details}}}'.encode())


class _WritesRefusals(BreaksAnswers):
    """The base of faults that write the body of a refusal by hand."""

    text: ClassVar[bytes]
    statuses: ClassVar[tuple[int, ...]] = (400, 401)

    async def break_answer(self, request: Request) -> Reply:
        reply = await super().break_answer(request)
        return replace(reply, body=self.text) if reply.status in self.statuses else reply


_NEARLY_JSON = {
    "an_object_of_python": b"{'errorMsg': 'no', 'retry': None}",
    "a_comma_at_the_end": b'{"errorMsg": "no",}',
    "plain_text": b"no such shopper",
    "half_an_object": b'{"errorMsg": "no"',
    "latin_1": '{"errorMsg": "Schlüssel"}'.encode("latin-1"),
    "two_objects": b'{"errorMsg": "no"}{"errorMsg": "no"}',
    "nan": b'{"retryAfter": NaN}',
}
for _name, _written in _NEARLY_JSON.items():
    _members = {"text": _written}
    _fault("VIK-X.93", beside=("VIK-2",))(
        type(f"refuses_with_{_name}:scan", (_WritesRefusals,), {"broken_call": "scan", **_members})
    )
    _fault("CP-X.112", beside=("CP-3.2",))(
        type(f"refuses_with_{_name}:cart", (_WritesRefusals,), {"broken_call": "cart", **_members})
    )


def key_text(request: Request) -> str:
    """Return the text of the identity key in a scan."""
    return base64.b64decode(text_at(request.body, "identityKey") + "==", validate=False).decode("utf-8", "replace")


def _quoting_other_stores(connector: SmallConnector, request: Request, reply: Reply, call: str) -> Reply:
    is_other = text_at(request.body, "storeId") not in connector.stores
    return replace(reply, body=request.raw) if request.call == call and is_other else reply
