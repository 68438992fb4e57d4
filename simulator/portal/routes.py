"""The routes of the Merchant Portal. No answer contains a secret, and no error repeats its input."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Depends, Request, Response

from jwo_contract.house import House
from jwo_toolkit.json_types import JsonObject
from simulator.catalog.access import Access
from simulator.catalog.notifications import Notifications, checked_queue_arn
from simulator.connector import Connector
from simulator.errors import BadCall, NotNow
from simulator.events import EventFeed
from simulator.hosts import connector_url
from simulator.portal.accounts import Account, Accounts
from simulator.portal.connectivity import ConnectivityTest
from simulator.portal.forms import (
    AccountSetup,
    ConfigurationForm,
    ConnectorSetup,
    FeedSetup,
    ProbeSetup,
    StoreSetup,
)
from simulator.portal.onboarding import Onboarding
from simulator.portal.stores import CONNECTOR_KINDS, ConnectorKind, Store, Stores
from simulator.portal.user_routes import add_users, permitted
from simulator.portal.users import Permission, Users


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
            connector=_connector(connector, before) if connector else None,
            connectors=before.connectors if before else (),
            methods=setup.methods,
            strategy=setup.strategy,
            loyalty=setup.loyalty,
            charge_calculation=setup.chargeCalculation,
            payment_processor=setup.paymentProcessor,
            authorized_amount=setup.authorizedAmount,
            badge_channel=setup.badgeChannel,
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

    def remove_connector(self, store_id: str, kind: ConnectorKind) -> JsonObject:
        """Remove one connector configuration; then the store's own connector gets its calls. Returns the store."""
        store = self._stores.get(store_id)
        kept = tuple(saved for saved in store.connectors if saved[0] != kind)
        self._stores.put(store._replace(connectors=kept))
        return store_to_json(self._stores.get(store_id))

    async def allow_list(self, account_id: str, setup: AccountSetup) -> JsonObject:
        """Allow-list an account and invite its queue, unless the same queue has already confirmed.

        The account keeps its connectivity status, and its queue if the set-up has none, while its retailer stays.
        """
        before = self._accounts.find(account_id)
        account = self._account(account_id, setup, before)
        if account.queue_arn and before and before.queue_arn == account.queue_arn and before.subscription == "Complete":
            arn = before.subscription_arn
            self._accounts.put(account._replace(token=before.token, subscription="Complete", subscription_arn=arn))
            return self.show_account(account_id)
        if account.queue_arn:
            await self._notifications.invite(account)
        else:
            self._accounts.put(account)
        if before:
            await self._notifications.unsubscribe(before)
        return self.show_account(account_id)

    def _account(self, account_id: str, setup: AccountSetup, before: Account | None) -> Account:
        """Return the account of a set-up.

        Raises NotNow if a key belongs to another account. Raises BadCall if a key is there twice, or if the queue's ARN
        is not valid.
        """
        others = tuple(one.key for one in setup.otherKeys)
        key_ids = [one.key.access_key_id for one in (setup.key, *others)]
        if len(set(key_ids)) < len(key_ids):
            raise BadCall("otherKeys: an access key is there twice; name each key once")
        for key_id in key_ids:
            other = self._accounts.by_key(key_id)
            if other and other.id != account_id:
                raise NotNow(f"the access key {key_id} belongs to account {other.id}")
        kept = before if before and before.retailer == setup.retailer else None
        kept_queue = kept.queue_arn if kept else ""
        return Account(
            account_id,
            setup.retailer,
            setup.key.key,
            kept_queue if setup.queueArn is None else checked_queue_arn(setup.queueArn),
            connectivity=kept.connectivity if kept else "Unknown",
            may_call=setup.mayCall,
            other_keys=others,
        )

    def record_connectivity(self, account: Account) -> JsonObject:
        """Record that an account has sent a correctly signed call."""
        self._accounts.put(account._replace(connectivity="Success"))
        return self.show_account(account.id)

    def retailer_of(self, account_id: str) -> str:
        """Return the retailer of an account; empty if there is no such account."""
        account = self._accounts.find(account_id)
        return account.retailer if account else ""

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


