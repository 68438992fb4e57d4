"""Sends an exchange of the journal again, unchanged or edited, to the same address with a new signature.

The store's current configuration for that address decides on the signature and the headers.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import NamedTuple

import orjson

from jwo_contract.errors import MalformedBody
from jwo_contract.messages import parse_object
from jwo_contract.operations import OPERATIONS
from jwo_toolkit.json_types import Json, JsonObject
from simulator.connector import Connector, ConnectorClient
from simulator.errors import BadCall
from simulator.journal import Journal, Sent
from simulator.portal.stores import Store, Stores
from simulator.redaction import HIDDEN

_PATHS = {operation.name: operation.path for operation in OPERATIONS}


class Resend(NamedTuple):
    """Sends exchanges again, and waits `timeout_s` real seconds for an answer."""

    journal: Journal
    client: ConnectorClient
    stores: Stores
    timeout_s: float

    async def send(self, seq: int, members: JsonObject, body: JsonObject | None) -> JsonObject:
        """Send with other members, or another body; returns the new entry of the journal.

        A hidden value, as the journal shows it, stays as it was sent.

        Raises NotKnown if the journal has no such exchange, and BadCall if its body is not an object.
        """
        entry, sent = self.journal.sent(seq)
        store = self.stores.find(str(entry.get("storeId")))
        content = _edited(sent.body, members) if body is None else _whole(sent.body, body)
        exchange = await self.client.resend(sent.url, _connector(store, sent), content, self.timeout_s)
        more = {"storeId": entry.get("storeId"), "tripId": entry.get("tripId"), "resent": seq}
        self.journal.add_exchange("resent", more, exchange._replace(operation=sent.operation), sent.secrets)
        return self.journal.entries(limit=1)[0]


def _edited(body: bytes, members: JsonObject) -> bytes:
    if not members:
        return body
    try:
        original = parse_object(body)
    except MalformedBody as error:
        raise BadCall("the original body is not a JSON object and has no members", hint="give a whole body") from error
    return orjson.dumps({**original, **_with_hidden(members, original)})


def _whole(body: bytes, edited: JsonObject) -> bytes:
    try:
        original: Json = parse_object(body)
    except MalformedBody:
        original = None
    return orjson.dumps(_with_hidden(edited, original))


def _with_hidden(edited: Json, original: Json) -> Json:
    """Return an edited value with each hidden value as it is at the same place of the original."""
    if isinstance(edited, dict):
        known = original if isinstance(original, dict) else {}
        return {name: _with_hidden(value, known.get(name)) for name, value in edited.items()}
    if isinstance(edited, list):
        known_items = original if isinstance(original, list) else []
        return [_with_hidden(item, old) for item, old in zip_longest(edited, known_items[: len(edited)])]
    return original if edited == HIDDEN and original is not None else edited


def _connector(store: Store | None, sent: Sent) -> Connector:
    """Return the store's connector at the address of a request; if there is no such connector, one that signs."""
    known = [one for one in (*dict(store.connectors).values(), store.connector) if one] if store else []
    path = _PATHS[sent.operation]
    return next((one for one in known if one.url.rstrip("/") + path == sent.url), Connector(sent.url))
