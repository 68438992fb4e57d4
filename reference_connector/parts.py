"""The parts of the connector that have two forms: the plain ones here, and the ones in `accelerated`.

Both give the same answers, records, logs and metrics. `app.py` chooses by the setting `accelerated`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from reference_connector import cart, sales
from reference_connector.messages import RequestReader
from reference_connector.sales import PriceCart
from reference_connector.store.group_commit import Waiter, new_future
from reference_connector.store.sqlite import Checkpoints
from reference_connector.telemetry import CallWatch


def no_checkpoints(_path: Path) -> Checkpoints | None:
    """Let SQLite copy its log into the database during commits."""
    return None


def one_price_cart() -> PriceCart:
    """Price each cart line by line."""
    return sales.price_cart


class Parts(NamedTuple):
    """One form of each part; the defaults are the plain ones."""

    reader: type[RequestReader] = RequestReader
    watch: type[CallWatch] = CallWatch
    new_waiter: Callable[[asyncio.AbstractEventLoop], Waiter] = new_future
    new_checkpoints: Callable[[Path], Checkpoints | None] = no_checkpoints
    new_price_cart: Callable[[], PriceCart] = one_price_cart
    instant_is_before: Callable[[str, str], bool] = cart.is_before
