"""Functions for faults of visits, which read carts and purchases."""

from __future__ import annotations

from dataclasses import replace

from conformance.mutants.http_app import Reply, Request
from conformance.mutants.json_values import at, text_at


def entries_of(request: Request) -> list[str]:
    """Return the ids of the entries that a cart names."""
    return [str(event) for event in at(request.body, "shoppingTrip.authEvents[].id")]


def visitor_of(request: Request) -> str:
    """Return the visitor of a cart's first entry; empty if the entry names no visitor."""
    visitors = at(request.body, "shoppingTrip.authEvents[].scanResult.id")
    return str(visitors[0]) if visitors and visitors[0] is not None else ""


def is_purchase(reply: Reply) -> bool:
    """Say whether a reply names a purchase."""
    return bool(text_at(reply.body, "purchaseId"))


def other_purchase(reply: Reply, suffix: object) -> Reply:
    """Return a reply with a wrong purchase id, if the reply names a purchase."""
    return replace(reply, body={"purchaseId": f"{reply.body['purchaseId']}-{suffix}"}) if is_purchase(reply) else reply
