"""Stage 3: the reference catalog client tests the connection, uploads the store's catalog and fetches the results."""

from __future__ import annotations

import csv
import json
import os
import shlex
import subprocess
import sys
from typing import Any

from jwo.aws import REGION, Deployed
from jwo.demo.neighbourhood import Neighbourhood, call
from jwo.demo.stages import Stage
from jwo.errors import Broken
from jwo_contract.profile import CatalogClientTable
from jwo_contract.sigv4 import Key
from jwo_toolkit.lifeline import tied

_WITHIN_S = 60
_CLIENT = (sys.executable, "-P", "-m", "jwo.catalog_command", "upload", "--confirm", "{csv}")
"""The command `jwo catalog upload` without the rest of `jwo`: the suite runs it many times, so it must start fast."""
CERTIFIED = CatalogClientTable(
    command=shlex.join(_CLIENT),
    environment={
        "JWO_CATALOG_ENDPOINT": "{endpoint}",
        "JWO_CATALOG_REGION": "{region}",
        "JWO_CATALOG_ACCESS_KEY_ID": "{access_key_id}",
        "JWO_CATALOG_SECRET_ACCESS_KEY": "{secret_access_key}",
        "JWO_CATALOG_SESSION_TOKEN": "{session_token}",
        "JWO_CATALOG_QUEUE_URL": "{queue_url}",
        "JWO_CATALOG_AWS_ENDPOINT_URL": "{aws_endpoint}",
    },
    tells_rejected="exit_code",
    at_once=9,
)
"""The reference catalog client, declared as a retailer does in a profile."""


def upload_catalog(here: Neighbourhood, stage: Stage) -> frozenset[str]:
    """Upload the catalog, confirm the subscription, wait for the results, and return the accepted SKUs."""
    reached = _client(here, "connectivity", key=here.caller.key)
    stage.expect(reached["connectivityStatus"] == "Success", f"the connectivity test says {reached}")
    before = _onboarding(here)
    products = here.world.products_csv
    with products.open(newline="", encoding="utf-8") as file:
        skus = [row["item_sku"] for row in csv.DictReader(file)]
    summary = _client(here, "upload", str(products), "--confirm", "--json", allowed_codes=(0, 1))
    rejected = summary["rejectedRows"]
    account = call("GET", f"{here.platform_url}/portal/accounts/{here.deployed.account_id}")
    stage.expect(account["subscriptionStatus"] == "Complete", f"the subscription is {account['subscriptionStatus']}")
    stage.expect(summary["accepted"] + summary["rejected"] == len(skus), "the report lacks a row")
    stage.expect(bool(rejected), "the deliberately bad rows were not rejected")
    for ingestion in summary["ingestions"]:
        status = _client(here, "status", ingestion)["processingStatus"]
        stage.expect(status == "DONE", f"the status call reports {status} for an ingestion that was notified as DONE")
    _check_onboarding(before, _onboarding(here), stage)
    stage.summary = (
        f"connectivity test accepted, {len(skus)} rows uploaded in {len(summary['ingestions'])} call, "
        "subscription confirmed, notified over SQS: "
        f"{summary['accepted']} accepted, {summary['rejected']} rejected; the status API agrees"
    )
    stage.details += [f"{row['item_sku']}: {row['code']}, {row['message']}" for row in rejected]
    return frozenset(skus).difference(row["item_sku"] for row in rejected)


def _onboarding(here: Neighbourhood) -> Any:  # noqa: ANN401 - any JSON
    return call("GET", f"{here.platform_url}/portal/merchants/{here.world.stores[0].retailer}/onboarding")


def _check_onboarding(before: Any, after: Any, stage: Stage) -> None:  # noqa: ANN401 - any JSON
    """Expect that the upload ends the onboarding: only then, the portal shows each step of the retailer as done."""
    missing = _missing(after)
    stage.expect(not before["complete"], "onboarding is complete without a catalog")
    stage.expect(after["complete"], f"onboarding is not complete: {'; '.join(missing)}")
    steps = len(after["steps"])
    stage.details.append(f"onboarding before the upload lacks: {'; '.join(_missing(before))}")
    stage.details.append(f"onboarding after the upload: {steps - len(missing)} of {steps} steps are done")


def _missing(onboarding: Any) -> list[str]:  # noqa: ANN401 - any JSON
    return [f"{step['step']} of {step['of']}: {step['status']}" for step in onboarding["steps"] if not step["done"]]


def _client(here: Neighbourhood, *arguments: str, key: Key | None = None, allowed_codes: tuple[int, ...] = (0,)) -> Any:  # noqa: ANN401 - any JSON
    """Run `jwo catalog`, by default with the key of the catalog role, and return what it prints."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-P", "-m", "jwo", "catalog", *arguments],
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
        **tied(
            {"PATH": os.environ.get("PATH", ""), **client_settings(here.platform_url, here.aws_url, here.deployed, key)}
        ),
    )
    if done.returncode not in allowed_codes:
        raise Broken(f"the catalog client exited with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)


def client_settings(platform_url: str, aws_url: str, deployed: Deployed, key: Key | None = None) -> dict[str, str]:
    """Return the variables of the catalog client, by default with the key of the catalog role."""
    key = key or deployed.key
    return {
        "JWO_CATALOG_ENDPOINT": platform_url,
        "JWO_CATALOG_REGION": REGION,
        "JWO_CATALOG_ACCESS_KEY_ID": key.access_key_id,
        "JWO_CATALOG_SECRET_ACCESS_KEY": key.secret_access_key,
        "JWO_CATALOG_SESSION_TOKEN": key.session_token or "",
        "JWO_CATALOG_QUEUE_URL": deployed.queue_url,
        "JWO_CATALOG_AWS_ENDPOINT_URL": aws_url,
        "JWO_CATALOG_SHARED_BARCODES": "send",  # the platform is to reject the row that shares another's barcode
    }
