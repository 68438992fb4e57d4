"""Runs the platform's loops: after an error, it logs the error and starts the loop again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

_RESTART_AFTER_S = 0.5
_log = logging.getLogger("simulator.supervision")


async def run_forever(name: str, loop: Callable[[], Awaitable[None]]) -> None:
    """Run a loop until it is cancelled. After an error, log the error and start the loop again after a short wait."""
    while True:
        try:
            await loop()
        except Exception:  # noqa: BLE001 - the loop must continue after any error
            _log.exception("%s failed; the platform starts it again", name)
        await asyncio.sleep(_RESTART_AFTER_S)
