"""Starts a store to play in: the platform with its pages in this process, AWS and the connector as other processes."""

from __future__ import annotations

import csv
import os
import secrets
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from fastapi import FastAPI

from jwo.aws import REGION, Deployed, RetailerAws
from jwo.connector_books import foreign_books
from jwo.demo.catalog import CERTIFIED, client_settings
from jwo.demo.entry import tables
from jwo.demo.neighbourhood import STORE, call, connector_settings, key_setup
from jwo.errors import JwoError, Usage
from jwo.play_samples import ProfileSamples, known_risks
from jwo.price_list import with_own_barcode
from jwo.processes import Processes
from jwo.run_commands import Declared, JwoRuns
from jwo.serving import serve
from jwo.shop_money import Money, books_of, make_money, open_payments_at, with_payment
from jwo.store_kind_option import StoreKind
from jwo_contract import profile as profiles
from jwo_contract.house import PlatformGroups
from jwo_contract.key_kinds import BADGE_KINDS
from jwo_contract.profile import CatalogTable, KeysTable, Profile, StoreTable, SuiteTable
from jwo_contract.profile_connector import ConnectorTable
from jwo_contract.settings import read
from jwo_contract.sigv4 import Key
from jwo_toolkit.announcing_server import listen
from jwo_toolkit.console import make_console
from jwo_toolkit.garbage_collection import tune_garbage_collector
from jwo_toolkit.launcher import JWO
from jwo_toolkit.lifeline import tied
from jwo_toolkit.reachability import NotReachable, check_reachable
from simulator.app import COLLECTOR_THRESHOLDS, create_app
from simulator.pages.menu import PREFIX
from simulator.reconciliation.records import AskConnector
from simulator.samples import Goods
from simulator.settings import PlatformSettings
from simulator.worlds import World, load_world, shipped_world

_KINDS = ("shopper", "associate", "cash_shopper", "refused", "expired", "used", *BADGE_KINDS)
_VISIT_EVERY_S = 10.0
_UPLOAD_WITHIN_S = 60
_QUICK_CATALOG = {"queue_s": 0.3, "process_s": 0.3}
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")


class Wishes(NamedTuple):
    """The options of `jwo play`."""

    profile: Path | None
    port: int
    gates: int
    visitors: bool
    browser: bool
    kind: StoreKind = "retailer"


class Scene(NamedTuple):
    """The running processes around the platform, and what the platform must know of them."""

    aws_url: str
    profile: Profile
    samples: ProfileSamples
    retailer: str
    world: World | None
    """The world with the catalog that the retailer uploads; None for the user's own connector."""
    profile_path: Path | None = None
    """The file of the user's profile, to which the page Wire adds cases."""
    money: Money | None = None
    """What the connector has for its payment calls; None if the retailer charges all shoppers."""
    ask_connector: AskConnector = foreign_books

    @property
    def store(self) -> str:
        """Return the id of the store."""
        return self.profile.store.id or STORE


def play_store(wishes: Wishes) -> None:
    """Serve a store until a signal stops this process. Raises Usage if the profile's connector does not answer."""
    console = make_console()
    with TemporaryDirectory(prefix="jwo-play-") as folder, Processes(Path(folder)) as processes:
        console.print("Starting a store …")
        with _scene(wishes, Path(folder), processes) as scene:

            def make(url: str) -> FastAPI:
                settings = _settings(scene, url)
                commands = JwoRuns(settings, _declared(scene, wishes))
                app = create_app(
                    settings, samples=scene.samples, run_commands=commands, ask_connector=scene.ask_connector
                )
                tune_garbage_collector(COLLECTOR_THRESHOLDS)
                return app

            def begin(url: str) -> None:
                in_background(partial(_open_store, scene, wishes, url))

            port = urlsplit(scene.money.url).port if scene.money else None
            serve(make, port or wishes.port, on_ready=begin)


@contextmanager
def _scene(wishes: Wishes, folder: Path, processes: Processes) -> Iterator[Scene]:
    if wishes.profile is None:
        yield _reference_scene(folder, processes, wishes)
        return
    if wishes.kind != "retailer":
        raise Usage("--store-kind: this command cannot configure a connector of your own; omit --store-kind")
    profile = profiles.load(wishes.profile)
    try:
        check_reachable(profile.connector.url, profile.connector.ca_file)
    except NotReachable as error:
        raise Usage(str(error)) from error
    aws_url = processes.start("aws", ["aws"]).url
    yield Scene(aws_url, profile, ProfileSamples(profile), "your-retailer", None, wishes.profile)


