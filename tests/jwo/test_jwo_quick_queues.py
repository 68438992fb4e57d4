"""The queues of the simulated AWS: quick, with the attributes and the messages that moto itself gives."""

from __future__ import annotations

from typing import Any

import pytest
from moto.sqs import models

from jwo.quick_queues import Attributes, make_quick

REDRIVE = '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": 3}'


def contents() -> list[tuple[dict[str, Any], int]]:
    """Return attributes and visible messages of three queues, one message of which is received, and one is delayed."""
    backend = models.SQSBackend("us-east-1", "123456789012")
    backend.create_queue("dead", {})
    backend.create_queue("plain", {"RedrivePolicy": REDRIVE, "DelaySeconds": "0"})
    backend.create_queue("ordered.fifo", {"FifoQueue": "true", "ContentBasedDeduplication": "true"})
    for delay in (0, 0, 60):
        backend.send_message("plain", f"after {delay}", delay_seconds=delay)
    received = backend.receive_message("plain", 1, 0, 30)
    assert len(received) == 1
    found = []
    for queue in backend.queues.values():
        attributes = {name: value for name, value in dict(queue.attributes).items() if "Timestamp" not in name}
        found.append((attributes, len(queue.messages)))
    return found


def test_attributes_and_messages_are_those_of_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("attributes", "messages"):  # so that the end of the test puts moto's own properties back
        monkeypatch.setattr(models.Queue, name, vars(models.Queue)[name])
    before = contents()
    make_quick()
    after = contents()
    assert isinstance(models.Queue("q", "us-east-1", "1").attributes, Attributes)
    assert after == before
    assert [count for _, count in after] == [0, 1, 0]
