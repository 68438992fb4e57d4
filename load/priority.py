"""Asks the system to run the generator in time: with real-time priority if allowed, otherwise with niceness.

Without it, other work on the machine causes a lag of some milliseconds, which makes the run invalid. The system grants
real-time priority only to root and CAP_SYS_NICE, and keeps a twentieth of each core for all other processes.
"""

from __future__ import annotations

import contextlib
import os
from typing import Literal

Priority = Literal["realtime", "nice", "none"]
_NICE = -10


def raise_priority(wanted: Priority, workers: int) -> str:
    """Raise this process's priority, and return the priority that the system granted.

    With as many workers as cores it does not ask for real time: the workers could stop a connector on the same machine.
    """
    if wanted == "realtime" and workers < (os.cpu_count() or 1) and hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
            return "real time"
    if wanted != "none":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, _NICE)
            return f"nice {_NICE}"
    return "ordinary"
