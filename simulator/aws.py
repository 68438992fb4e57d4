"""The platform's own AWS clients. They call the AWS emulator at the configured address."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import boto3
from botocore.config import Config

from simulator.hosts import aws_url
from simulator.settings import PlatformSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


class Aws(NamedTuple):
    """The three services that the catalog flow needs."""

    s3: S3Client
    sns: SNSClient
    sqs: SQSClient


def aws_clients(settings: PlatformSettings) -> Aws:
    """Make the clients. Raises AmazonHostRefused if the address is a real AWS host."""
    endpoint = aws_url(settings.aws_endpoint_url, block_amazon=settings.auth.block_amazon_hosts)
    session = boto3.session.Session(*settings.aws_key[:2], region_name=settings.aws_region)
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 3}, proxies={})
    return Aws(
        session.client("s3", endpoint_url=endpoint, config=config),
        session.client("sns", endpoint_url=endpoint, config=config),
        session.client("sqs", endpoint_url=endpoint, config=config),
    )
