"""Work that goes on for as long as the platform runs, and never ends in silence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

_AGAIN_AFTER_S = 0.5
_log = logging.getLogger("simulator.loops")


async def kept_going(name: str, loop: Callable[[], Awaitable[None]]) -> None:
    """Run a loop until it is cancelled: one that breaks is logged and, real seconds later, started again."""
    while True:
        try:
            await loop()
        except Exception:  # noqa: BLE001 - whatever broke, the work has to go on
            _log.exception("%s broke on our side, and is started again", name)
        await asyncio.sleep(_AGAIN_AFTER_S)
