"""Lets a command restart a process of the demonstration, as the profile's `restart_command` does.

The demonstration started the process and ends it, so only the demonstration can restart it. The command asks for that,
and waits until the process answers again.
"""

from __future__ import annotations

import secrets
import shlex
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Listener

from jwo.errors import Broken

_ASK = (
    "import sys; from multiprocessing.connection import Client; "
    "sys.exit(Client(sys.argv[1], authkey=bytes.fromhex(sys.argv[2])).recv())"
)
_KEY_BYTES = 16


@contextmanager
def restartable(restart: Callable[[], object]) -> Iterator[str]:
    """Yield a command that makes this process call `restart` and waits for its end; it fails with the error's text."""
    key = secrets.token_bytes(_KEY_BYTES)
    with Listener(authkey=key) as listener:
        threading.Thread(target=_answer, args=(listener, restart), daemon=True).start()
        yield shlex.join([sys.executable, "-I", "-c", _ASK, str(listener.address), key.hex()])


def _answer(listener: Listener, restart: Callable[[], object]) -> None:
    """Restart once for each command, until the listener is closed."""
    while True:
        try:
            connection = listener.accept()
        except AuthenticationError:
            continue
        except OSError:
            return
        with connection, suppress(OSError):
            connection.send(_problem(restart) or None)


def _problem(restart: Callable[[], object]) -> str:
    try:
        restart()
    except Broken as error:
        return str(error)
    return ""
