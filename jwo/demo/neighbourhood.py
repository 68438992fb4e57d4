"""Runs the processes of the demonstration on this machine: AWS, platform, connector, and others that answer no scan.

The connector runs twice on the same records. The second process limits its rate and waits only briefly for its
database, as a stage for tests does. The suite restarts the first one.
"""

from __future__ import annotations

import csv
import json
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from jwo.aws import REGION, Deployed, DeployedCaller, RetailerAws
from jwo.demo.connectivity import run_caller
from jwo.demo.entry import RETAILER_FILE
from jwo.demo.restarting import restartable
from jwo.demo.stages import Stage, Stages
from jwo.errors import Broken
from jwo.price_list import write_price_list
from jwo.processes import Processes
from jwo_contract.gate import StoreDefault
from jwo_contract.operations import GET_CATALOG_UPLOAD_STATUS, UPLOAD_CATALOG
from jwo_contract.sigv4 import Key
from jwo_toolkit.keep_alive import LIMITS
from simulator.worlds import World, load_world, shipped_world

STORE = "STORE-001"
OTHER_STORE = "STORE-002"
"""The second store of the retailer, which sells the same goods; the suite visits it."""
STORE_DEFAULTS: dict[StoreDefault, str] = {"closed": "STORE-default-closed", "open": "STORE-default-open"}
"""The store for each store default decision."""
CALLS_PER_SECOND = 10
"""The rate limit of the connector's second process."""
_LIMITED = {
    "JWO_CONNECTOR_LIMITS__CALLS_PER_SECOND": str(CALLS_PER_SECOND),
    "JWO_CONNECTOR_STORE__BUSY_TIMEOUT_S": "0.3",
}
_CALL_WITHIN_S = 20.0


@dataclass(frozen=True)
class Neighbourhood:
    """The addresses of the running processes, and the keys for the calls between them."""

    folder: Path
    world: World
    aws_url: str
    platform_url: str
    connector_url: str
    admin_token: str
    platform_key: Key
    deployed: Deployed
    caller: DeployedCaller
    limited_url: str
    malformed_url: str
    refusing_url: str
    restart_command: str

    @property
    def database(self) -> Path:
        """The file of the connector's records."""
        return _database(self.folder)


