"""Runs the six stages in order: AWS, platform and connector, catalog, shoppers, conformance, reports."""

from __future__ import annotations

import csv
import tempfile
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from conformance.retailer_clients.addresses import Addresses
from conformance.verdicts import Verdict
from jwo.aws import REGION
from jwo.certify import Options, conclude, judge, publish
from jwo.demo.catalog import CERTIFIED, upload_catalog
from jwo.demo.entry import FIXED_KEY, tables
from jwo.demo.gate_table import show_gate_table
from jwo.demo.neighbourhood import CALLS_PER_SECOND, OTHER_STORE, STORE, Neighbourhood, started
from jwo.demo.shoppers import shoppers
from jwo.demo.stages import Stages
from jwo.demo.strategies import strategies
from jwo.report_folder import prepare_folder
from jwo_contract.house import House, Suite
from jwo_contract.key_kinds import BADGE_KINDS, PAYMENT_KINDS, KeyKind
from jwo_contract.profile import CatalogTable, KeysTable, LimitsTable, Profile, StoreTable
from jwo_contract.profile_connector import ConnectorTable

_PLAIN: tuple[KeyKind, ...] = ("shopper", "associate", "cash_shopper", "refused", "expired", "used")
_KINDS = (*_PLAIN, *BADGE_KINDS, *PAYMENT_KINDS)


def certify_reference(options: Options, console: Console) -> int:
    """Certify the reference connector in a simulated store day and return the exit code."""
    prepare_folder(options.out)
    stages = Stages(console)
    with tempfile.TemporaryDirectory(prefix="jwo-") as folder, started(stages, Path(folder)) as here:
        with stages.stage("Catalog") as stage:
            accepted = upload_catalog(here, stage)
        with stages.stage("Shoppers") as stage:
            shoppers(here, stage)
            show_gate_table(here, stage)
            strategies(here, stage)
        with stages.stage("Conformance") as stage:
            addresses = Addresses(here.platform_url, here.aws_url, REGION)
            report = judge(_profile(here, accepted), options, console, catalog_platform=addresses)
            counts = ", ".join(f"{number} {word}" for word, number in report.counts.items() if number)
            stage.summary = f"{len(report.cases)} cases over HTTP, signed with SigV4: {counts}"
    done = stages.as_report()
    verdict = report.verdict if all(stage.ok for stage in done) else Verdict.ERROR
    report = replace(report, stages=done, verdict=verdict)
    with stages.stage("Reports") as stage:
        paths = publish(report, options)
        stage.summary = f"{len(paths)} files in {options.out}"
    return conclude(report, paths, options, console)


def _profile(here: Neighbourhood, accepted: frozenset[str]) -> Profile:
    """Return the profile of the running reference connector."""
    key = here.platform_key
    with here.world.products_csv.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["item_sku"] in accepted and row["store_id"] == STORE]
    pieces = [row for row in rows if row["sold_by"] == "unit"]
    return Profile(
        connector=ConnectorTable(
            url=here.connector_url,
            auth="sigv4",
            region=REGION,
            access_key_id=key.access_key_id,
            secret_access_key=key.secret_access_key,
            session_token=key.session_token or "",
            restart_command=here.restart_command,
        ),
        store=StoreTable(id=STORE, other_id=OTHER_STORE),
        limits=LimitsTable(rate_limit_per_second=CALLS_PER_SECOND, burst=CALLS_PER_SECOND, url=here.limited_url),
        **tables(),
        catalog_client=CERTIFIED,
        house=House(suite=Suite(exact_readers=True)),
        keys=KeysTable(shopper=FIXED_KEY, url=f"{here.connector_url}/app/mint/{{type}}", minted=_KINDS),
        catalog=CatalogTable(
            skus=tuple(row["item_sku"] for row in pieces[:3]),
            scancodes=tuple(row["external_product_id"] for row in pieces[:2]),
            weighted_skus=tuple(row["item_sku"] for row in rows if row["sold_by"] == "weight")[:2],
        ),
    )
