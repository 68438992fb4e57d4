"""Ends a process when the process that started it has ended, even by SIGKILL.

The starter holds the one end of a pipe, and the started process reads the other end. Nothing is ever written. When the
starter ends in any way, the operating system closes its end, and the started process reads the end of the pipe. This
works on every POSIX system, and also if there is a shell between the two processes.

    subprocess.Popen(command, **tied(environment))     in the starter
    end_with_starter()                                 first in the main function of the started process
    end_with_parent_process()                          first in the main function of a worker of multiprocessing

`make` holds no pipe. A recipe sets JWO_ENDS_WITH to the id of `make`, and the command looks for a change of its parent.

A process ends by SIGTERM, and by SIGKILL if it still runs some seconds later. Locust replaces functions of `time` and
`_thread` when it is imported, so this module keeps the original ones.
"""

from __future__ import annotations

import os
import signal
from _thread import start_new_thread
from collections.abc import Callable, Mapping
from functools import cache
from time import sleep
from typing import TypedDict

STARTER_VARIABLE = "JWO_LIFELINE"
"""The descriptor of the pipe, and the pipe's number, which proves that the descriptor is not another file."""
PARENT_VARIABLE = "JWO_ENDS_WITH"
_GRACE_S, _LOOK_EVERY_S = 3.0, 0.2


class Tie(TypedDict, total=False):
    """Arguments of `subprocess.Popen`."""

    env: dict[str, str]
    pass_fds: tuple[int, ...]


def tied(environment: Mapping[str, str] | None = None, *more_descriptors: int) -> Tie:
    """Return the arguments with which a process can end with this one. `environment` None is this process's own."""
    variables = dict(os.environ if environment is None else environment)
    if os.name != "posix":
        return {"env": variables}
    reader = _pipe()
    variables[STARTER_VARIABLE] = f"{reader}:{os.fstat(reader).st_ino}"
    return {"env": variables, "pass_fds": (reader, *more_descriptors)}


@cache
def _pipe() -> int:
    """Make the pipe of this process, and return its reading end. The writing end stays open until the process ends."""
    return os.pipe()[0]


def end_with_starter() -> None:
    """End this process, and each one that is forked from it, when its starter has ended. Without a tie, do nothing."""
    number, _, proof = os.environ.pop(STARTER_VARIABLE, "").partition(":")
    parent = os.environ.pop(PARENT_VARIABLE, "")
    if number.isdecimal() and _is_pipe(int(number), proof):
        os.set_inheritable(int(number), False)  # noqa: FBT003 - the parameter has no name
        _watch_pipe(int(number))
        os.register_at_fork(after_in_child=lambda: _watch_pipe(int(number)))
    if parent.isdecimal():
        _start(lambda: _wait_for_another_parent(int(parent)))


def end_with_parent_process() -> None:
    """End this worker of multiprocessing when the process that made it has ended, also behind a fork server."""
    from multiprocessing import parent_process  # noqa: PLC0415 - Locust must be imported before it

    parent = parent_process()
    if parent is not None:
        _start(parent.join)


def _watch_pipe(descriptor: int) -> None:
    _start(lambda: os.read(descriptor, 1))


def _is_pipe(descriptor: int, proof: str) -> bool:
    try:
        return str(os.fstat(descriptor).st_ino) == proof
    except OSError:
        return False


def _wait_for_another_parent(parent: int) -> None:
    while os.getppid() == parent:
        sleep(_LOOK_EVERY_S)


def _start(wait: Callable[[], object]) -> None:
    """Start a thread that waits, and then ends this process."""

    def wait_and_end() -> None:
        wait()
        os.kill(os.getpid(), signal.SIGTERM)
        sleep(_GRACE_S)
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

    start_new_thread(wait_and_end, ())
