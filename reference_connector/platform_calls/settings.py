"""The settings of the connector's own calls to the platform."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from jwo_contract.house import Catalog
from jwo_contract.house_group import HouseGroup
from jwo_contract.operations import CHECKOUT_CART, Operation
from reference_connector.platform_calls.addresses import Credential, Secret, checked_endpoint
from reference_connector.platform_calls.answers import RETRIED_STATUSES

_PREFIX = "JWO_CONNECTOR_PLATFORM__"


def _endpoint_or_none(text: str) -> str:
    return text and checked_endpoint(text)


OptionalEndpoint = Annotated[str, AfterValidator(_endpoint_or_none)]


class PlatformAccess(HouseGroup):
    """The platform's APIs that the connector calls, and the account that signs these calls.

    A connector needs them if a store has another payment model than `retailer`.
    """

    endpoint: OptionalEndpoint = ""
    """The address of the payment API, without a path. Empty: the connector makes no calls to the platform."""
    checkout_endpoint: OptionalEndpoint = ""
    """The address of the checkout API, if it is another one. Amazon has a host for each API."""
    region: str = "us-east-1"
    """The region of signatures."""
    access_key_id: Credential = ""
    """The AWS key that signs."""
    secret_access_key: Secret = SecretStr("")
    """The secret of that key."""
    session_token: Secret | None = None
    """The session token of temporary credentials."""
    ca_file: str = ""
    """Further trusted certificates (PEM), such as those of a company's proxy. Empty: only the usual ones."""
    timeout_s: float = Field(default=8.0, gt=0, le=3_600)
    """The longest time of one whole call. `payments.call_s` limits it too."""
    answer_limit_bytes: int = Field(default=1_000_000, gt=0)
    """The largest answer."""
    rate_per_s: float = Field(default=50.0, ge=0)
    """How many calls of one API this process makes in a second, at most; 0 sets no limit.

    The platform limits the rate of an account. Several processes share that limit, so divide it by their number. Keep
    it above `payments.batch` divided by `payments.call_s`, or calls of a full batch are given up before their turn.
    """
    retried_statuses: tuple[int, ...] = RETRIED_STATUSES
    """The statuses after which a call is repeated. A 500 with `final_500_text` and without Retry-After is final."""
    retry_after_max_s: float = Field(default=86_400, ge=0, le=31_536_000)
    """The longest pause that the connector makes because of Retry-After."""
    final_500_text: str = Catalog().error500_final_text
    """The text of a 500 after which no repetition helps."""

    @property
    def missing(self) -> str:
        """What the calls need and do not have, as the variables to set; empty if they have all."""
        given = {
            "ENDPOINT": self.endpoint,
            "ACCESS_KEY_ID": self.access_key_id,
            "SECRET_ACCESS_KEY": self.secret_access_key.get_secret_value(),
        }
        return ", ".join(f"{_PREFIX}{name}" for name, value in given.items() if not value)

    def url_of(self, operation: Operation) -> str:
        """Return the address of an operation."""
        is_checkout = operation is CHECKOUT_CART
        base = (is_checkout and self.checkout_endpoint) or self.endpoint
        return base.rstrip("/") + operation.path
