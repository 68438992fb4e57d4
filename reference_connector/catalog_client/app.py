"""The catalog client's composition root: makes HTTP, SQS, the clock and the pace."""

from __future__ import annotations

import hashlib
import os
import ssl
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import httpx
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from jwo_contract.errors import BadSettings
from jwo_toolkit.pacing import Pace
from jwo_toolkit.tls import client_context, unusable
from reference_connector.catalog_client.attempts import Attempts
from reference_connector.catalog_client.calls import PlatformCalls
from reference_connector.catalog_client.client import CatalogClient
from reference_connector.catalog_client.deadlines import BoundedTransport, Deadline
from reference_connector.catalog_client.inbox import LONGEST_POLL_S, Inbox
from reference_connector.catalog_client.metrics import CatalogMetrics
from reference_connector.catalog_client.reports import Downloads, Reports
from reference_connector.catalog_client.results import Follower
from reference_connector.catalog_client.sending import Sender
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.errors import ForbiddenHost, QueueUnusable
from reference_connector.platform_calls.hosts import Hosts
from reference_connector.telemetry import EventLog, system_clock

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@contextmanager
def create_client(settings: CatalogClientSettings, *, log: EventLog | None = None) -> Iterator[CatalogClient]:
    """Make a client, and close its connections at the end.

    Raises ForbiddenHost if the settings name a real Amazon host and block those. Raises BadSettings if ca_file has no
    certificate, and QueueUnusable if the region or the address of SQS is not valid.
    """
    hosts = Hosts(settings.endpoint, block_amazon=settings.auth.block_amazon_hosts)
    log = log or EventLog(system_clock)
    metrics = CatalogMetrics(settings.metrics_file, log) if settings.metrics_file else None
    if metrics is not None:
        metrics.write()  # a wrong path is an error before the first call
    pace_file = settings.pace_file or _pace_file(settings)
    pace = Pace(1, 1 / settings.catalog.rate_per_s, time.time, time.sleep, pace_file)
    inbox = Inbox(_sqs(settings, hosts), settings.queue_url, log) if settings.queue_url else None
    deadline = Deadline(time.monotonic)
    transport = BoundedTransport(deadline, _trusted(settings.ca_file))
    with httpx.Client(timeout=settings.timeout_s, follow_redirects=False, trust_env=False, transport=transport) as http:
        attempts, sender = Attempts(settings, time.monotonic, log), Sender(http, settings, time.monotonic, deadline)
        calls = PlatformCalls(settings, sender=sender, attempts=attempts, pace=pace, clock=system_clock)
        downloads = Downloads(settings, sender, attempts)
        follower = Follower(
            settings,
            calls=calls,
            reports=Reports(downloads, calls, hosts, log),
            inbox=inbox,
            monotonic=time.monotonic,
            sleep=time.sleep,
            log=log,
        )
        client = CatalogClient(
            settings,
            attempts=attempts,
            calls=calls,
            downloads=downloads,
            follower=follower,
            hosts=hosts,
            inbox=inbox,
            monotonic=time.monotonic,
            log=log,
        )
        try:
            yield client
        finally:
            if metrics is not None:
                metrics.write()


def _trusted(ca_file: str) -> ssl.SSLContext:
    """Return the certificates that the client trusts. Raises BadSettings if the file has none."""
    if not ca_file:
        return httpx.create_ssl_context(trust_env=False)
    if why := unusable(ca_file):
        raise BadSettings(f"JWO_CATALOG_CA_FILE: {ca_file} is not usable ({why}); name a file of certificates in PEM")
    return client_context(ca_file)


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
    try:
        return _make_sqs(settings)
    except (BotoCoreError, ValueError) as error:
        raise QueueUnusable(
            f"no client for the queue can be made ({error})",
            hint="check JWO_CATALOG_REGION and JWO_CATALOG_AWS_ENDPOINT_URL",
        ) from error


def _make_sqs(settings: CatalogClientSettings) -> SQSClient:
    return boto3.client(
        "sqs",
        region_name=settings.region,
        endpoint_url=settings.aws_endpoint_url or None,
        aws_access_key_id=settings.access_key_id,
        aws_secret_access_key=settings.secret_access_key.get_secret_value(),
        aws_session_token=settings.session_token.get_secret_value() if settings.session_token else None,
        verify=settings.ca_file or None,
        config=Config(
            connect_timeout=settings.queue_timeout_s,
            read_timeout=LONGEST_POLL_S + settings.queue_timeout_s,
            retries={"total_max_attempts": 3, "mode": "standard"},
        ),
    )
