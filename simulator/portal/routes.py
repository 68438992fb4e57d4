"""The routes of the portal. No answer contains a secret, and no error repeats its input."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contract.gate import StoreDefault
from contract.house import House
from contract.sigv4 import Key
from jwo_toolkit.json_types import JsonObject
from simulator.catalog.access import Access
from simulator.catalog.notifications import Notifications, checked_queue_arn
from simulator.connector import Connector
from simulator.entry.strategies import Strategy
from simulator.errors import NotNow
from simulator.hosts import connector_url
from simulator.portal.accounts import Account, Accounts
from simulator.portal.connectivity import ConnectivityTest, Probe
from simulator.portal.stores import CONNECTOR_KINDS, ConnectorKind, Method, Store, Stores


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
HeaderValue = Annotated[str, Field(pattern=r"^[\t\x20-\x7e\xa0-\xff]*$")]
GateName = Annotated[str, Field(min_length=1, max_length=255)]


class ConnectorSetup(_Body):
    """The address of a store's connector, and the way of calling it."""

    url: str
    auth: Literal["sigv4", "headers", "none"] = "sigv4"
    headers: dict[HeaderName, HeaderValue] = {}


class ConfigurationForm(_Body):
    """One connector configuration: the two inputs of the portal's form."""

    endpoint: str = Field(description="The base address; the path of the call follows it.")
    region: str = Field(
        default="", description="The AWS region for the signature; empty means the region of the house rules."
    )


class StoreSetup(_Body):
    """The set-up of one store; missing values take the default of the house rules."""

    retailer: str = Field(min_length=1)
    connector: ConnectorSetup | None = None
    qrPattern: str | None = None  # noqa: N815 - the wire's spelling
    storeDefault: StoreDefault | None = None  # noqa: N815 - as above
    gates: tuple[GateName, ...] = ()
    methods: tuple[Method, ...] = ("app", "badge")
    strategy: Strategy = "amazon_managed"
    loyalty: bool = False
    chargeCalculation: Literal["retailer", "amazon"] = "retailer"  # noqa: N815 - as above
    authorizedAmount: float | None = Field(default=None, ge=0)  # noqa: N815 - as above


class AccountSetup(_Body):
    """One AWS account to allow-list, with the queue that receives notifications."""

    retailer: str = Field(min_length=1)
    accessKeyId: str = Field(min_length=1)  # noqa: N815 - the wire's spelling
    secretAccessKey: str = Field(min_length=1)  # noqa: N815 - as above
    sessionToken: str | None = None  # noqa: N815 - as above
    queueArn: str  # noqa: N815 - as above


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


class Portal:
    """The actions of a retailer's staff in the portal."""

    def __init__(self, stores: Stores, accounts: Accounts, notifications: Notifications, house: House) -> None:
        self._stores = stores
        self._accounts = accounts
        self._notifications = notifications
        self._house = house

    def set_up_store(self, store_id: str, setup: StoreSetup) -> JsonObject:
        """Create a store, or replace it; returns the store as JSON."""
        connector, before = setup.connector, self._stores.find(store_id)
        if connector:
            connector_url(connector.url, block_amazon=self._house.auth.block_amazon_hosts)
        store = Store(
            id=store_id,
            retailer=setup.retailer,
            store_default=setup.storeDefault or self._house.gate.store_default,
            qr_pattern=self._house.gate.qr_pattern if setup.qrPattern is None else setup.qrPattern,
            gates=setup.gates,
            connector=Connector(connector.url, connector.auth, tuple(connector.headers.items())) if connector else None,
            connectors=before.connectors if before else (),
            methods=setup.methods,
            strategy=setup.strategy,
            loyalty=setup.loyalty,
            charge_calculation=setup.chargeCalculation,
            authorized_amount=setup.authorizedAmount,
        )
        self._stores.put(store)
        return store_to_json(store)

    def save_connector(self, store_id: str, kind: ConnectorKind, form: ConfigurationForm) -> JsonObject:
        """Save one connector configuration; returns the store as JSON."""
        connector_url(form.endpoint, block_amazon=self._house.auth.block_amazon_hosts)
        store = self._stores.get(store_id)
        saved = {**dict(store.connectors), kind: Connector(form.endpoint, region=form.region)}
        self._stores.put(store._replace(connectors=tuple(saved.items())))
        return store_to_json(self._stores.get(store_id))

    async def allow_list(self, account_id: str, setup: AccountSetup) -> JsonObject:
        """Allow-list an account and invite its queue, unless the same queue has already confirmed.

        The account keeps its connectivity status as long as its retailer stays the same.
        """
        key = Key(setup.accessKeyId, setup.secretAccessKey, setup.sessionToken)
        account = Account(account_id, setup.retailer, key, checked_queue_arn(setup.queueArn))
        other = self._accounts.by_key(key.access_key_id)
        if other and other.id != account_id:
            raise NotNow(f"the access key {key.access_key_id} belongs to account {other.id}")
        before = self._accounts.find(account_id)
        if before and before.retailer == account.retailer:
            account = account._replace(connectivity=before.connectivity)
        if before and before.queue_arn == account.queue_arn and before.subscription == "Complete":
            arn = before.subscription_arn
            self._accounts.put(account._replace(token=before.token, subscription="Complete", subscription_arn=arn))
        else:
            await self._notifications.invite(account)
            if before:
                await self._notifications.unsubscribe(before)
        return self.show_account(account_id)

    def record_connectivity(self, account: Account) -> JsonObject:
        """Record that an account has sent a correctly signed call."""
        self._accounts.put(account._replace(connectivity="Success"))
        return self.show_account(account.id)

    def merchants(self) -> list[JsonObject]:
        """Return every merchant with its stores and accounts."""
        names = {store.retailer for store in self._stores.all()} | {one.retailer for one in self._accounts.all()}
        return [
            {
                "retailer": name,
                "stores": sorted(self._stores.of_retailer(name)),
                "accounts": sorted(one.id for one in self._accounts.all() if one.retailer == name),
            }
            for name in sorted(names)
        ]

    def show_account(self, account_id: str) -> JsonObject:
        """Return an account as the portal shows it."""
        account = self._accounts.get(account_id)
        return {
            "accountId": account.id,
            "retailer": account.retailer,
            "accessKeyId": account.key.access_key_id,
            "queueArn": account.queue_arn,
            "connectivityStatus": account.connectivity,
            "subscriptionStatus": account.subscription,
            "authorisedStores": sorted(self._stores.of_retailer(account.retailer)),
        }


