"""The kinds of stores of `jwo shop`: who charges the shoppers, and the retailer's side of a day with payment calls."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
from collections.abc import Awaitable, Callable
from decimal import ROUND_DOWN, Decimal
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import httpx

from jwo.aws import REGION, Queue, RetailerAws
from jwo.connector_books import open_payments, read_books
from jwo.demo.neighbourhood import call, key_setup
from jwo.store_kind_option import StoreKind
from jwo_contract.sigv4 import Key
from simulator.payment_calls.charge_record import Charge
from simulator.portal.stores import PaymentProcessor
from simulator.reconciliation.records import ConnectorBooks
from simulator.shop.payments import Retailer
from simulator.shop.plan import Means
from simulator.shop.shares import Shares
from simulator.worlds import World

PAYMENT: dict[StoreKind, str] = {"retailer": "retailer", "card": "amazon", "mixed": "mixed", "checkout": "checkout"}
"""The payment model of `[[store]]` in the retailer file."""
_CARD_SHARE = 0.5
"""Of the visits of a mixed store, unless --share says otherwise."""
_REFUNDED_OF = 10
"""One of this number of captured trips gets a refund, half of these of everything."""
_NAMESPACE = UUID("0c1f9a34-58f5-4be0-94a5-fd1b3a3e2a10")
_QUICK = {"rate_per_s": 10_000.0, "burst": 10_000, "retry_after_s": 1}
"""The limits of the platform's calls: a day at full speed has thousands of calls in a second of platform time."""


class Money(NamedTuple):
    """What a connector with payment calls needs: the addresses of platform and AWS, two queues, and the keys."""

    url: str
    aws_url: str
    events: Queue
    files: Queue
    key: Key
    admin_token: str
    kind: StoreKind = "mixed"

    @property
    def processor(self) -> PaymentProcessor:
        """Return who charges cards in the platform's stores."""
        return "checkout" if self.kind == "checkout" else "amazon"

    def connector_settings(self) -> dict[str, str]:
        """Return the variables of a connector that calls the platform, and reads feed and files."""
        settings = {
            "PLATFORM__ENDPOINT": self.url,
            "PLATFORM__ACCESS_KEY_ID": self.key.access_key_id,
            "PLATFORM__SECRET_ACCESS_KEY": self.key.secret_access_key,
            "PLATFORM__REGION": REGION,
            "PLATFORM__RATE_PER_S": "0",
            "FEEDS__EVENTS_QUEUE_URL": self.events.url,
            "FEEDS__FILES_QUEUE_URL": self.files.url,
            "FEEDS__AWS_ENDPOINT_URL": self.aws_url,
            "FEEDS__REGION": REGION,
            "FEEDS__ACCESS_KEY_ID": "retailer",
            "FEEDS__SECRET_ACCESS_KEY": "retailer",
            "FEEDS__WAIT_S": "1",
            "FEEDS__RETRY_S": "0.2",
            "PAYMENTS__POLL_S": "0.2",
            "PAYMENTS__BACKOFF_FIRST_S": "0.1",
            "PAYMENTS__BACKOFF_MAX_S": "2",
            "PAYMENTS__ATTEMPTS_MAX": "1000",
        }
        return {f"JWO_CONNECTOR_{name}": value for name, value in settings.items()}

    def platform_settings(self) -> dict[str, Any]:
        """Return the settings of the platform."""
        more = {"catalog": {"retry_after_s": 1}}
        return {"base_url": self.url, "aws_endpoint_url": self.aws_url, **self.limits(), **more}

    def limits(self) -> dict[str, Any]:
        """Return the settings of the platform that limit the rate of payment calls."""
        return dict.fromkeys(("payment", "checkout"), _QUICK)

    def messages(self) -> int:
        """Return how many messages of both queues the connector has not finished."""
        aws = RetailerAws(self.aws_url)
        return sum(map(aws.count_messages, (self.events, self.files)))

    def waiting(self, connector_url: str) -> int:
        """Return how many payment calls and messages the connector has not finished."""
        return open_payments(connector_url, self.admin_token) + self.messages()

    def retailer(self, connector_url: str, listener: socket.socket) -> Retailer:
        """Return the retailer's side of a day; `listener` is the bound socket of the platform's address."""
        where = (connector_url, self.admin_token)
        return Retailer(
            listener,
            self.key,
            self.events.arn,
            self.files.arn,
            ask_connector=books_of(*where),
            waiting=partial(asyncio.to_thread, self.waiting, connector_url),
            refund=partial(_refund, *where),
            processor=self.processor,
        )