def _connector(setup: ConnectorSetup, before: Store | None) -> Connector:
    """Return the connector of a set-up. Raises BadCall if a header keeps its value and the store has no such header."""
    saved = dict(before.connector.headers) if before and before.connector else {}
    if missing := [name for name, value in setup.headers.items() if value is None and name not in saved]:
        raise BadCall(f"the store has no header {missing[0]} to keep", hint="give the value of the header")
    values = {name: saved[name] if value is None else value for name, value in setup.headers.items()}
    return Connector(setup.url, setup.auth, tuple(values.items()))


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
        "paymentProcessor": store.payment_processor,
        "authorizedAmount": store.authorized_amount,
        "badgeChannel": store.badge_channel,
    }


def _configuration_to_json(store: Store, kind: ConnectorKind) -> JsonObject:
    connector = store.connector_for(kind)
    return {
        "status": store.status_of(kind),
        "own": kind in dict(store.connectors),
        "endpoint": connector.url if connector else "",
        "region": connector.region if connector else "",
    }


@dataclass(frozen=True)
class PortalServices:
    """The services behind the portal's routes."""

    portal: Portal
    stores: Stores
    users: Users
    access: Access
    notifications: Notifications
    connectivity: ConnectivityTest
    onboarding: Onboarding
    feed: EventFeed


def portal_router(services: PortalServices) -> APIRouter:
    """Make the routes of the portal, for its users, and the routes of SNS and of the signed connectivity test."""
    signed_in = APIRouter(tags=["portal"], dependencies=[Depends(services.users.check)])
    _add_merchants(signed_in, services)
    _add_connectivity_tests(signed_in, services.stores, services.connectivity)
    _add_stores(signed_in, services.portal, services.stores)
    _add_accounts(signed_in, services.portal)
    add_users(signed_in, services.users)
    router = APIRouter(tags=["portal"])
    _add_callbacks(router, services.portal, services.access, services.notifications)
    router.include_router(signed_in)
    return router


def _add_merchants(router: APIRouter, services: PortalServices) -> None:
    @router.get("/portal/merchants", summary="List merchants with their stores and accounts")
    async def list_merchants(request: Request) -> list[JsonObject]:
        user = permitted(request, "view")
        return [shown for shown in services.portal.merchants() if user.sees(str(shown["retailer"]))]

    @router.get("/portal/merchants/{retailer:path}/onboarding", summary="Show the state of each onboarding step")
    async def show_onboarding(request: Request, retailer: str) -> JsonObject:
        permitted(request, "view", retailer)
        return services.onboarding.show(retailer)

    @router.put("/portal/merchants/{retailer:path}/event-feed", summary="Send a retailer's events to a queue")
    async def subscribe(request: Request, retailer: str, setup: FeedSetup) -> JsonObject:
        permitted(request, "stores", retailer)
        return {**services.feed.subscribe(retailer, setup.queueArn)}

    @router.get("/portal/merchants/{retailer:path}/event-feed", summary="Show a retailer's event feed")
    async def show_feed(request: Request, retailer: str) -> JsonObject:
        permitted(request, "view", retailer)
        return {**services.feed.show(retailer)}

    @router.get("/portal/topic", summary="Show the topic of notifications")
    async def topic(request: Request) -> JsonObject:
        permitted(request, "view")
        return {"topicArn": services.notifications.topic_arn}


