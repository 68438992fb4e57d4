"""The garbage collector's settings, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

_TUNED = """
import gc
from jwo_toolkit.garbage_collection import tune_garbage_collector
class Ring: pass
ring = Ring(); ring.self = ring; alive = weakref.ref(ring); del ring
kept = [[] for _ in range(5000)]
tune_garbage_collector((20_000, 11, 1_200))
print(alive() is None, len(gc.get_objects()) < 1000 < gc.get_freeze_count(), *gc.get_threshold())
"""


def test_collector_frees_garbage_once_then_skips_what_exists() -> None:
    program = f"import weakref{_TUNED}"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True", "True", "20000", "11", "1200"]
