"""Privacy faults: an answer that repeats keys or shopper data of the request."""

from __future__ import annotations

import base64
from dataclasses import replace

from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.json_values import text_at
from conformance.mutants.registry import CONNECTOR_FAULTS
from conformance.mutants.small_connector import SmallConnector

_fault = CONNECTOR_FAULTS.fault


@_fault("VIK-X.45")
class repeats_the_key(SmallConnector):
    async def scan(self, request: Request) -> Reply:
        reply = await super().scan(request)
        if "visitorDetails" not in reply.body:
            return reply
        return replace(reply, body={**reply.body, "identityKey": text_at(request.body, "identityKey")})


@_fault("VIK-X.45")
class quotes_unknown_keys(SmallConnector):
    async def scan(self, request: Request) -> Reply:
        reply = await super().scan(request)
        if "visitorDetails" in reply.body:
            return reply
        text = base64.b64decode(text_at(request.body, "identityKey")).decode("utf-8", "replace")
        return error(401, f"{text} is not known")


@_fault("VIK-X.45")
class repeats_invalid_scans(SmallConnector):
    def refuse(self, request: Request, problem: str) -> Reply:
        return _with_input(super().refuse(request, problem), request, "scan")


@_fault("CP-X.55")
class repeats_invalid_carts(SmallConnector):
    def refuse(self, request: Request, problem: str) -> Reply:
        return _with_input(super().refuse(request, problem), request, "cart")


@_fault("CP-X.55")
class answers_with_the_record(SmallConnector):
    async def cart(self, request: Request) -> Reply:
        reply = await super().cart(request)
        return replace(reply, body={**request.body, **reply.body})


def _with_input(reply: Reply, request: Request, call: str) -> Reply:
    return replace(reply, body={**reply.body, "input": request.document}) if request.call == call else reply
