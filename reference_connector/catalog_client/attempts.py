"""Repeats calls after failures that may pass: bounded exponential back-off with jitter, and Retry-After."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.errors import PlatformClientError, PlatformRefused, UploadStopped
from reference_connector.telemetry import EventLog

_TOO_MANY = 429
_Answer = TypeVar("_Answer")


class Attempts:
    """Repeats calls. Several threads may share one object; `stop` ends the pauses of all."""

    def __init__(self, settings: CatalogClientSettings, monotonic: Callable[[], float], log: EventLog) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._log = log
        self._stopping = threading.Event()
        self._has_tried = stop_after_attempt(settings.max_attempts)
        self._backoff = wait_exponential_jitter(
            multiplier=settings.backoff_first_s, jitter=settings.backoff_first_s, max=settings.retry_wait_max_s
        )

    def run(self, name: str, call: Callable[[], _Answer], end: float = math.inf) -> _Answer:
        """Return the result of a call. `end` is a time of the monotonic clock, after which no attempt begins.

        The first attempt is made in any case. Raises the PlatformClientError of the last attempt. Raises UploadStopped
        after `stop`.
        """
        if self._stopping.is_set():
            raise UploadStopped("the upload was stopped before this call")
        retrying = Retrying(
            sleep=self._pause,
            stop=partial(self._is_over, end),
            wait=self._wait_s,
            retry=retry_if_exception(_may_pass),
            before_sleep=partial(self._note, name),
            retry_error_callback=partial(self._give_up, name),
        )
        return retrying(call)

    def stop(self) -> None:
        """End every pause, so that no further attempt begins."""
        self._stopping.set()

    def resume(self) -> None:
        """Allow attempts again after a stop."""
        self._stopping.clear()

    def _pause(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise UploadStopped("the upload was stopped before the next attempt")

    def _is_over(self, end: float, state: RetryCallState) -> bool:
        return self._has_tried(state) or self._monotonic() + state.upcoming_sleep >= end

    def _wait_s(self, state: RetryCallState) -> float:
        error, wait_s = _failure(state), self._backoff(state)
        asked_s = error.retry_after_s
        if asked_s is None and isinstance(error, PlatformRefused) and error.status == _TOO_MANY:
            asked_s = self._settings.catalog.retry_after_s
        return min(max(wait_s, asked_s or 0.0), self._settings.retry_wait_max_s)

    def _note(self, name: str, state: RetryCallState) -> None:
        self._event(name, _failure(state), retryInS=round(state.upcoming_sleep, 3))

    def _give_up(self, name: str, state: RetryCallState) -> None:
        error = _failure(state)
        error.attempts = state.attempt_number
        self._event(name, error)
        raise error

    def _event(self, name: str, error: PlatformClientError, **more: float) -> None:
        status = getattr(error, "status", None)
        self._log.event("catalog_call_failed", call=name, status=status, reason=str(error), **more)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, PlatformClientError) and error.may_pass


def _failure(state: RetryCallState) -> PlatformClientError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, PlatformClientError)
    return error
