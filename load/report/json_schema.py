"""The JSON Schema of load.json."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources
from typing import Any


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of load.json."""
    text = (resources.files("load.report") / "load.schema.json").read_text("utf-8")
    return dict(json.loads(text))