def make_money(url: str, aws_url: str, admin_token: str, kind: StoreKind) -> Money:
    """Make two queues and a key for a platform at an address."""
    aws = RetailerAws(aws_url)
    key = Key(f"AKIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30))
    return Money(url, aws_url, aws.make_queue("jwo-events"), aws.make_queue("jwo-files"), key, admin_token, kind)


def means_of(kind: StoreKind, means: Means, shares: Shares, given: frozenset[str]) -> tuple[Means, Shares]:
    """Return the means of entry and the shares of a kind of store.

    A card-entry store has cards alone. A mixed store has more cards than others, and no loyalty card opens its gates.
    """
    if kind == "retailer":
        return means, shares
    if kind == "mixed":
        card = shares.card if "card" in given else _CARD_SHARE
        return means._replace(loyalty=()), shares.model_copy(update={"card": card})
    return Means(cards=means.cards), shares.model_copy(update={"card": 1.0, "badge": 0.0, "loyalty": 0.0})


def store_rows(kind: StoreKind, ids: list[str]) -> list[str]:
    """Return the rows of the retailer file about the stores."""
    return [f'[[store]]\nid = {json.dumps(one)}\npayment = "{PAYMENT[kind]}"\n' for one in ids]


def with_payment(world: World, kind: StoreKind, folder: Path) -> World:
    """Return a world of which the retailer's own file has the payment model of its stores."""
    text, row = world.file.read_text("utf-8"), "[[store]]\n"
    file = folder / "world.toml"
    file.write_text(text.replace(row, f'{row}payment = "{PAYMENT[kind]}"\n'), "utf-8")
    return world.model_copy(update={"file": file})


def open_payments_at(url: str, retailer: str, money: Money) -> None:
    """Allow-list the key of the payment calls at a platform, and announce feed and files to the two queues."""
    account = {"retailer": retailer, **key_setup(money.key)}
    call("PUT", f"{url}/portal/accounts/{money.events.arn.split(':')[4]}", account)
    call("PUT", f"{url}/portal/merchants/{retailer}/event-feed", {"queueArn": money.events.arn})
    call("PUT", f"{url}/portal/merchants/{retailer}/intra-day", {"queueArn": money.files.arn})


def books_of(url: str, token: str, *, with_feeds: bool = True) -> Callable[[], Awaitable[ConnectorBooks]]:
    """Return a function that reads the books of a reference connector."""
    return partial(asyncio.to_thread, read_books, url, token, with_feeds=with_feeds)


async def _refund(url: str, token: str, charges: list[Charge]) -> None:
    """Ask the connector for refunds of some charges, the same for each run of a day."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False) as http:
        for charge in charges:
            request_id = uuid5(_NAMESPACE, charge.trip_id)
            if request_id.int % _REFUNDED_OF == 0 and charge.captured and charge.captured.amount:
                body = {"refundRequestId": str(request_id), "shoppingTripId": charge.trip_id}
                amount = (charge.captured.amount / 2).quantize(Decimal("0.01"), ROUND_DOWN)
                is_partial = request_id.int // _REFUNDED_OF % 2 and amount
                more = {"amount": f"{amount:f}"} if is_partial else {}
                answer = await http.post("/ops/refunds", json={**body, "refundReasonCode": "OTHER", **more})
                answer.raise_for_status()