def _add_stores(router: APIRouter, portal: Portal, stores: Stores) -> None:
    @router.get("/portal/stores", summary="List stores")
    async def list_stores(request: Request) -> list[JsonObject]:
        user = permitted(request, "view")
        return [store_to_json(store) for store in stores.all() if user.sees(store.retailer)]

    # an id may contain a slash, so the longer paths come first
    @router.put("/portal/stores/{store_id:path}/connectors/{kind}", summary="Save a connector configuration")
    async def save_connector(
        request: Request, store_id: str, kind: ConnectorKind, form: ConfigurationForm
    ) -> JsonObject:
        _own_store(request, "stores", stores, store_id)
        return portal.save_connector(store_id, kind, form)

    @router.delete(
        "/portal/stores/{store_id:path}/connectors/{kind}",
        summary="Remove a connector configuration; then the store's own connector gets its calls",
    )
    async def remove_connector(request: Request, store_id: str, kind: ConnectorKind) -> JsonObject:
        _own_store(request, "stores", stores, store_id)
        return portal.remove_connector(store_id, kind)

    @router.put("/portal/stores/{store_id:path}", summary="Create a store, or replace it")
    async def set_up_store(request: Request, store_id: str, setup: StoreSetup) -> JsonObject:
        before = stores.find(store_id)
        permitted(request, "stores", setup.retailer, *((before.retailer,) if before else ()))
        return portal.set_up_store(store_id, setup)

    @router.get("/portal/stores/{store_id:path}", summary="Show a store")
    async def show_store(request: Request, store_id: str) -> JsonObject:
        return store_to_json(_own_store(request, "view", stores, store_id))


def _add_connectivity_tests(router: APIRouter, stores: Stores, connectivity: ConnectivityTest) -> None:
    @router.post("/portal/stores/{store_id:path}/connectors/{kind}/connectivity-test", summary="Test a saved connector")
    async def test_one(
        request: Request, store_id: str, kind: ConnectorKind, setup: ProbeSetup | None = None
    ) -> JsonObject:
        store = _own_store(request, "tests", stores, store_id)
        return await connectivity.run(store, (setup or ProbeSetup()).probe, kind)

    @router.post("/portal/stores/{store_id:path}/connectivity-test", summary="Test the saved identity connector")
    async def test_connector(request: Request, store_id: str, setup: ProbeSetup | None = None) -> JsonObject:
        return await connectivity.run(_own_store(request, "tests", stores, store_id), (setup or ProbeSetup()).probe)

    @router.get(
        "/portal/stores/{store_id:path}/connectivity-tests",
        summary="Show the newest connectivity test of each kind of connector",
    )
    async def newest_tests(request: Request, store_id: str) -> JsonObject:
        return connectivity.newest(_own_store(request, "view", stores, store_id))


def _add_accounts(router: APIRouter, portal: Portal) -> None:
    @router.put("/portal/accounts/{account_id}", summary="Allow-list an AWS account with its queue")
    async def allow_list(request: Request, account_id: str, setup: AccountSetup) -> JsonObject:
        before = portal.retailer_of(account_id)
        permitted(request, "accounts", setup.retailer, *((before,) if before else ()))
        return await portal.allow_list(account_id, setup)

    @router.get("/portal/accounts/{account_id}", summary="Show an account and its two statuses")
    async def show_account(request: Request, account_id: str) -> JsonObject:
        user, shown = permitted(request, "view"), portal.show_account(account_id)
        user.require("view", str(shown["retailer"]))
        return shown


def _own_store(request: Request, permission: Permission, stores: Stores, store_id: str) -> Store:
    """Return a store. Raises NotPermitted if the user may not do this with it."""
    user, store = permitted(request, permission), stores.get(store_id)
    user.require(permission, store.retailer)
    return store


def _add_callbacks(router: APIRouter, portal: Portal, access: Access, notifications: Notifications) -> None:
    @router.post("/portal/connectivity", summary="Test the connectivity of an account: a signed call")
    async def connectivity_from_account(request: Request) -> JsonObject:
        account = access.authenticate(request, await request.body())
        return portal.record_connectivity(account)

    @router.get("/sns/confirm", summary="Confirm a subscription: where SubscribeURL leads")
    async def confirm(Token: str) -> Response:  # noqa: N803 - the query parameter's name in SNS
        arn = await notifications.confirm(Token)
        return Response(_CONFIRMED.format(arn=arn), media_type="text/xml")


_CONFIRMED = (
    '<ConfirmSubscriptionResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><ConfirmSubscriptionResult>'
    "<SubscriptionArn>{arn}</SubscriptionArn></ConfirmSubscriptionResult></ConfirmSubscriptionResponse>"
)
