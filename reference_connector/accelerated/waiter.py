"""What a coroutine awaits from the store, without a future's detour through the event loop's queue of callbacks.

A task can wait for it too, as it keeps asyncio's protocol for futures: the task is then stepped within the turn in
which the store reports, one turn earlier than with a future.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Generator
from typing import Any

Wake = Callable[["DirectWaiter"], object]


class DirectWaiter:
    """Calls back as soon as it has a result or an error; one waits for it at most."""

    __slots__ = ("_asyncio_future_blocking", "_context", "_done", "_error", "_loop", "_result", "_wake")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._asyncio_future_blocking = False  # a task sets and clears it
        self._loop = loop
        self._done = False
        self._result: Any = None
        self._error: BaseException | None = None
        self._wake: Wake | None = None
        self._context: contextvars.Context | None = None

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the event loop of the one who waits."""
        return self._loop

    def done(self) -> bool:
        """Whether there is a result or an error."""
        return self._done

    def add_done_callback(self, wake: Wake, *, context: contextvars.Context | None = None) -> None:
        """Set the callback of the one who waits."""
        self._wake, self._context = wake, context

    def set_result(self, result: Any) -> None:  # noqa: ANN401 - each kind of job has its own
        """Wake the one who waits, with a result."""
        self._result = result
        self._call()

    def set_exception(self, error: BaseException) -> None:
        """Wake the one who waits, with an error."""
        self._error = error
        self._call()

    def cancel(self, msg: object = None) -> bool:
        """Wake the one who waits, with CancelledError; False when there was a result."""
        if self._done:
            return False
        self._error = asyncio.CancelledError() if msg is None else asyncio.CancelledError(msg)
        self._loop.call_soon(self._call)  # a task must not be stepped from within its own cancel()
        self._done = True
        return True

    def result(self) -> Any:  # noqa: ANN401 - as above
        """Return the result, or raise the error."""
        if self._error is not None:
            raise self._error
        return self._result

    def __await__(self) -> Generator[Any, None, Any]:
        """Yield itself until there is a result."""
        if not self._done:
            self._asyncio_future_blocking = True
            yield self
        return self.result()

    def _call(self) -> None:
        self._done = True
        wake, context = self._wake, self._context
        if wake is None:
            return
        try:
            if context is None:
                wake(self)
            else:
                context.run(wake, self)
        except Exception as error:  # noqa: BLE001 - the others of the batch must be woken all the same
            found = {"message": "a callback of the store failed", "exception": error}
            self._loop.call_exception_handler(found)