def _reference_scene(folder: Path, processes: Processes, wishes: Wishes) -> Scene:
    world = load_world(shipped_world())
    key = Key(f"ASIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30), secrets.token_urlsafe(60))
    token, money = secrets.token_urlsafe(30), None
    if wishes.kind == "retailer":
        settings = connector_settings(folder, world, key, token)
        with ThreadPoolExecutor(2) as pool:  # both start at the same time: each needs seconds
            aws = pool.submit(processes.start, "aws", ["aws"])
            connector = pool.submit(processes.start, "connector", ["connector"], settings)
            aws_url, connector_url = aws.result().url, connector.result().url
    else:
        aws_url = processes.start("aws", ["aws"]).url
        money = make_money(f"http://127.0.0.1:{wishes.port or _free_port()}", aws_url, token, wishes.kind)
        settings = connector_settings(folder, with_payment(world, wishes.kind, folder), key, token)
        connector_url = processes.start("connector", ["connector"], settings | money.connector_settings()).url
    profile = _reference_profile(connector_url, key, world)
    samples = ProfileSamples(profile, _world_goods(world), f"{connector_url}/app")
    ask = books_of(connector_url, token, with_feeds=money is not None)
    return Scene(aws_url, profile, samples, world.stores[0].retailer, world, money=money, ask_connector=ask)


def _free_port() -> int:
    with listen("127.0.0.1", 0) as listener:
        return int(listener.getsockname()[1])


def _reference_profile(connector_url: str, key: Key, world: World) -> Profile:
    return Profile(
        connector=ConnectorTable(
            url=connector_url,
            auth="sigv4",
            region=REGION,
            access_key_id=key.access_key_id,
            secret_access_key=key.secret_access_key,
            session_token=key.session_token or "",
        ),
        store=StoreTable(id=STORE),
        **tables(),
        keys=KeysTable.model_validate({"url": f"{connector_url}/app/mint/{{type}}", "minted": _KINDS}),
        catalog=_sold(world),
        catalog_client=CERTIFIED,
        suite=SuiteTable(not_offered=("rate_limit",)),
    )


def _sold(world: World) -> CatalogTable:
    """Return goods that the connector certainly knows: those that the visits of the world pick in this store."""
    picked = {pick.sku for visit in world.visits for pick in visit.picks}
    rows = [row for row in _rows(world) if row["item_sku"] in picked]
    pieces = [row for row in rows if row["sold_by"] == "unit"]
    return CatalogTable(
        skus=tuple(row["item_sku"] for row in pieces[:3]),
        scancodes=tuple(row["external_product_id"] for row in pieces[:2]),
        weighted_skus=tuple(row["item_sku"] for row in rows if row["sold_by"] == "weight")[:2],
    )


def _world_goods(world: World) -> Sequence[Goods]:
    units = {"unit": "unit", "weight": "lb"}
    return [Goods(row["item_sku"], name=row["item_name"], unit=units[row["sold_by"]]) for row in _rows(world)]


def _rows(world: World) -> list[dict[str, str]]:
    with world.products_csv.open(newline="", encoding="utf-8") as file:
        return [row for row in with_own_barcode(csv.DictReader(file)) if row["store_id"] == STORE]


def _settings(scene: Scene, url: str) -> PlatformSettings:
    """Return the platform's settings: the house rules of the profile, and the key that signs calls to its connector."""
    house, table = scene.profile.house, scene.profile.connector
    declared = house.model_fields_set & PlatformGroups.model_fields.keys()
    values: dict[str, Any] = {name: getattr(house, name) for name in declared}
    values |= {"base_url": url, "aws_endpoint_url": scene.aws_url}
    if scene.profile_path:
        values["profile_path"] = scene.profile_path.absolute()
    if scene.world:
        values["catalog"] = _QUICK_CATALOG
    if scene.money:
        values |= scene.money.limits()
    if table.auth == "sigv4":
        names = ("connector_access_key_id", "connector_secret_access_key", "connector_session_token")
        values |= dict(zip(names, table.key, strict=True))
        values["auth"] = house.auth.model_copy(update={"region": table.region})
    if table.ca_file:
        values["connector_ca_file"] = table.ca_file
    return read(PlatformSettings, **values)


def _declared(scene: Scene, wishes: Wishes) -> Declared:
    tiers = scene.profile.tiers
    has_entry = tiers.shopper_authorization or tiers.resolve_scan
    return Declared(scene.profile, wishes.profile, ("core", "entry") if has_entry else ("core",))


def _open_store(scene: Scene, wishes: Wishes, url: str) -> None:
    """Set up the store, show its address, and then set up the account and upload the catalog."""
    table, tiers = scene.profile.connector, scene.profile.tiers
    takes_cards = tiers.shopper_authorization
    setup = {
        "retailer": scene.retailer,
        "connector": {"url": table.url, "auth": table.auth, "headers": table.headers},
        "gates": [f"{scene.store}-GATE-{number}" for number in range(1, wishes.gates + 1)],
        "methods": [*_ways_without_cards(wishes.kind), *(["card", "palm"] if takes_cards else [])],
        "paymentProcessor": scene.money.processor if scene.money else "retailer",
        "strategy": "amazon_recommendation" if takes_cards else "amazon_managed",
        "loyalty": tiers.resolve_scan,
    }
    if scene.money:
        open_payments_at(url, scene.retailer, scene.money)
    call("PUT", f"{url}/portal/stores/{scene.store}", setup)
    for card, risks in known_risks(scene.profile).items():
        call("PUT", f"{url}/risk/{card}", {"risks": risks})
    if wishes.visitors:
        call("PUT", f"{url}/visits", {"everyS": _VISIT_EVERY_S})
    print(f"Open {url}{PREFIX}/ in a browser. Ctrl-C stops everything.", flush=True)  # noqa: T201 - the command's output
    if wishes.browser and has_browser():
        webbrowser.open(f"{url}{PREFIX}/")
    keys = (scene.money.key,) if scene.money else ()
    deployed = set_up_account(url, scene.aws_url, scene.retailer, keys)
    if scene.world:
        _upload(url, scene.aws_url, deployed, scene.world.products_csv)


def _ways_without_cards(kind: StoreKind) -> list[str]:
    return ["app", "badge"] if kind in {"retailer", "mixed"} else []


def set_up_account(platform_url: str, aws_url: str, retailer: str, others: Sequence[Key] = ()) -> Deployed:
    """Deploy the retailer's queue and role in the simulated AWS, and allow-list the account at the platform.

    `others` are further keys of the account.
    """
    topic = call("GET", f"{platform_url}/portal/topic")["topicArn"]
    deployed = RetailerAws(aws_url).deploy_results_queue(topic)
    keys = {**key_setup(deployed.key), "otherKeys": [key_setup(key) for key in others]}
    account = {"retailer": retailer, **keys, "queueArn": deployed.queue_arn}
    call("PUT", f"{platform_url}/portal/accounts/{deployed.account_id}", account)
    return deployed


def _upload(platform_url: str, aws_url: str, deployed: Deployed, products: Path) -> None:
    """Upload the world's catalog. Some of its rows are wrong on purpose, so the client's exit code 1 is expected."""
    subprocess.run(  # noqa: S603 - our own command
        [*JWO, "catalog", "upload", str(products), "--confirm"],
        capture_output=True,
        timeout=_UPLOAD_WITHIN_S,
        check=False,
        **tied({"PATH": os.environ.get("PATH", ""), **client_settings(platform_url, aws_url, deployed)}),
    )


def has_browser() -> bool:
    """Return whether this machine has a screen with a browser; a text browser would take the terminal."""
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in (*_SCREENS, "BROWSER")):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def in_background(work: Callable[[], None]) -> None:
    """Do work in a thread that ends with this process. An error of it goes to standard error."""

    def run() -> None:
        try:
            work()
        except JwoError as error:
            print(f"jwo: {error}", file=sys.stderr)  # noqa: T201 - the command's error

    threading.Thread(target=run, daemon=True).start()
