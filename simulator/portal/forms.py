"""The bodies of the portal's calls."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from jwo_contract.gate import StoreDefault
from jwo_contract.sigv4 import Key
from simulator.entry.identity import BadgeChannel
from simulator.entry.strategies import Strategy
from simulator.portal.accounts import AccountKey
from simulator.portal.connectivity import Probe
from simulator.portal.stores import Method, PaymentProcessor


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
HeaderValue = Annotated[str, Field(pattern=r"^[\t\x20-\x7e\xa0-\xff]*$")]
GateName = Annotated[str, Field(min_length=1, max_length=255)]


class ConnectorSetup(_Body):
    """The address of a store's connector, and the way of calling it."""

    url: str
    auth: Literal["sigv4", "headers", "none"] = "sigv4"
    headers: dict[HeaderName, HeaderValue | None] = Field(
        default={}, description="Values of null keep the saved values, which no answer shows."
    )


class ConfigurationForm(_Body):
    """One connector configuration, such as that of the Identity Connector: the two inputs of the portal's form."""

    endpoint: str = Field(description="The base address; the path of the call follows it.")
    region: str = Field(
        default="", description="The AWS region for the signature; empty means the region of the house rules."
    )


class StoreSetup(_Body):
    """The set-up of one store; missing values take the default of the house rules."""

    retailer: str = Field(min_length=1)
    connector: ConnectorSetup | None = None
    qrPattern: str | None = None  # noqa: N815 - the wire's spelling
    storeDefault: StoreDefault | None = Field(  # noqa: N815 - as above
        default=None, description="The store default decision: what a gate does when the connector fails."
    )
    gates: tuple[GateName, ...] = ()
    methods: tuple[Method, ...] = ("app", "badge")
    strategy: Strategy = Field(default="amazon_managed", description="The Fraud and Abuse strategy.")
    loyalty: bool = False
    chargeCalculation: Literal["retailer", "amazon"] = Field(  # noqa: N815 - as above
        default="retailer", description="The side that does the Charge Calculation; retailer means Order Delegation."
    )
    paymentProcessor: PaymentProcessor = Field(  # noqa: N815 - as above
        default="retailer",
        description="The side that charges cards: retailer, amazon (payment calls) or checkout (Checkout Cart).",
    )
    authorizedAmount: float | None = Field(default=None, ge=0)  # noqa: N815 - as above
    badgeChannel: BadgeChannel = Field(  # noqa: N815 - as above
        default="CONTACT", description="The keyChannel of the store's badge readers: CONTACT or RADIO."
    )


class KeySetup(_Body):
    """A key of an AWS account, such as the temporary credentials of a role."""

    accessKeyId: str = Field(min_length=1)  # noqa: N815 - the wire's spelling
    secretAccessKey: str = Field(min_length=1)  # noqa: N815 - as above
    sessionToken: str | None = None  # noqa: N815 - as above
    mayCall: tuple[str, ...] | None = Field(  # noqa: N815 - as above
        default=None, description="The paths that the role's IAM policy allows; by default all."
    )

    @property
    def key(self) -> AccountKey:
        """Return the key."""
        return AccountKey(Key(self.accessKeyId, self.secretAccessKey, self.sessionToken), self.mayCall)


class AccountSetup(KeySetup):
    """One AWS account to allow-list, with its keys and the queue that receives notifications."""

    retailer: str = Field(min_length=1)
    queueArn: str | None = Field(  # noqa: N815 - the wire's spelling
        default=None, description="The ARN of the queue; without it, the account keeps the queue that it has."
    )
    otherKeys: tuple[KeySetup, ...] = Field(default=(), description="Keys of other roles.")  # noqa: N815 - as above


class ProbeSetup(_Body):
    """Values for the connectivity test to send instead of the mock sample."""

    identityKey: str | None = None  # noqa: N815 - the wire's spelling
    storeId: str | None = None  # noqa: N815 - as above
    sku: str = "SKU-001"
    endpoint: str | None = Field(default=None, description="The unsaved address in the form; the test never calls it.")
    region: str | None = None

    @property
    def probe(self) -> Probe:
        """Return the values that the test uses."""
        return Probe(self.identityKey, self.storeId, self.sku)


class FeedSetup(_Body):
    """The queue that receives a retailer's events."""

    queueArn: str  # noqa: N815 - the wire's spelling
