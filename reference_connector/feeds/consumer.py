"""Consumes a queue: books what its messages report, and deletes a message after that is on disk.

A process that dies in between gets the message again, and the books then do not change. A message that is not readable
becomes a dead letter, also before it is deleted. So no message is lost, and none blocks the others.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

from reference_connector.errors import FeedUnavailable, FileRefused, MessageUnreadable, StoreError
from reference_connector.feeds.settings import Feeds
from reference_connector.store import Records, Store
from reference_connector.store.books import BookedFile, DeadLetter, FeedRecord
from reference_connector.telemetry import Clock, EventLog

_SHOWN_PROBLEMS = 20
_DOUBLED_AT_MOST = 20
_INTERRUPTED_AT_MOST = 10_000
"""Other consumers may finish the messages, so the consumer forgets all interruptions when there are more."""


class Received(Protocol):
    """A message: its text, the handle that deletes it, and how often it was received."""

    @property
    def body(self) -> str:
        """The text."""

    @property
    def handle(self) -> str:
        """What deletes it."""

    @property
    def receives(self) -> int:
        """How often it was received."""


class Queue(Protocol):
    """A queue that delivers at least once. The methods wait for the network, and raise FeedUnavailable."""

    def receive(self) -> Sequence[Received]:
        """Wait for messages, and return them."""

    def delete(self, handles: Sequence[str]) -> None:
        """Delete messages."""

    def hide(self, handle: str, pause_s: int) -> None:
        """Let a message come again after a pause."""


class Reading(NamedTuple):
    """What a message reports: records, the file that has them, and what is not readable in it."""

    records: Sequence[FeedRecord]
    file: str = ""
    rows: int = 0
    problems: Sequence[str] = ()


Read = Callable[[str], AsyncIterator[Reading]]
"""Reads a message and its files, one after the other. Raises MessageUnreadable, FileRefused or FeedUnavailable."""


class Consumer:
    """Consumes the queue `name`; several consumers, in any number of processes, may share it."""

    def __init__(
        self, name: str, queue: Queue, read: Read, *, store: Store, rules: Feeds, clock: Clock, log: EventLog
    ) -> None:
        self.name = name
        self._queue = queue
        self._read = read
        self._store = store
        self._rules = rules
        self._clock = clock
        self._log = log
        self._interruptions: Counter[str] = Counter()
        """How often a failure of S3 or the database has interrupted each message; those are no attempts."""

    async def run(self) -> None:
        """Consume messages until cancelled."""
        while True:
            try:
                is_well = await self.poll() is not None
            except FeedUnavailable as error:
                self._log.event("feed_waits", queue=self.name, reason=f"{error}; {error.hint}")
                is_well = False
            except Exception as error:  # noqa: BLE001 - without this task, no later message would be read
                self._log.event("feed_waits", queue=self.name, reason=type(error).__name__)
                is_well = False
            if not is_well:
                await asyncio.sleep(self._rules.retry_s)

    async def poll(self) -> int | None:
        """Consume the messages of one call; return how many, or None if one of them must come again.

        Raises FeedUnavailable if the queue gives no answer.
        """
        are_done = [is_done for _, is_done in await self.poll_each()]
        return len(are_done) if all(are_done) else None

    async def poll_each(self) -> list[tuple[str, bool]]:
        """Consume the messages of one call; return the text of each, and whether it need not come again.

        Raises FeedUnavailable if the queue gives no answer.
        """
        messages = await asyncio.to_thread(self._queue.receive)
        are_done = await asyncio.gather(*(self._consume(message) for message in messages))
        handles = [message.handle for message, is_done in zip(messages, are_done, strict=True) if is_done]
        if handles:
            await asyncio.to_thread(self._queue.delete, handles)
        return [(message.body, is_done) for message, is_done in zip(messages, are_done, strict=True)]

    async def _consume(self, message: Received) -> bool:
        """Handle a message; return whether it is done, so that it can be deleted."""
        try:
            problems = await self.handle(message.body)
            if problems:
                await self._keep(message.body, problems)
        except (FeedUnavailable, StoreError) as error:
            self._log.event("feed_waits", queue=self.name, reason=f"{error}; {error.hint}")
            self._note_interruption(message)
            return False
        except FileRefused as error:
            return await self._fail(message, f"{error}; {error.hint}".rstrip("; "))
        except Exception as error:  # noqa: BLE001 - one message must not end the consumer
            return await self._fail(message, f"the connector failed: {type(error).__name__}")
        self._interruptions.pop(message.body, None)
        return True

    def _note_interruption(self, message: Received) -> None:
        if len(self._interruptions) >= _INTERRUPTED_AT_MOST:
            self._interruptions.clear()
        self._interruptions[message.body] += 1

    async def _fail(self, message: Received, reason: str) -> bool:
        """Hide a message until its next attempt, or keep it after its last one; return whether it is kept."""
        attempt = max(1, message.receives - self._interruptions[message.body])
        self._log.event(
            "feed_message_failed", queue=self.name, reason=reason, receives=message.receives, attempt=attempt
        )
        if attempt >= self._rules.attempts_max:
            is_kept = await self._keep_if_possible(message.body, reason)
            if is_kept:
                self._interruptions.pop(message.body, None)
            return is_kept
        pause_s = self._rules.attempt_pause_s * 2 ** min(attempt - 1, _DOUBLED_AT_MOST)
        try:
            pause = math.ceil(min(pause_s, self._rules.attempt_pause_max_s))
            await asyncio.to_thread(self._queue.hide, message.handle, pause)
        except FeedUnavailable as error:  # then it comes again after the queue's own pause
            self._log.event("feed_waits", queue=self.name, reason=f"{error}; {error.hint}")
        return False

    async def handle(self, body: str) -> list[str]:
        """Book what a message reports; return what is not readable in it.

        Raises FileRefused if S3 does not give a file. Raises FeedUnavailable if S3 gives no answer, and StoreError.
        """
        problems: list[str] = []
        try:
            async for reading in self._read(body):
                problems += await self._book(reading)
        except MessageUnreadable as error:
            problems.append(str(error))
        return problems

    async def _book(self, reading: Reading) -> list[str]:
        """Book the records, and return what is not booked, and why.

        It books some at a time, as each commit delays the answers at the gate for a moment.
        """
        records, size = reading.records, self._rules.records_at_once
        problems = [*reading.problems]
        for start in range(0, len(records), size):
            late = await self._store.transact(_book, records[start : start + size], reading.file)
            problems += (f"record {each.id}: the books of its trip were removed (feeds.keep_days)" for each in late)
        if reading.file:
            bad = len(problems)
            file = BookedFile(reading.file, reading.rows, bad, self._clock())
            await self._store.transact(lambda found: found.books.note_file(file))
            self._log.event("feed_file_booked", file=reading.file, rows=reading.rows, badRows=bad)
        return [f"{reading.file}: {problem}" if reading.file else problem for problem in problems]

    async def _keep(self, body: str, problems: Sequence[str]) -> None:
        """Keep a message as a dead letter."""
        more = len(problems) - _SHOWN_PROBLEMS
        reason = "; ".join((*problems[:_SHOWN_PROBLEMS], *((f"and {more} more",) if more > 0 else ())))
        text = body.encode(errors="backslashreplace").decode().replace("\0", "\\x00")  # PostgreSQL stores no NUL
        letter = DeadLetter(letter_id(self.name, text), self.name, reason, text, self._clock())
        await self._store.transact(lambda records: records.books.keep_letter(letter))
        self._log.event("feed_dead_letter", queue=self.name, id=letter.id, reason=reason)

    async def _keep_if_possible(self, body: str, reason: str) -> bool:
        try:
            await self._keep(body, [reason])
        except StoreError as error:
            self._log.event("feed_waits", queue=self.name, reason=str(error))
            return False
        return True


class Consumers(NamedTuple):
    """The consumers of a process, by the names of their queues; `close` closes their connections."""

    by_queue: Mapping[str, Consumer] = MappingProxyType({})
    close: Callable[[], None] = lambda: None


def letter_id(queue: str, body: str) -> str:
    """Return the id of a dead letter. A message that comes again has the same one."""
    return hashlib.blake2b(f"{queue}\0{body}".encode(), digest_size=16).hexdigest()


def _book(records: Records, added: Sequence[FeedRecord], file: str) -> list[FeedRecord]:
    return records.books.book(added, file)
