"""Types for JSON of unknown shape: any value, and an object."""

from __future__ import annotations

from typing import Any

Json = Any
"""Any JSON value: an object, a list, a text, a number, a truth value or null."""
JsonObject = dict[str, Any]
"""A JSON object, such as a message's body."""
