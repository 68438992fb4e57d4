"""How the interpreter's collector is kept from stopping the gates.

It walks over everything that lives long, which takes longer the more people are inside, and all gates wait for it. What
the start has made is never garbage, so it is taken out of its sight; and it looks at long-lived objects rarely.
"""

from __future__ import annotations

import gc

_THRESHOLDS = (700, 10, 1_000)
"""The third is what is changed: long-lived objects are looked at a hundred times more rarely than they would be."""


def shorten_pauses() -> None:
    """Set the collector of this process up for a platform that has just been made."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
