"""Settings of Python's garbage collector for a process that answers in milliseconds.

A full collection walks over every long-lived object, and stops the process meanwhile. Reference counts free a request's
own objects. So the collector skips what the start has made, and looks seldom at the rest.
"""

from __future__ import annotations

import gc


def tune_garbage_collector(thresholds: tuple[int, int, int]) -> None:
    """Freeze all objects of this process, and set the thresholds of `gc.set_threshold`.

    Call it once, when all that stays is made.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*thresholds)
