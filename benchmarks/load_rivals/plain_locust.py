"""A typical Locust file: users with constant_throughput that wait for each answer (a closed model).

RATE_EACH 0 sends without pauses. It counts the answers over two seconds exactly, and prints the counts as JSON.
"""

from __future__ import annotations

import json
import os
from typing import Any

from locust import FastHttpUser, constant, constant_throughput, events, task

PATH = os.environ["RIVAL_PATH"]
BODY = os.environ["RIVAL_BODY"]
RATE_EACH = float(os.environ["RIVAL_RATE_EACH"])
COUNTS = {"all": 0, "late": 0}


class Shopper(FastHttpUser):
    """Sends a request, waits for the answer, and repeats."""

    wait_time = constant_throughput(RATE_EACH) if RATE_EACH else constant(0)
    network_timeout = connection_timeout = 12.0

    @task
    def post(self) -> None:
        """Send one request."""
        self.client.post(PATH, data=BODY, headers={"Content-Type": "application/json"})


@events.request.add_listener
def _count(response_time: float, **_: Any) -> None:  # noqa: ANN401 - Locust's signature
    COUNTS["all"] += 1
    COUNTS["late"] += response_time > 2000


@events.quitting.add_listener
def _print(environment: Any, **_: Any) -> None:  # noqa: ANN401 - as above
    total = environment.stats.total
    p99 = total.get_response_time_percentile(0.99) or 0
    print("RIVAL " + json.dumps(COUNTS | {"p99_ms": p99}), flush=True)
