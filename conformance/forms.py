"""The forms of a valid request: complete, as the platform sends it, and with single optional members changed.

A connector may wrongly refuse, or wrongly require, an optional member. The control calls then try other forms, so that
a finding can name the member, and so that the other cases can be judged with a form that the connector accepts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from conformance.drafts import Draft
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS, Operation

SAMPLE_UPC = "123456789012"
_EVENT, _LINE = "shoppingTrip.authEvents[]", "cartItems[]"

OPTIONAL: dict[Operation, tuple[str, ...]] = {
    VERIFY_IDENTITY_KEYS: ("keyChannel",),
    CREATE_PURCHASES: (
        f"{_LINE}.lineItemId",
        f"{_LINE}.externalIdentifiers",
        f"{_EVENT}.scanResult",
        f"{_EVENT}.location",
        f"{_EVENT}.timestamp",
        "shopperIdentity",
        "shopperDeviceId",
        "paymentSource",
    ),
}
"""The optional members of each request by path, in which `[]` is each entry of a list."""

IGNORED = ("paymentSource",)
"""Members of an older layout. The platform may send them, and a connector need not look at their values."""

SAMPLES: dict[str, Any] = {
    f"{_LINE}.externalIdentifiers": [{"id": SAMPLE_UPC, "type": "UPC"}],
    f"{_EVENT}.scanResult": {"id": "shopper-001", "type": "SHOPPER"},
    "shopperIdentity": {"id": "shopper-001"},
    "shopperDeviceId": "device-001",
    "paymentSource": {"id": "payment-001"},
}
"""Values for members that a complete request may lack, as in Amazon's sample cart."""


class Form(NamedTuple):
    """A form of a valid request: the optional members that it leaves out, and those that it adds."""

    left_out: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()

    def of(self, draft: Draft) -> Draft:
        """Return a complete request in this form."""
        for path in self.left_out:
            draft = without_each(draft, path)
        for path in self.added:
            draft = with_sample(draft, path)
        return draft

    def __str__(self) -> str:
        changes = [*(f"without {path}" for path in sorted(self.left_out)), *(f"with {path}" for path in self.added)]
        return " and ".join(changes) or "complete"


COMPLETE = Form()


@dataclass
class Accepted:
    """What control calls found: the form of each operation that the connector accepts, and the id of its shopper."""

    forms: dict[Operation, Form] = field(default_factory=dict)
    shopper_id: str = ""
    """`visitorDetails.id` of the declared shopper; empty where it is not known."""

    def form(self, operation: Operation) -> Form:
        """Return the accepted form; the complete one where no other was needed."""
        return self.forms.get(operation, COMPLETE)


def other_forms(complete: Draft) -> Iterator[Form]:
    """Yield the forms to try when the complete request is refused: one member less, one more, and the minimal form."""
    optional = OPTIONAL.get(complete.operation, ())
    present = [path for path in optional if _is_present(complete, path)]
    for path in present:
        yield Form(left_out=frozenset({path}))
    for path in optional:
        if path not in present and path in SAMPLES:
            yield Form(added=frozenset({path}))
    if len(present) > 1:
        yield Form(left_out=frozenset(present))


def minimal(draft: Draft) -> Draft:
    """Return a request without any optional member."""
    for path in OPTIONAL.get(draft.operation, ()):
        draft = without_each(draft, path)
    return draft


def without_each(draft: Draft, path: str) -> Draft:
    """Return a request without a member, in each entry of a list where the path has `[]`."""
    for place in places(draft, path):
        draft = draft.without(place)
    return draft


def places(draft: Draft, path: str) -> list[str]:
    """Return the paths of a member that is present, with the index of each entry in place of `[]`."""
    head, mark, tail = path.partition("[]")
    if not mark:
        return [path] if _has(draft, path) else []
    entries = draft.value(head) if _has(draft, head) else []
    return [place for index in range(len(entries)) if _has(draft, place := f"{head}[{index}]{tail}")]


def with_sample(draft: Draft, path: str) -> Draft:
    """Return a request with the sample of an optional member, in each entry of a list where the path has `[]`."""
    head, mark, tail = path.partition("[]")
    if not mark:
        return draft.with_value(path, SAMPLES[path])
    for index in range(len(draft.value(head))):
        draft = draft.with_value(f"{head}[{index}]{tail}", SAMPLES[path])
    return draft


def _is_present(draft: Draft, path: str) -> bool:
    return bool(places(draft, path))


def _has(draft: Draft, path: str) -> bool:
    try:
        draft.value(path)
    except (KeyError, IndexError, TypeError):
        return False
    return True
