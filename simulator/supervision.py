"""Loops that run as long as the platform: a loop that fails is logged and started again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

_RESTART_AFTER_S = 0.5
_log = logging.getLogger("simulator.supervision")


async def run_forever(name: str, loop: Callable[[], Awaitable[None]]) -> None:
    """Run a loop until it is cancelled; after an error, log it and start the loop again, real seconds later."""
    while True:
        try:
            await loop()
        except Exception:  # noqa: BLE001 - the work must go on after any error
            _log.exception("%s broke on our side, and is started again", name)
        await asyncio.sleep(_RESTART_AFTER_S)
