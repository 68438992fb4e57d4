"""Instants and ids as they travel."""

from __future__ import annotations

from datetime import UTC, datetime

from contract.errors import BadValue


def parse_instant(text: str) -> datetime:
    """Read an ISO-8601 instant with `Z` or a numeric offset, fractions allowed; the result is in UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadValue(f"not an ISO-8601 date and time: {text[:40]!r}") from error
    if instant.tzinfo is None:
        raise BadValue(f"a date and time needs Z or an offset: {text[:40]!r}")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise BadValue(f"a date and time out of range: {text[:40]!r}") from error


def format_instant(instant: datetime) -> str:
    """Write an instant as the platform does: UTC, whole seconds, `Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