def store_to_json(store: Store) -> JsonObject:
    """Return a store as the portal shows it, without the values of the connector's headers."""
    connector = store.connector
    return {
        "storeId": store.id,
        "retailer": store.retailer,
        "connector": {"url": connector.url, "auth": connector.auth, "headers": [name for name, _ in connector.headers]}
        if connector
        else None,
        "configuration": store.configuration(),
        "connectorConfigurations": {kind: _configuration_to_json(store, kind) for kind in CONNECTOR_KINDS},
        "qrPattern": store.qr_pattern,
        "storeDefault": store.store_default,
        "gates": list(store.gates),
        "methods": list(store.methods),
        "strategy": store.strategy,
        "loyalty": store.loyalty,
        "chargeCalculation": store.charge_calculation,
        "authorizedAmount": store.authorized_amount,
    }


def _configuration_to_json(store: Store, kind: ConnectorKind) -> JsonObject:
    connector = store.connector_for(kind)
    return {
        "status": store.status_of(kind),
        "endpoint": connector.url if connector else "",
        "region": connector.region if connector else "",
    }


def portal_router(
    portal: Portal, stores: Stores, access: Access, notifications: Notifications, connectivity: ConnectivityTest
) -> APIRouter:
    """Make the routes of the portal, and the route of SubscribeURL."""
    router = APIRouter(tags=["portal"])
    _add_stores(router, portal, stores)
    _add_connectivity_tests(router, stores, connectivity)
    _add_accounts(router, portal)
    _add_callbacks(router, portal, access, notifications)
    return router


def _add_stores(router: APIRouter, portal: Portal, stores: Stores) -> None:
    @router.get("/portal/merchants", summary="List merchants with their stores and accounts")
    async def list_merchants() -> list[JsonObject]:
        return portal.merchants()

    @router.get("/portal/stores", summary="List stores")
    async def list_stores() -> list[JsonObject]:
        return [store_to_json(store) for store in stores.all()]

    # an id may contain a slash, so the longer paths come first
    @router.put("/portal/stores/{store_id:path}/connectors/{kind}", summary="Save a connector configuration")
    async def save_connector(store_id: str, kind: ConnectorKind, form: ConfigurationForm) -> JsonObject:
        return portal.save_connector(store_id, kind, form)

    @router.put("/portal/stores/{store_id:path}", summary="Create a store, or replace it")
    async def set_up_store(store_id: str, setup: StoreSetup) -> JsonObject:
        return portal.set_up_store(store_id, setup)

    @router.get("/portal/stores/{store_id:path}", summary="Show a store")
    async def show_store(store_id: str) -> JsonObject:
        return store_to_json(stores.get(store_id))


def _add_connectivity_tests(router: APIRouter, stores: Stores, connectivity: ConnectivityTest) -> None:
    @router.post("/portal/stores/{store_id:path}/connectors/{kind}/connectivity-test", summary="Test a saved connector")
    async def test_one(store_id: str, kind: ConnectorKind, setup: ProbeSetup | None = None) -> JsonObject:
        return await connectivity.run(stores.get(store_id), (setup or ProbeSetup()).probe, kind)

    @router.post("/portal/stores/{store_id:path}/connectivity-test", summary="Test the saved identity connector")
    async def test_connector(store_id: str, setup: ProbeSetup | None = None) -> JsonObject:
        return await connectivity.run(stores.get(store_id), (setup or ProbeSetup()).probe)


def _add_accounts(router: APIRouter, portal: Portal) -> None:
    @router.put("/portal/accounts/{account_id}", summary="Allow-list an AWS account with its queue")
    async def allow_list(account_id: str, setup: AccountSetup) -> JsonObject:
        return await portal.allow_list(account_id, setup)

    @router.get("/portal/accounts/{account_id}", summary="Show an account and its two statuses")
    async def show_account(account_id: str) -> JsonObject:
        return portal.show_account(account_id)


def _add_callbacks(router: APIRouter, portal: Portal, access: Access, notifications: Notifications) -> None:
    @router.post("/portal/connectivity", summary="Say hello from an account: a signed call")
    async def connectivity_from_account(request: Request) -> JsonObject:
        account = access.authenticate(request, await request.body())
        return portal.record_connectivity(account)

    @router.get("/portal/topic", summary="Show the topic of notifications")
    async def topic() -> JsonObject:
        return {"topicArn": notifications.topic_arn}

    @router.get("/sns/confirm", summary="Confirm a subscription: where SubscribeURL leads")
    async def confirm(Token: str) -> Response:  # noqa: N803 - the query parameter's name in SNS
        arn = await notifications.confirm(Token)
        return Response(_CONFIRMED.format(arn=arn), media_type="text/xml")


_CONFIRMED = (
    '<ConfirmSubscriptionResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><ConfirmSubscriptionResult>'
    "<SubscriptionArn>{arn}</SubscriptionArn></ConfirmSubscriptionResult></ConfirmSubscriptionResponse>"
)
