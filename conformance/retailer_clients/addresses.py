"""The addresses that a retailer's client gets, and the AWS account with which it calls."""

from __future__ import annotations

import secrets
from typing import NamedTuple

from jwo_contract.sigv4 import Key


class Addresses(NamedTuple):
    """The addresses of the simulated platform and of the substitute for AWS, and the region of signatures."""

    platform_url: str
    aws_url: str
    region: str = "us-east-1"


class Account(NamedTuple):
    """An onboarded AWS account of a retailer, with its stores and its queue; a client without a queue has none."""

    id: str
    retailer: str
    key: Key
    stores: tuple[str, ...]
    queue_url: str = ""
    queue_arn: str = ""


def new_account(stores: int) -> Account:
    """Return an account with new ids and a new temporary key, which the platform does not know yet."""
    number = f"{secrets.randbelow(10**12):012d}"
    key = Key(f"ASIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30), secrets.token_urlsafe(60))
    return Account(number, f"retailer-{number}", key, tuple(f"STORE-{number}-{index + 1}" for index in range(stores)))
