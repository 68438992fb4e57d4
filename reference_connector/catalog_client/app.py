"""The catalog client's composition root: makes HTTP, SQS, the clock and the pace."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import httpx
from botocore.config import Config

from jwo_toolkit.pacing import Pace
from reference_connector.catalog_client.calls import PlatformCalls
from reference_connector.catalog_client.client import CatalogClient
from reference_connector.catalog_client.hosts import Hosts
from reference_connector.catalog_client.inbox import Inbox
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.errors import ForbiddenHost
from reference_connector.telemetry import EventLog, system_clock

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@contextmanager
def create_client(settings: CatalogClientSettings, *, log: EventLog | None = None) -> Iterator[CatalogClient]:
    """Make a client, and close its connections at the end.

    Raises ForbiddenHost if the settings name a real Amazon host and block those.
    """
    hosts = Hosts(settings.endpoint, block_amazon=settings.auth.block_amazon_hosts)
    log = log or EventLog(system_clock)
    pace_file = settings.pace_file or _pace_file(settings)
    pace = Pace(1, 1 / settings.catalog.rate_per_s, time.time, time.sleep, pace_file)
    inbox = Inbox(_sqs(settings, hosts), settings.queue_url, log) if settings.queue_url else None
    with httpx.Client(timeout=settings.timeout_s, follow_redirects=False, trust_env=False) as http:
        calls = PlatformCalls(settings, http=http, pace=pace, clock=system_clock, sleep=time.sleep, log=log)
        yield CatalogClient(
            settings,
            calls=calls,
            http=http,
            hosts=hosts,
            inbox=inbox,
            monotonic=time.monotonic,
            sleep=time.sleep,
            log=log,
        )


def _pace_file(settings: CatalogClientSettings) -> Path:
    """Return the file that all clients of one account share: the platform limits the rate by account."""
    account = hashlib.sha256(f"{settings.endpoint} {settings.access_key_id}".encode()).hexdigest()[:16]
    owner = os.getuid() if hasattr(os, "getuid") else 0
    return Path(tempfile.gettempdir()) / f"jwo-catalog-{owner}-{account}.pace"


def _sqs(settings: CatalogClientSettings, hosts: Hosts) -> SQSClient:
    if settings.aws_endpoint_url:
        hosts.allowed(settings.aws_endpoint_url)
    elif settings.auth.block_amazon_hosts:
        raise ForbiddenHost(
            "without aws_endpoint_url the client would call AWS for the queue", hint="set aws_endpoint_url"
        )
    return boto3.client(
        "sqs",
        region_name=settings.region,
        endpoint_url=settings.aws_endpoint_url or None,
        aws_access_key_id=settings.access_key_id,
        aws_secret_access_key=settings.secret_access_key.get_secret_value(),
        aws_session_token=settings.session_token.get_secret_value() if settings.session_token else None,
        config=Config(read_timeout=30, retries={"max_attempts": 3, "mode": "standard"}),
    )
