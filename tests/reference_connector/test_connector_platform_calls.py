"""Signed calls of the connector to the platform: exact amounts, and which failures may pass."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from jwo_contract.operations import ADJUST_CHARGE, CAPTURE_CHARGE, CHECKOUT_CART, Operation
from jwo_contract.settings import read
from jwo_contract.sigv4 import Key, verify
from reference_connector.errors import BadRetailerData, ForbiddenHost, PlatformClientError
from reference_connector.platform_calls.caller import PlatformCaller
from reference_connector.platform_calls.settings import PlatformAccess
from reference_connector.retailer_source import RetailerSource
from reference_connector.settings import ConnectorSettings

NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
KEY = Key("a-key", "a-secret", "a-token")
BODY = {"storeId": "S", "shoppingTripId": "trip-1", "amount": {"amount": Decimal("10.10"), "code": "USD"}}
APPROVED = b'{"status": "APPROVED", "authorizedAmount": {"amount": 10.10, "code": "USD"}}'


def access(**changes: Any) -> PlatformAccess:
    named = {"access_key_id": "a-key", "secret_access_key": "a-secret", "session_token": "a-token", "rate_per_s": 0}
    return PlatformAccess(**{"endpoint": "http://platform", **named, **changes})


def unread(status: int, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    """An answer of which no part is read yet."""
    return httpx.Response(status, stream=httpx.ByteStream(body), headers=headers)


def call(handle: Any, operation: Operation = ADJUST_CHARGE, **changes: Any) -> Any:
    async def once() -> Any:
        caller = PlatformCaller(
            access(**changes), block_amazon=True, clock=lambda: NOW, transport=httpx.MockTransport(handle)
        )
        try:
            return await caller.call(operation, BODY)
        finally:
            await caller.close()

    return asyncio.run(once())


def test_call_is_signed_and_its_amounts_are_exact() -> None:
    sent: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return unread(200, APPROVED)

    found = call(handle)
    assert str(found["authorizedAmount"]["amount"]) == "10.10"
    assert b'"amount":10.10,' in sent[0].content
    verify(
        "POST",
        str(sent[0].url),
        sent[0].headers,
        sent[0].content,
        find_key=lambda _: KEY,
        region="us-east-1",
        now=NOW,
    )


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_empty_answer_is_an_empty_object(body: bytes) -> None:
    assert call(answering(200, body), CAPTURE_CHARGE) == {}


@pytest.mark.parametrize(
    ("operation", "url"),
    [(ADJUST_CHARGE, "http://pay/v1/adjust/charge"), (CHECKOUT_CART, "http://out/v1/checkout/carts")],
)
def test_each_api_has_its_host(operation: Operation, url: str) -> None:
    assert access(endpoint="http://pay/", checkout_endpoint="http://out").url_of(operation) == url


def broken(_request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("the connection broke")


def unsendable(_request: httpx.Request) -> httpx.Response:
    raise httpx.LocalProtocolError("Illegal header value b'a-token'")


def answering(status: int, body: bytes = b"", **headers: str) -> Any:
    return lambda _: unread(status, body, headers)


@pytest.mark.parametrize(
    ("handle", "may_pass", "retry_after_s", "text"),
    [
        (answering(400, b'{"errorMsg": "UnknownShoppingTrip"}'), False, None, "400: UnknownShoppingTrip"),
        (answering(403, b'{"message": "Forbidden"}'), False, None, "403: Forbidden"),
        (answering(429, b"", **{"Retry-After": "600"}), True, 600, "429: Too Many Requests"),
        (answering(500, b'{"errorMsg": "Internal Server Error. Retry."}'), True, None, "500"),
        (answering(500, b'{"errorMsg": "Internal Server Error. Do not retry."}'), False, None, "Do not retry"),
        (answering(503, b"", **{"Retry-After": "2"}), True, 2, "503"),
        (answering(503, b"", **{"Retry-After": "9" * 20}), True, 86_400, "503"),
        (answering(302, b"", Location="http://other"), False, None, "302"),
        (answering(200, b'{"status": "APPR'), True, None, "Adjust Charge"),
        (answering(200, b'{"status": "NEW"}'), False, None, "Adjust Charge"),
        (answering(200, b"x" * 80), False, None, "more than 70 bytes"),
        (answering(200, b"x", **{"Content-Encoding": "gzip"}), True, None, "damaged"),
        (broken, True, None, "the connection broke"),
        (unsendable, False, None, "not valid"),
    ],
)
def test_failure_says_whether_a_repetition_may_help(
    handle: Any, *, may_pass: bool, retry_after_s: float | None, text: str
) -> None:
    with pytest.raises(PlatformClientError) as caught:
        call(handle, answer_limit_bytes=70)
    error = caught.value
    assert (error.may_pass, error.retry_after_s) == (may_pass, retry_after_s)
    assert text in str(error)
    assert "a-token" not in str(error)


def test_call_ends_at_its_time_limit() -> None:
    async def handle(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(5)
        return httpx.Response(200)

    with pytest.raises(PlatformClientError, match=r"within 0\.01 s") as caught:
        call(handle, timeout_s=0.01)
    assert caught.value.may_pass


@pytest.mark.parametrize(
    ("endpoint", "error"),
    [("https://us-east-1.payments.amazonphysicalstores.com", ForbiddenHost), ("", PlatformClientError)],
)
def test_connector_calls_no_other_host(endpoint: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        call(answering(200, APPROVED), endpoint=endpoint)


def test_calls_of_one_api_keep_their_rate() -> None:
    async def several() -> float:
        loop = asyncio.get_running_loop()
        transport = httpx.MockTransport(answering(200, APPROVED))
        caller = PlatformCaller(access(rate_per_s=50), block_amazon=True, clock=lambda: NOW, transport=transport)
        begin = loop.time()
        await asyncio.gather(*(caller.call(ADJUST_CHARGE, BODY) for _ in range(4)))
        await caller.close()
        return loop.time() - begin

    assert asyncio.run(several()) >= 3 / 50


FILE = '[[store]]\nid = "S"\npayment = "{}"\n[[product]]\nsku = "A"\nprice = "1.00"\nname = "a"\n'


@pytest.mark.parametrize("model", ["amazon", "mixed", "checkout"])
def test_store_with_calls_to_the_platform_needs_its_settings(tmp_path: Path, model: str) -> None:
    file = tmp_path / "retailer.toml"
    file.write_text(FILE.format(model))
    with pytest.raises(BadRetailerData, match=rf'store S has payment = "{model}".*JWO_CONNECTOR_PLATFORM__ENDPOINT'):
        RetailerSource([file], [], 1, platform_missing=PlatformAccess().missing).load()
    assert RetailerSource([file], [], 1, platform_missing=access().missing).load().stores == {"S": model}


def test_unknown_payment_model_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "retailer.toml"
    file.write_text(FILE.format("amazn"))
    with pytest.raises(
        BadRetailerData, match=r"line 1, \[\[store\]\] number 1: payment: 'amazn'.* did you mean amazon"
    ):
        RetailerSource([file], [], 1).load()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWO_CONNECTOR_PLATFORM__ENDPOINT", "http://platform")
    settings = read(ConnectorSettings)
    assert settings.platform.missing == (
        "JWO_CONNECTOR_PLATFORM__ACCESS_KEY_ID, JWO_CONNECTOR_PLATFORM__SECRET_ACCESS_KEY"
    )
