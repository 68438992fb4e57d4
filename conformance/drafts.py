"""Requests of the suite: a builder makes valid ones from the profile, and drafts change a copy in exactly one place.

A path such as `shoppingTrip.authEvents[0].id` names a member of a message.
"""

from __future__ import annotations

import copy
import json
import re
import uuid
from itertools import pairwise
from typing import Any, NamedTuple

from conformance.errors import HarnessBroke
from jwo_contract.house import House
from jwo_contract.messages import message
from jwo_contract.operations import Operation

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
SAMPLE_STORE = "STORE-001"


class Draft(NamedTuple):
    """A request before it is sent: its operation and its body as JSON."""

    operation: Operation
    body: dict[str, Any]

    def encoded(self) -> bytes:
        """Encode the body as JSON."""
        return json.dumps(self.body, ensure_ascii=False).encode()

    def again(self) -> Draft:
        """Copy it as a further attempt: with a new requestId if it has one, and otherwise the same."""
        if "requestId" not in self.body:
            return self
        return self.with_value("requestId", str(uuid.uuid4()))

    def without(self, path: str) -> Draft:
        """Copy it without one member."""
        body, steps = copy.deepcopy(self.body), _steps(path)
        del _parent(body, steps)[steps[-1]]
        return Draft(self.operation, body)

    def with_value(self, path: str, value: object) -> Draft:
        """Copy it with another value at a path; missing objects on the path are created."""
        body, steps = copy.deepcopy(self.body), _steps(path)
        _parent(body, steps)[steps[-1]] = value
        return Draft(self.operation, body)

    def value(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        """Return the value at an existing path."""
        steps = _steps(path)
        return _parent(copy.deepcopy(self.body), steps)[steps[-1]]

    def checked(self, house: House) -> Draft:
        """Return it if it keeps its schema. Raises HarnessBroke if it does not: that is a bug in the suite."""
        violations = message(self.operation.request, house).violations(self.body)
        if violations:
            raise HarnessBroke(f"the suite's own request is wrong: {'; '.join(each.message for each in violations)}")
        return self


def with_unknown_members(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Copy a JSON value with an additional unknown member in every object."""
    if isinstance(value, dict):
        changed = {name: with_unknown_members(member) for name, member in value.items()}
        return {**changed, "xFutureAttribute": {"any": ["thing", 1, None]}, "futureAttributeId": "future-1"}
    return [with_unknown_members(item) for item in value] if isinstance(value, list) else value


def _steps(path: str) -> list[str | int]:
    return [int(index) if index else name for name, index in _STEP.findall(path)]


def _parent(body: Any, steps: list[str | int]) -> Any:  # noqa: ANN401 - any JSON
    for step, following in pairwise(steps):
        if isinstance(body, dict):
            body = body.setdefault(step, [] if isinstance(following, int) else {})
        else:
            if step == len(body):
                body.append({})
            body = body[step]
    return body
