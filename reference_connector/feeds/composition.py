"""Makes the consumers of the queues that the settings name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

from reference_connector.errors import FileRefused, MessageUnreadable
from reference_connector.feeds.aws import S3Files, SqsQueue, make_clients
from reference_connector.feeds.consumer import Consumer, Consumers, Reading
from reference_connector.feeds.messages import ObjectName, read_event, read_notification
from reference_connector.feeds.rows import read_rows
from reference_connector.feeds.settings import Feeds
from reference_connector.store import Store
from reference_connector.telemetry import Clock, EventLog

EVENTS, FILES = "events", "files"
_EVENTS_AT_ONCE, _FILES_AT_ONCE = 10, 2
"""SQS gives at most ten messages. Files are large, so few of them are in memory at the same moment."""


def make_consumers(rules: Feeds, store: Store, clock: Clock, log: EventLog, *, block_amazon: bool) -> Consumers:
    """Make the consumers.

    Raises ForbiddenHost if they would call Amazon and that is blocked, and FeedUnavailable if a setting is not usable.
    """
    aws = make_clients(rules, block_amazon=block_amazon)
    queue = partial(SqsQueue, aws.sqs, wait_s=rules.wait_s)
    consumer = partial(Consumer, store=store, rules=rules, clock=clock, log=log)
    files = S3Files(aws.s3, rules.bucket, rules.file_bytes_max)
    made: dict[str, Consumer] = {}
    if rules.events_queue_url:
        made[EVENTS] = consumer(EVENTS, queue(rules.events_queue_url, at_once=_EVENTS_AT_ONCE), read_one_event)
    if rules.files_queue_url:
        read = partial(read_files, files.read)
        made[FILES] = consumer(FILES, queue(rules.files_queue_url, at_once=_FILES_AT_ONCE), read)
    return Consumers(made, aws.close)


async def read_one_event(body: str) -> AsyncIterator[Reading]:
    """Read a message of the event feed."""
    record = read_event(body)
    if record:
        yield Reading([record])


async def read_files(fetch: Callable[[ObjectName], bytes], body: str) -> AsyncIterator[Reading]:
    """Read a notification and its files. Raises FileRefused after the other files, if S3 does not give some."""
    refused: list[FileRefused] = []
    for name in read_notification(body):
        file = f"{name.bucket}/{name.key}"
        try:
            found = read_rows(await asyncio.to_thread(fetch, name))
        except FileRefused as error:
            refused.append(error)
        except MessageUnreadable as error:
            yield Reading((), file, problems=[str(error)])
        else:
            yield Reading(found.records, file, found.rows, found.problems)
    if refused:
        raise FileRefused("; ".join(map(str, refused)), hint=refused[0].hint)
