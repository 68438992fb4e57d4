"""Requests, read from a body and checked, and answers, written as JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import orjson

from jwo_contract.errors import MalformedBody
from jwo_contract.house import House
from jwo_contract.messages import message, parse_object, self_contained
from jwo_contract.operations import Operation
from jwo_toolkit.json_types import Json
from reference_connector.errors import InvalidRequest
from reference_connector.telemetry import Subject


class Answer(NamedTuple):
    """A status, the JSON body, and a short outcome code, used as a metric label; no code counts as `ok`.

    `subject` is what the call is about, for its span.
    """

    status: int
    body: bytes
    code: str = ""
    subject: Subject = ()

    def about(self, name: str, value: str) -> Answer:
        """Return this answer with its subject: the name of a span's attribute, and an id."""
        return Answer(self.status, self.body, self.code, (name, value))


def json_answer(status: int, body: object, code: str = "") -> Answer:
    """Make an answer from a JSON value."""
    return Answer(status, orjson.dumps(body), code)


def request_hash(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Return 16 bytes that are equal for equal JSON values, whatever the order of members."""
    return hashlib.blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


class RequestReader:
    """Reads requests to one operation, and checks them against the contract's schema under the house rules."""

    def __init__(self, operation: Operation, house: House) -> None:
        self._operation = operation
        self._house = house
        self._schema = message(operation.request, house)

    def read(self, body: bytes) -> dict[str, Json]:
        """Read a request and check it.

        Raises InvalidRequest if it breaks its schema. The error names the broken rules, and never repeats sent values.
        """
        try:
            request = parse_object(body)
        except MalformedBody as error:
            raise self._malformed(str(error)) from error
        except RecursionError as error:
            raise self._malformed("the body is nested too deeply") from error
        if not self._schema.is_valid(request):
            wrong = [violation.message for violation in self._schema.violations(request)[:5]]
            raise InvalidRequest("; ".join(wrong) or "the body breaks its schema")
        return request

    def read_known(self, body: bytes) -> tuple[dict[str, Json], dict[str, Json]]:
        """Read a request as `read` does; also return it without the members that its schema does not name."""
        request = self.read(body)
        return request, self._known_members(request)

    @cached_property
    def _known_members(self) -> Callable[[Json], Json]:
        return known_members(self_contained(self._operation.request, self._house))

    def _malformed(self, problem: str) -> InvalidRequest:
        return InvalidRequest(problem, code="malformed_body", status=self._house.http.malformed_status)


def known_members(schema: Json) -> Callable[[Json], Json]:
    """Make a function that returns a valid JSON value without the members that its schema does not name.

    It does so at every depth, and copies only the objects that change. Make the function once: a walk over the schema
    costs more than a walk over the value.
    """
    if "items" in schema:
        known_item = known_members(schema["items"])
        return lambda items: [known_item(item) for item in items]
    if "properties" not in schema:
        return _unchanged
    names = frozenset(schema["properties"])
    inner = {name: known_members(member) for name, member in schema["properties"].items()}
    nested = [(name, known) for name, known in inner.items() if known is not _unchanged]

    def known_object(value: Json) -> Json:
        known = value if names.issuperset(value) else {name: value[name] for name in value if name in names}
        for name, known_member in nested:
            if name in known:
                member = known_member(known[name])
                known = known if member == known[name] else known | {name: member}
        return known

    return known_object


def _unchanged(value: Json) -> Json:
    return value
