"""The platform's own AWS clients. They call the AWS emulator at the configured address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from simulator.errors import AwsFailed, NotNow
from simulator.hosts import aws_url
from simulator.settings import PlatformSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

CLIENT_ERRORS = (ClientError, BotoCoreError, ResponseParserError)
AWS_ERRORS = (*CLIENT_ERRORS, NotNow)
"""What a call of a client raises."""
_UNREADABLE = (KeyError, AttributeError, TypeError)
"""What botocore raises for an answer of the wrong shape."""
_ADDRESS = "JWO_PLATFORM_AWS_ENDPOINT_URL"
_WRONG_KEY = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "AuthorizationError",
    "Forbidden",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "MissingAuthenticationToken",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
    "403",
}
_WRONG_REGION = {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "InvalidRegion"}


class Aws(NamedTuple):
    """The three services that the catalog flow needs, and their address."""

    s3: S3Client
    sns: SNSClient
    sqs: SQSClient
    endpoint: str


class _NoAws:
    """Takes the place of a client on a platform without AWS. Raises NotNow for every call."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any call of a client
        raise NotNow(
            "this platform has no AWS (JWO_PLATFORM_STORES_ALONE), so it has no accounts, catalogs or event feeds",
            hint=f"start it without that setting, or set {_ADDRESS}",
        )


def aws_clients(settings: PlatformSettings) -> Aws:
    """Make the clients. Without an address, every call of a client raises NotNow.

    Raises AmazonHostRefused if the address is a real AWS host, and AwsFailed if a setting of AWS is not usable.
    """
    if not settings.aws_endpoint_url:
        absent = cast("Any", _NoAws())
        return Aws(absent, absent, absent, "")
    endpoint = aws_url(settings.aws_endpoint_url, block_amazon=settings.auth.block_amazon_hosts)
    config = Config(
        s3={"addressing_style": "path"},
        retries={"total_max_attempts": 3},
        connect_timeout=settings.aws_timeout_s,
        read_timeout=settings.aws_timeout_s,
        proxies={},
    )
    with aws_errors_named(endpoint):
        session = boto3.session.Session(*settings.aws_key[:2], region_name=settings.aws_region)
        return Aws(
            session.client("s3", endpoint_url=endpoint, config=config),
            session.client("sns", endpoint_url=endpoint, config=config),
            session.client("sqs", endpoint_url=endpoint, config=config),
            endpoint,
        )


@contextmanager
def aws_errors_named(endpoint: str) -> Iterator[None]:
    """Turn an error of a client into AwsFailed, which names the settings."""
    try:
        yield
    except (*CLIENT_ERRORS, *_UNREADABLE) as error:
        raise aws_failed(endpoint, error) from error


def aws_failed(endpoint: str, error: Exception) -> AwsFailed:
    """Return what a client's error means, and which setting to look at."""
    others = "or set JWO_PLATFORM_STORES_ALONE=true for a platform without catalogs"
    if isinstance(error, ClientError):
        return _refused(endpoint, error)
    if isinstance(error, ReadTimeoutError):
        return AwsFailed(
            f"SNS, SQS and S3 at {endpoint} did not answer in time",
            hint=f"{_ADDRESS} names the address, and JWO_PLATFORM_AWS_TIMEOUT_S the time",
        )
    if isinstance(error, SSLError):
        return AwsFailed(f"{endpoint} does not speak TLS with a trusted certificate", hint=f"{_ADDRESS} names it")
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError, HTTPClientError)):
        return AwsFailed(
            f"SNS, SQS and S3 do not answer at {endpoint}",
            hint=f"{_ADDRESS} names the address: start the services there (jwo aws does), {others}",
        )
    return AwsFailed(
        f"{endpoint} does not answer as SNS, SQS and S3 do ({type(error).__name__})",
        hint=f"{_ADDRESS} must name an emulator of these services (jwo aws is one), {others}",
    )


def _refused(endpoint: str, error: ClientError) -> AwsFailed:
    code, message = error.response.get("Error", {}).get("Code", ""), error.response.get("Error", {}).get("Message", "")
    said = f"{endpoint} refused {error.operation_name}: {code[:80]} {message[:200]}".strip()
    if code in _WRONG_KEY:
        return AwsFailed(said, hint="check JWO_PLATFORM_AWS_ACCESS_KEY_ID and JWO_PLATFORM_AWS_SECRET_ACCESS_KEY")
    if code in _WRONG_REGION:
        return AwsFailed(said, hint="check JWO_PLATFORM_AWS_REGION")
    return AwsFailed(said, hint=f"{_ADDRESS} must name an emulator of SNS, SQS and S3 (jwo aws is one)")