@contextmanager
def started(stages: Stages, folder: Path) -> Iterator[Neighbourhood]:
    """Start all processes (stages 1 and 2), and stop them by their process ids at the end."""
    world = load_world(shipped_world())
    admin_token = secrets.token_urlsafe(30)
    platform_key = Key(f"ASIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30), secrets.token_urlsafe(60))
    with Processes(folder) as processes, _refusing_port() as refusing_url, ExitStack() as stack:
        with stages.stage("AWS") as stage:
            aws_url = processes.start("aws", ["aws"]).url
            platform_url = processes.start(
                "platform", ["platform"], _platform_settings(folder, aws_url, platform_key)
            ).url
            topic = call("GET", f"{platform_url}/portal/topic")["topicArn"]
            retailer_aws = RetailerAws(aws_url)
            deployed = retailer_aws.deploy_results_queue(topic)
            caller = retailer_aws.deploy_connectivity_test(platform_url)
            stage.summary = "CloudFormation deployed the results queue with its calling role, and the connectivity test"
            stage.details.append(f"moto at {aws_url}; queue {deployed.queue_arn}; topic {topic}")
        with stages.stage("Platform and connector") as stage:
            settings = connector_settings(folder, world, platform_key, admin_token)
            connector = processes.start("connector", ["connector"], settings)
            limited = processes.start("limited", ["connector"], {**settings, **_LIMITED})
            faulty_stores = [word for store in STORE_DEFAULTS.values() for word in ("--store", store)]
            malformed = processes.start("malformed", ["mutant", "answers_malformed_json", *faulty_stores])
            restart_command = stack.enter_context(restartable(lambda: processes.restart("connector")))
            here = Neighbourhood(
                folder, world, aws_url, platform_url, connector.url, admin_token, platform_key, deployed, caller,
                limited.url, malformed.url, refusing_url, restart_command,
            )  # fmt: skip
            _onboard(here, stage)
        yield here


@cache
def _client() -> httpx.Client:
    """Return one shared client: creating a client costs more than a call."""
    return httpx.Client(timeout=_CALL_WITHIN_S, trust_env=False, limits=LIMITS)


def call(method: str, url: str, body: Any = None, **more: Any) -> Any:  # noqa: ANN401 - any JSON
    """Call one of the demonstration's processes. Raises Broken if the call or its answer fails."""
    try:
        answer = _client().request(method, url, json=body, **more)
    except httpx.HTTPError as error:
        raise Broken(f"{method} {url}: {error or type(error).__name__}") from error
    if answer.is_error:
        raise Broken(f"{method} {url} answered {answer.status_code}: {answer.text[:300]}")
    return answer.json() if "json" in answer.headers.get("content-type", "") else answer.content


def _onboard(here: Neighbourhood, stage: Stage) -> None:
    """Set up the stores at the portal, test their connector, and allow-list the retailer's account."""
    for store in here.world.stores:
        setup = {
            "retailer": store.retailer,
            "connector": {"url": here.connector_url, "auth": "sigv4"},
            "qrPattern": store.qr_pattern,
            "storeDefault": store.store_default,
            "gates": store.gates,
        }
        call("PUT", f"{here.platform_url}/portal/stores/{store.id}", setup)
        stage.details.append(f"{store.id}: {len(store.gates)} gates; {_test_connectors(here, store.id, stage)}")
    shown = _allow_list(here)
    stage.expect(shown["subscriptionStatus"] == "Pending", f"the subscription is {shown['subscriptionStatus']}")
    answer = run_caller(here.caller)
    shown = call("GET", f"{here.platform_url}/portal/accounts/{here.deployed.account_id}")
    stage.expect(
        (answer["status"], shown["connectivityStatus"]) == (HTTPStatus.OK, "Success"),
        f"the deployed connectivity test got {answer}, and the portal shows {shown['connectivityStatus']}",
    )
    stage.details.append(
        f"the deployed connectivity test got {answer['status']}; the portal shows {shown['connectivityStatus']}"
    )
    stage.summary = (
        f"{len(here.world.stores)} store onboarded, account allow-listed, connectivity {shown['connectivityStatus']}, "
        "SNS subscription pending"
    )


def _test_connectors(here: Neighbourhood, store: str, stage: Stage) -> str:
    """Run the portal's connectivity tests of a store's Identity Connector and Ordering Connector."""
    with here.world.products_csv.open(newline="", encoding="utf-8") as file:
        sku = next(csv.DictReader(file))["item_sku"]
    bodies = {"identity": call("GET", f"{here.connector_url}/app/mint/shopper"), "ordering": {"sku": sku}}
    got = []
    for kind, body in bodies.items():
        test = call("POST", f"{here.platform_url}/portal/stores/{store}/connectors/{kind}/connectivity-test", body)
        stage.expect(test["passed"], f"the portal's connectivity test of {store}, {kind}, failed: {test['cause']}")
        got.append(f"{kind} {test['status']} in {test['elapsedMs']:.0f} ms")
    return f"the portal's connectivity tests got {', '.join(got)}"


def _allow_list(here: Neighbourhood) -> Any:  # noqa: ANN401 - any JSON
    """Allow-list the retailer's account, with the keys of its two roles and what their policies allow."""
    account = {
        "retailer": here.world.stores[0].retailer,
        **key_setup(here.deployed.key),
        "mayCall": [UPLOAD_CATALOG.path, GET_CATALOG_UPLOAD_STATUS.path],
        "otherKeys": [{**key_setup(here.caller.key), "mayCall": [here.caller.variables["JWO_PATH"]]}],
        "queueArn": here.deployed.queue_arn,
    }
    return call("PUT", f"{here.platform_url}/portal/accounts/{here.deployed.account_id}", account)


def key_setup(key: Key) -> dict[str, str | None]:
    """Return an AWS key as members of the set-up of an account."""
    return {
        "accessKeyId": key.access_key_id,
        "secretAccessKey": key.secret_access_key,
        "sessionToken": key.session_token,
    }


def _platform_settings(folder: Path, aws_url: str, key: Key) -> dict[str, str]:
    return {
        "JWO_PLATFORM_AWS_ENDPOINT_URL": aws_url,
        "JWO_PLATFORM_DATABASE_PATH": str(folder / "platform.sqlite3"),
        "JWO_PLATFORM_CATALOG__QUEUE_S": "0.3",
        "JWO_PLATFORM_CATALOG__PROCESS_S": "0.3",
        "JWO_PLATFORM_CONNECTOR_ACCESS_KEY_ID": key.access_key_id,
        "JWO_PLATFORM_CONNECTOR_SECRET_ACCESS_KEY": key.secret_access_key,
        "JWO_PLATFORM_CONNECTOR_SESSION_TOKEN": key.session_token or "",
    }


def connector_settings(folder: Path, world: World, key: Key, admin_token: str) -> dict[str, str]:
    """Return the variables of a reference connector with a world's retailer, which the platform calls with a key."""
    return {
        "JWO_CONNECTOR_ADMIN__TOKEN": admin_token,
        "JWO_CONNECTOR_STORE__PATH": str(_database(folder)),
        "JWO_CONNECTOR_CALLER__MODE": "sigv4",
        "JWO_CONNECTOR_CALLER__ACCESS_KEY_ID": key.access_key_id,
        "JWO_CONNECTOR_CALLER__SECRET_ACCESS_KEY": key.secret_access_key,
        "JWO_CONNECTOR_CALLER__SESSION_TOKEN": key.session_token or "",
        "JWO_CONNECTOR_AUTH__REGION": REGION,
        "JWO_CONNECTOR_RETAILER_FILES": json.dumps([str(world.file), str(RETAILER_FILE)]),
        "JWO_CONNECTOR_PRICE_LISTS": json.dumps([str(write_price_list(world.products_csv, folder, (OTHER_STORE,)))]),
        "JWO_CONNECTOR_APP_TEST_KEYS": "true",
        "JWO_CONNECTOR_APP_ALLOW_BACKDATED_CODES": "true",
    }


def _database(folder: Path) -> Path:
    return folder / "connector.sqlite3"


@contextmanager
def _refusing_port() -> Iterator[str]:
    """Hold a port without listening on it, so that it refuses connections."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"
