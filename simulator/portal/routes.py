"""The portal's addresses. Secrets go in and never come out; what is refused is said without repeating the input."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contract.gate import StoreDefault
from contract.house import House
from contract.sigv4 import Key
from simulator.catalog.access import Access
from simulator.catalog.notifications import Notifications, checked_queue_arn
from simulator.connector import Connector
from simulator.errors import NotNow
from simulator.hosts import checked_url
from simulator.portal.accounts import Account, Accounts
from simulator.portal.connectivity import ConnectivityTest, Probe
from simulator.portal.stores import Store, Stores

Json = dict[str, object]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ConnectorSetup(_Body):
    """How a store's connector is called."""

    url: str
    auth: Literal["sigv4", "headers", "none"] = "sigv4"
    headers: dict[str, str] = {}


class StoreSetup(_Body):
    """One store, as it is set up; what is left out takes the house default."""

    retailer: str = Field(min_length=1)
    connector: ConnectorSetup | None = None
    qrPattern: str | None = None  # noqa: N815 - the wire's spelling
    storeDefault: StoreDefault | None = None  # noqa: N815 - as above
    gates: tuple[str, ...] = ()


class AccountSetup(_Body):
    """One AWS account to allow-list, with the queue that hears of results."""

    retailer: str = Field(min_length=1)
    accessKeyId: str = Field(min_length=1)  # noqa: N815 - the wire's spelling
    secretAccessKey: str = Field(min_length=1)  # noqa: N815 - as above
    sessionToken: str | None = None  # noqa: N815 - as above
    queueArn: str  # noqa: N815 - as above


class ProbeSetup(_Body):
    """What the connectivity test sends instead of the mock sample."""

    identityKey: str | None = None  # noqa: N815 - the wire's spelling
    storeId: str | None = None  # noqa: N815 - as above


class Portal:
    """What a retailer's staff would click, as calls."""

    def __init__(self, stores: Stores, accounts: Accounts, notifications: Notifications, house: House) -> None:
        self._stores = stores
        self._accounts = accounts
        self._notifications = notifications
        self._house = house

    def set_up_store(self, store_id: str, setup: StoreSetup) -> Json:
        """Set a store up, or replace it."""
        connector = setup.connector
        if connector:
            checked_url(connector.url, block_amazon=self._house.auth.block_amazon_hosts)
        store = Store(
            id=store_id,
            retailer=setup.retailer,
            store_default=setup.storeDefault or self._house.gate.store_default,
            qr_pattern=self._house.gate.qr_pattern if setup.qrPattern is None else setup.qrPattern,
            gates=setup.gates,
            connector=Connector(connector.url, connector.auth, tuple(connector.headers.items())) if connector else None,
        )
        self._stores.put(store)
        return shown_store(store)

    async def allow_list(self, account_id: str, setup: AccountSetup) -> Json:
        """Allow-list an account and invite its queue, unless that very queue has confirmed already."""
        key = Key(setup.accessKeyId, setup.secretAccessKey, setup.sessionToken)
        account = Account(account_id, setup.retailer, key, checked_queue_arn(setup.queueArn))
        other = self._accounts.by_key(key.access_key_id)
        if other and other.id != account_id:
            raise NotNow(f"the access key {key.access_key_id} belongs to account {other.id}")
        before = self._accounts.find(account_id)
        if before and before.queue_arn == account.queue_arn and before.subscription == "Complete":
            account.subscription, account.token = before.subscription, before.token
            account.subscription_arn = before.subscription_arn
        else:
            await self._notifications.invite(account)
            if before:
                await self._notifications.forget(before)
        self._accounts.put(account)
        return self.show_account(account_id)

    def show_account(self, account_id: str) -> Json:
        """Return what the portal shows of an account."""
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


def shown_store(store: Store) -> Json:
    """Return what the portal shows of a store; the values of the connector's headers stay inside."""
    connector = store.connector
    return {
        "storeId": store.id,
        "retailer": store.retailer,
        "connector": {"url": connector.url, "auth": connector.auth, "headers": [name for name, _ in connector.headers]}
        if connector
        else None,
        "configuration": "Complete" if connector else "Incomplete",
        "qrPattern": store.qr_pattern,
        "storeDefault": store.store_default,
        "gates": list(store.gates),
    }


def portal_router(
    portal: Portal, stores: Stores, access: Access, notifications: Notifications, connectivity: ConnectivityTest
) -> APIRouter:
    """Put the portal, and the address that SubscribeURL points to, on their paths."""
    router = APIRouter()

    @router.put("/portal/stores/{store_id}")
    async def set_up_store(store_id: str, setup: StoreSetup) -> Json:
        return portal.set_up_store(store_id, setup)

    @router.get("/portal/stores/{store_id}")
    async def show_store(store_id: str) -> Json:
        return shown_store(stores.get(store_id))

    @router.post("/portal/stores/{store_id}/connectivity-test")
    async def test_connector(store_id: str, setup: ProbeSetup | None = None) -> Json:
        probe = Probe(setup.identityKey, setup.storeId) if setup else Probe()
        return await connectivity.run(stores.get(store_id), probe)

    @router.put("/portal/accounts/{account_id}")
    async def allow_list(account_id: str, setup: AccountSetup) -> Json:
        return await portal.allow_list(account_id, setup)

    @router.get("/portal/accounts/{account_id}")
    async def show_account(account_id: str) -> Json:
        return portal.show_account(account_id)

    @router.post("/portal/connectivity")
    async def connectivity_from_account(request: Request) -> Json:
        account = access.authenticate(request, await request.body())
        account.connectivity = "Success"
        return portal.show_account(account.id)

    @router.get("/portal/topic")
    async def topic() -> Json:
        return {"topicArn": notifications.topic_arn}

    @router.get("/sns/confirm")
    async def confirm(Token: str) -> Response:  # noqa: N803 - the query parameter's name in SNS
        arn = await notifications.confirm(Token)
        return Response(_CONFIRMED.format(arn=arn), media_type="text/xml")

    return router


_CONFIRMED = (
    '<ConfirmSubscriptionResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><ConfirmSubscriptionResult>'
    "<SubscriptionArn>{arn}</SubscriptionArn></ConfirmSubscriptionResult></ConfirmSubscriptionResponse>"
)
