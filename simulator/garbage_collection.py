"""Settings of Python's garbage collector for a platform: without them, full collections stop all gates.

A full collection visits every long-lived object, so its time grows with the number of shoppers inside. Objects that
exist at the start are never garbage, so they are frozen. Full collections are rare.
"""

from __future__ import annotations

import gc

_THRESHOLDS = (700, 10, 1_000)
"""Only the third differs from the default: full collections are a hundred times as rare."""


def tune_garbage_collector() -> None:
    """Set up the collector of this process. Call this after the platform is made."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
