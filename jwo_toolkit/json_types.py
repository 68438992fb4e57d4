"""The types of JSON where nothing more is known: an object, and any value."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
"""A JSON object, such as a message's body."""
JsonValue = Any
"""Any JSON value: an object, a list, a text, a number, a truth value or null."""
