"""Shows each answer of a connector at the gates of two stores: one that opens by default, and one that stays closed.

The answers are real. The connector gives them itself: to a known key, an unknown one, a body that is not JSON, and
calls over its rate limit. Its database is locked for a while, so that it fails or is late.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from typing import Any, Literal, NamedTuple

from jwo.demo.entry import FIXED_KEY
from jwo.demo.neighbourhood import CALLS_PER_SECOND, STORE_DEFAULTS, Neighbourhood, call
from jwo.demo.stages import Stage
from jwo_contract.gate import StoreDefault
from jwo_contract.scan_key import from_identity_key

_KNOWN, _UNKNOWN = from_identity_key(FIXED_KEY), "a key of no shopper"
_PUBLISHED = "valid_shopper_key"
"""The key that the faulty connector knows."""
_MOST_SCANS = 20 * CALLS_PER_SECOND
"""Enough scans to get a 429 from the connector, on a machine that makes more scans in a second than it allows."""
_LINE = "{:<36} {:<28} {:<14} {}"
_HEAD = _LINE.format("what was sent", "answer of the connector", "store default", "gate")
_ANSWERS = {
    "timed_out": "none within 2 s",
    "no_connection": "none: no connection",
    "malformed_answer": "not JSON",
}


class _Row(NamedTuple):
    """A row of the gate table: what the gate gets, what it must do, and how the demonstration produces it."""

    cause: str
    sent: str
    must: Literal["opens", "stays closed", "store default"]
    url: Callable[[Neighbourhood], str]
    text: str = _KNOWN
    is_locked: bool = False
    most_scans: int = 1
    """The scans are repeated up to this number, until one has the cause."""


def _connector(here: Neighbourhood) -> str:
    return here.connector_url


def _limited(here: Neighbourhood) -> str:
    return here.limited_url


_ROWS = (
    _Row("200", "a known key", "opens", _connector),
    _Row("400", "a body that is not JSON", "stays closed", _connector, f"fault.malformed {_KNOWN}"),
    _Row("401", "an unknown key", "stays closed", _connector, _UNKNOWN),
    _Row("500", "a key while the database is locked", "store default", _limited, is_locked=True),
    _Row("429", f"more than {CALLS_PER_SECOND} keys a second", "stays closed", _limited, most_scans=_MOST_SCANS),
    _Row("timed_out", "a key while the database hangs", "store default", _connector, is_locked=True),
    _Row("no_connection", "a key to a port that refuses", "store default", lambda here: here.refusing_url),
    _Row(
        "malformed_answer", "a key to a faulty connector", "store default", lambda here: here.malformed_url, _PUBLISHED
    ),
)
"""In the order of the demonstration: the calls over the rate limit come last of those to the limited connector."""


def show_gate_table(here: Neighbourhood, stage: Stage) -> None:
    """Produce each answer at both stores, check what the gates do, and add the table to the details of the stage."""
    stage.details.append(_HEAD)
    for row in _ROWS:
        for default, store in STORE_DEFAULTS.items():
            _set_up(here, row, default, store)
        with _locked(here) if row.is_locked else nullcontext(), ThreadPoolExecutor(len(STORE_DEFAULTS)) as pool:
            decisions = list(pool.map(partial(_scan, here, row), STORE_DEFAULTS.values()))
        for default, decision in zip(STORE_DEFAULTS, decisions, strict=True):
            stage.details.append(_line(row, default, decision))
            _check(stage, row, default, decision)


def _set_up(here: Neighbourhood, row: _Row, default: StoreDefault, store: str) -> None:
    url = row.url(here)
    setup = {
        "retailer": here.world.stores[0].retailer,
        "connector": {"url": url, "auth": "sigv4" if url in {here.connector_url, here.limited_url} else "none"},
        "qrPattern": "",
        "storeDefault": default,
        "gates": [_gate(store)],
    }
    call("PUT", f"{here.platform_url}/portal/stores/{store}", setup)


def _gate(store: str) -> str:
    return f"{store}-gate"


@contextmanager
def _locked(here: Neighbourhood) -> Iterator[None]:
    """Lock the connector's database, as a backup does that takes too long."""
    with closing(sqlite3.connect(here.database, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            database.execute("ROLLBACK")


def _scan(here: Neighbourhood, row: _Row, store: str) -> Any:  # noqa: ANN401 - any JSON
    """Show the key at the store's gate, and again until the answer is the wanted one, and return the last decision."""
    for _ in range(row.most_scans):
        decision = call("POST", f"{here.platform_url}/gates/{_gate(store)}/scans", {"text": row.text})
        if decision["cause"] == row.cause:
            break
    return decision


def _must_open(row: _Row, default: StoreDefault) -> bool:
    return default == "open" if row.must == "store default" else row.must == "opens"


def _check(stage: Stage, row: _Row, default: StoreDefault, decision: dict[str, Any]) -> None:
    expected = row.cause, _must_open(row, default)
    stage.expect(
        (decision["cause"], decision["opens"]) == expected,
        f"{row.sent}, store default decision {default}: expected {expected[0]} and opens {expected[1]}, "
        f"got {decision['cause']} and opens {decision['opens']}",
    )


def _line(row: _Row, default: StoreDefault, decision: dict[str, Any]) -> str:
    cause = decision["cause"]
    answer = _ANSWERS.get(cause) or f"{cause} after {decision['elapsedMs']:.0f} ms"
    does = "opens" if decision["opens"] else "stays closed"
    why = "as the default says" if decision["action"] == "store_default" else "whatever the default is"
    return _LINE.format(row.sent, answer, default, f"{does}, {why}")
