"""Replaces each `$ref` in JSON Schemas and OpenAPI documents, for users that cannot follow files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Resolve = Callable[[str], Any]
"""Returns the target of a reference, which has no references itself."""


def inline(node: Any, resolve: Resolve) -> Any:  # noqa: ANN401 - any part of a JSON document
    """Copy a document with every reference replaced by its target. Members next to a reference override those."""
    if isinstance(node, list):
        return [inline(item, resolve) for item in node]
    if not isinstance(node, dict):
        return node
    members = {key: inline(value, resolve) for key, value in node.items() if key != "$ref"}
    return {**resolve(node["$ref"]), **members} if "$ref" in node else members
