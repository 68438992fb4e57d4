"""Instants on the wire. `parse_instant` defines the schemas' format `date-time`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from jwo_contract.errors import BadValue

_RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:[0-5]\d)", re.ASCII | re.IGNORECASE
)


@lru_cache(maxsize=4096)  # the schema check and the handler both parse a message's time
def parse_instant(text: str) -> datetime:
    """Parse an RFC 3339 instant with `Z` or a numeric offset, cut to microseconds. The result is in UTC.

    Raises BadValue for any other text, and for a leap second, which Python's datetime cannot represent.
    """
    if not _RFC_3339.fullmatch(text):
        raise BadValue(f"not an ISO-8601 date and time with Z or an offset: {text[:40]!r}")
    try:
        instant = datetime.fromisoformat(text.upper())
        return instant if instant.tzinfo is UTC else instant.astimezone(UTC)  # most are in UTC already
    except ValueError as error:
        raise BadValue(f"no such date and time: {text[:40]!r}") from error
    except OverflowError as error:
        raise BadValue(f"a date and time out of range: {text[:40]!r}") from error


def format_instant(instant: datetime) -> str:
    """Format an instant as the platform does: UTC, whole seconds, `Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
