"""Settings of Python's garbage collector for a platform: without them, collections stop all gates.

A full collection walks over every long-lived object, so its time grows with the number of shoppers inside. Objects that
exist at the start are never garbage, so they are frozen. Full collections are made rare.
"""

from __future__ import annotations

import gc

_THRESHOLDS = (700, 10, 1_000)
"""Only the third differs from the default: full collections are a hundred times as rare."""


def tune_garbage_collector() -> None:
    """Set up this process's collector; call it once a platform is made."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
