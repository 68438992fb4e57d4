"""How the generator asks the system to be woken in time: real time first, niceness second.

Other work on the same machine otherwise shows as lag of some milliseconds, and makes the run invalid. The system grants
real time only to those who may ask (root, CAP_SYS_NICE), and keeps a twentieth of each core for all other processes.
"""

from __future__ import annotations

import contextlib
import os
from typing import Literal

Wish = Literal["realtime", "nice", "none"]
_NICE = -10


def go_first(wish: Wish, workers: int) -> str:
    """Raise this process's priority and return the result in words.

    Real time is not asked for when there are as many workers as cores: they could keep a connector on the same machine
    from running at all.
    """
    if wish == "realtime" and workers < (os.cpu_count() or 1) and hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
            return "real time"
    if wish != "none":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, _NICE)
            return f"nice {_NICE}"
    return "ordinary"
