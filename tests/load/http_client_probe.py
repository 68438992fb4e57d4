"""Sends requests through load.http_client and prints each result as JSON, in a separate process because of gevent.

Usage: `python http_client_probe.py URL READ_FOR_S CROSSING_S PAUSE_S COUNT`, with PAUSE_S between two requests.
"""

from __future__ import annotations

import json
import sys
import time

import gevent
from gevent import monkey

monkey.patch_all()

from load.http_client.connection_pool import ConnectionPool  # noqa: E402 - patching comes first, as in Locust
from load.http_client.exchange import Exchange  # noqa: E402 - patching comes first, as in Locust

REQUEST = b"POST /x HTTP/1.1\r\nHost: probe\r\nContent-Length: 2\r\n\r\n{}"


def main(url: str, read_for_s: float, crossing_s: float, pause_s: float, count: int) -> None:
    ended: list[Exchange] = []
    pool = ConnectionPool(url, read_for_s, crossing_s, ended.append)
    for number in range(count):
        pool.send(Exchange(time.perf_counter_ns(), REQUEST, None))
        while len(ended) <= number:
            gevent.sleep(0.005)
        gevent.sleep(pause_s)
    entries = [
        {
            "status": exchange.status,
            "body": exchange.body.decode(),
            "failure": exchange.failure,
            "cold": exchange.cold,
            "resent": exchange.resent,
            "ms": exchange.latency_ns / 1e6,
        }
        for exchange in ended
    ]
    print(json.dumps(entries))  # noqa: T201 - the probe's output
    pool.close()


if __name__ == "__main__":
    main(sys.argv[1], *map(float, sys.argv[2:5]), count=int(sys.argv[5]))
