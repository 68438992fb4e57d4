"""Starts the simulated platform for visits, while other cases run, with settings from the profile."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from conformance.serving import JWO, Server, served
from jwo_contract.house import House
from jwo_contract.operations import CREATE_PURCHASES
from jwo_contract.profile import Profile

COMMAND = (*JWO, "platform")
_NOWHERE = "http://127.0.0.1:9"
"""The platform runs without catalogs, so it needs no AWS and never calls this address."""
_RULES_OF_THE_SUITE = {"suite"}
_AFTER_BUDGET_S = 2.0
_DELIVERY = {"order_timeout_s": 10.0, "backoff_first_s": 0.1, "backoff_max_s": 2.0, "window_h": 1 / 60}
"""The platform redelivers a refused cart after 0.1 to 2 seconds, and gives up after a minute instead of hours."""


Platform = Server
"""The simulated platform, starting or running."""


@contextlib.contextmanager
def starting(profile: Profile) -> Iterator[Platform]:
    """Start a platform with settings from the profile, do not wait for it, and end it with the block."""
    with (
        tempfile.TemporaryDirectory(prefix="jwo-end-to-end-") as folder,
        served("the simulated platform", COMMAND, settings(profile), Path(folder)) as platform,
    ):
        yield platform


def settings(profile: Profile) -> dict[str, str]:
    """Return the platform's settings as environment variables: the profile's house rules and its signing key."""
    connector, house = profile.connector, profile.house
    region = house.auth.model_copy(update={"region": connector.region})
    quick = house.delivery.model_copy(update=_DELIVERY | _patience(CREATE_PURCHASES.answer_budget_s(house)))
    return {
        "JWO_PLATFORM_STORES_ALONE": "true",
        "JWO_PLATFORM_AWS_ENDPOINT_URL": _NOWHERE,
        **_house_rules(house.model_copy(update={"auth": region, "delivery": quick})),
        **_signing(profile),
        "JWO_PLATFORM_CONNECTOR_CA_FILE": connector.ca_file,
    }


def _patience(cart_budget_s: float) -> dict[str, float]:
    """Return the times that a longer budget for carts makes longer."""
    timeout_s = max(_DELIVERY["order_timeout_s"], cart_budget_s + _AFTER_BUDGET_S)
    return {"order_timeout_s": timeout_s, "window_h": _DELIVERY["window_h"] * timeout_s / _DELIVERY["order_timeout_s"]}


def _house_rules(house: House) -> dict[str, str]:
    groups = {name: getattr(house, name) for name in House.model_fields if name not in _RULES_OF_THE_SUITE}
    changed = {name: group for name, group in groups.items() if group != getattr(House(), name)}
    return {f"JWO_PLATFORM_{name.upper()}": group.model_dump_json() for name, group in changed.items()}


def _signing(profile: Profile) -> dict[str, str]:
    connector = profile.connector
    if connector.auth != "sigv4":
        return {}
    key = {"ACCESS_KEY_ID": connector.access_key_id, "SECRET_ACCESS_KEY": connector.secret_access_key}
    token = {"SESSION_TOKEN": connector.session_token} if connector.session_token else {}
    return {f"JWO_PLATFORM_CONNECTOR_{name}": value for name, value in {**key, **token}.items()}
