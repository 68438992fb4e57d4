"""A waiter for the store's results that calls its callback at once, and not through the event loop's queue.

A task can await it too, as it follows asyncio's protocol for futures. The task then resumes in the turn in which the
store reports, one turn earlier than with a future.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Generator
from typing import Any

Wake = Callable[["DirectWaiter"], object]


class DirectWaiter:
    """Calls its callback as soon as it has a result or an error. At most one caller waits for it."""

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
        """Return the event loop of the caller."""
        return self._loop

    def done(self) -> bool:
        """Whether there is a result or an error."""
        return self._done

    def add_done_callback(self, wake: Wake, *, context: contextvars.Context | None = None) -> None:
        """Set the callback of the caller."""
        self._wake, self._context = wake, context

    def set_result(self, result: Any) -> None:  # noqa: ANN401 - each kind of job has its own
        """Resume the caller with a result."""
        self._result = result
        self._call()

    def set_exception(self, error: BaseException) -> None:
        """Resume the caller with an error."""
        self._error = error
        self._call()

    def cancel(self, msg: object = None) -> bool:
        """Resume the caller with CancelledError; return False if there is a result already."""
        if self._done:
            return False
        self._error = asyncio.CancelledError() if msg is None else asyncio.CancelledError(msg)
        self._loop.call_soon(self._call)  # a task must not run within its own cancel()
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
        except Exception as error:  # noqa: BLE001 - the other callers of the batch must resume too
            found = {"message": "a callback of the store failed", "exception": error}
            self._loop.call_exception_handler(found)
