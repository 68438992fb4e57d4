"""Each setting of the house decides something: a case, the schema of a message, or a part of the product reads it."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.mutants.gallery import connector_with
from conformance.mutants.gate import profile_of
from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.session import FinishedRun, run
from conformance.verdicts import Verdict
from jwo_contract.house import DEFAULT, House
from jwo_contract.register import register

Serve = Callable[[Any], str]
ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {f"{group}.{name}" for group in House.model_fields for name in type(getattr(DEFAULT, group)).model_fields}
WARN, FAIL, NOT_APPLICABLE = Verdict.WARN, Verdict.FAIL, Verdict.NOT_APPLICABLE
_AT_ONCE_S = 0.000001

CASES: dict[str, tuple[object, str, Verdict]] = {
    "http.malformed_status": (422, "VIK-X.8", WARN),
    "http.repeats_personal": (True, "VIK-X.45", NOT_APPLICABLE),
    "http.shows_internals": (True, "VIK-X.87", NOT_APPLICABLE),
    "suite.exact_readers": (False, "VIK-X.77", NOT_APPLICABLE),
    "identity.key_channels": (("OPTICAL", "NFC"), "VIK-X.17", WARN),
    "identity.key_max": (1336, "VIK-X.57", NOT_APPLICABLE),
    "identity.visitor_id_min": (200, "VIK-1.1", WARN),
    "identity.visitor_id_max": (3, "VIK-1.1", WARN),
    "identity.refusal_status": (403, "VIK-X.9", WARN),
    "identity.remember": ((200,), "VIK-X.5", NOT_APPLICABLE),
    "ordering.auth_event_id_pattern": (".*", "CP-3.13", NOT_APPLICABLE),
    "ordering.locations": (("ENTRY", "ROOFTOP"), "CP-X.21", WARN),
    "ordering.scan_types": (("SHOPPER", "ROBOT"), "CP-X.21", WARN),
    "ordering.identifier_types": (("UPC", "NAME"), "CP-X.21", WARN),
    "ordering.purchase_id_max": (3, "CP-1.1", WARN),
    "ordering.duplicate_status": (200, "CP-X.5", WARN),
    "ordering.changed_cart": ("conflict_409", "CP-X.3", WARN),
    "ordering.unknown_store": ("park", "CP-X.10", WARN),
    "ordering.unknown_sku": ("reject_400", "CP-X.9", WARN),
    "ordering.answer_budget_s": (_AT_ONCE_S, "CP-X.11", WARN),
    "shopper_auth.answer_members": (("decision",), "SA-7a.1", WARN),
    "shopper_auth.idempotent": (False, "SA-X.1", NOT_APPLICABLE),
    "shopper_auth.answer_budget_s": (_AT_ONCE_S, "SA-X.3", WARN),
    "resolve_scan.idempotent": (False, "RS-X.3", NOT_APPLICABLE),
    "resolve_scan.answer_budget_s": (_AT_ONCE_S, "RS-X.4", WARN),
    "scan_details.fewest_promotions": (9, "GSD-X.1", WARN),
    "gate.timeout_s": (_AT_ONCE_S, "VIK-X.28", WARN),
    "suite.debt_within_s": (0, "VIK-X.126", NOT_APPLICABLE),
    "suite.probe_ok": ((202,), "PLAN-APP-VAL-CONN-002", FAIL),
}
"""Another value of a setting, a case that the correct small connector passes by default, and its verdict then."""

PARTS = {
    "identity.badge_credential": "reference_connector/app.py",
    "identity.remember_h": "conformance/properties/model.py",
    "scan_key.prefix": "jwo_contract/scan_key.py",
    "scan_key.timestamp_digits": "jwo_contract/scan_key.py",
    "scan_key.token_digits": "jwo_contract/scan_key.py",
    "scan_key.max_age_s": "reference_connector/scan_keys.py",
    "scan_key.single_use": "reference_connector/scan_keys.py",
    "ordering.cash_type": "conformance/steps/given.py",
    "shopper_auth.remember_h": "reference_connector/shopper_auth.py",
    "shopper_auth.retries": "simulator/entry/cards.py",
    "shopper_auth.fallback": "simulator/entry/cards.py",
    "shopper_auth.send_recommendation": "simulator/entry/cards.py",
    "shopper_auth.none_calls": "simulator/entry/cards.py",
    "resolve_scan.id_as_data": "reference_connector/loyalty.py",
    "resolve_scan.response_shape": "reference_connector/loyalty.py",
    "resolve_scan.remember_h": "reference_connector/loyalty.py",
    "resolve_scan.profile": "simulator/entry/loyalty.py",
    "scan_details.invalid_status": "reference_connector/loyalty.py",
    "auth.region": "conformance/drivers/http.py",
    "auth.max_skew_s": "reference_connector/authentication.py",
    "auth.normalize_path": "reference_connector/authentication.py",
    "auth.require_signed_token": "reference_connector/authentication.py",
    "auth.block_amazon_hosts": "jwo_contract/profile.py",
    "gate.store_default": "simulator/entry/codes.py",
    "gate.qr_pattern": "simulator/entry/codes.py",
    "delivery.order_timeout_s": "simulator/delivery.py",
    "delivery.backoff_first_s": "simulator/delivery.py",
    "delivery.backoff_factor": "simulator/delivery.py",
    "delivery.backoff_max_s": "simulator/delivery.py",
    "delivery.window_h": "simulator/delivery.py",
    "delivery.honour_retry_after": "simulator/delivery.py",
    "delivery.accept_200": "simulator/delivery.py",
    "delivery.most_at_once": "simulator/delivery.py",
    "delivery.most_at_once_per_store": "simulator/delivery.py",
    "catalog.rate_per_s": "simulator/catalog/access.py",
    "catalog.burst": "simulator/catalog/access.py",
    "catalog.retry_after_s": "simulator/catalog/access.py",
    "catalog.error500_retry_text": "simulator/catalog/access.py",
    "catalog.error500_final_text": "simulator/catalog/access.py",
    "catalog.notification_subject": "simulator/composition.py",
    "catalog.queue_s": "simulator/catalog/ingestion.py",
    "catalog.process_s": "simulator/catalog/ingestion.py",
    "catalog.name_guide": "simulator/catalog/items.py",
    "simulator.palm_type": "simulator/entry/cards.py",
    "simulator.palm_interaction": "simulator/entry/cards.py",
    "barcode.ean8_check": "simulator/catalog/barcodes.py",
    "barcode.gtin_check": "simulator/catalog/barcodes.py",
    "barcode.isbn_check": "simulator/catalog/barcodes.py",
    "barcode.infer_type": "simulator/catalog/barcodes.py",
    "barcode.missing_by_length": "simulator/catalog/barcodes.py",
    "simulator.weight_unit": "conformance/core_drafts.py",
    "simulator.associate_cart": "simulator/trips.py",
    "simulator.cart_delay_s": "simulator/delivery.py",
    "simulator.gate_open_s": "simulator/composition.py",
    "simulator.currency": "simulator/entry/cards.py",
    "simulator.authorized_amount": "simulator/trips.py",
    "simulator.risk_rate": "simulator/composition.py",
    "suite.strict": "conformance/report/headline.py",
    "payment.rate_per_s": "simulator/catalog/access.py",
    "payment.burst": "simulator/catalog/access.py",
    "payment.retry_after_s": "simulator/catalog/access.py",
    "payment.empty_answer": "simulator/signed_calls.py",
    "payment.refund_window_days": "simulator/payment_calls/charges.py",
    "payment.refund_answer": "simulator/routers.py",
    "payment.currencies": "simulator/payment_calls/charges.py",
    "payment.most_decimals": "simulator/payment_calls/charges.py",
    "payment.capture_above_authorized": "simulator/payment_calls/charges.py",
    "payment.changed_repeat": "simulator/payment_calls/charges.py",
    "payment.pending_s": "simulator/payment_calls/charges.py",
    "payment.pending_rate": "simulator/payment_calls/charges.py",
    "payment.decline_rate": "simulator/payment_calls/charges.py",
    "payment.magic_ids": "simulator/routers.py",
    "checkout.rate_per_s": "simulator/catalog/access.py",
    "checkout.burst": "simulator/catalog/access.py",
    "checkout.retry_after_s": "simulator/catalog/access.py",
    "checkout.readings": "simulator/checkout/totals.py",
    "checkout.subtotals": "simulator/checkout/totals.py",
    "checkout.rounding_cents": "simulator/checkout/totals.py",
    "checkout.trip_expires_h": "simulator/checkout/routes.py",
    "checkout.changed_cart": "simulator/checkout/routes.py",
    "shopper_identity.rate_per_s": "simulator/catalog/access.py",
    "shopper_identity.burst": "simulator/catalog/access.py",
    "shopper_identity.retry_after_s": "simulator/catalog/access.py",
    "shopper_identity.unknown_shopper": "simulator/shopper_identity/routes.py",
    "own_auth.rate_per_s": "simulator/catalog/access.py",
    "own_auth.burst": "simulator/catalog/access.py",
    "own_auth.retry_after_s": "simulator/catalog/access.py",
    "own_auth.longest_timeout_ms": "simulator/own_authentication/sessions.py",
    "own_auth.failure": "simulator/own_authentication/sessions.py",
    "intra_day.files_an_hour": "simulator/intraday/files.py",
    "intra_day.subject": "simulator/intraday/files.py",
    "intra_day.empty_files": "simulator/intraday/files.py",
}
"""The part of the product that reads a setting without a case of its own."""


def in_schemas() -> set[str]:
    """Return the settings that the schemas of messages name: they change the requests and what an answer must be."""
    schemas = (json.loads(path.read_text("utf-8")) for path in (ROOT / "jwo_contract" / "schemas").glob("*.json"))
    return {setting for schema in schemas for setting in named_in(schema)}


def named_in(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        named = value.get("x-house", {})
        yield from (each for each in (named.values() if isinstance(named, dict) else [named]))
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from named_in(inner)


def house_with(setting: str, value: object) -> House:
    group, _, name = setting.partition(".")
    return House.model_validate({group: {name: value}})


def judged(serve: Serve, case_id: str, house: House) -> FinishedRun:
    profile = profile_of(serve(connector_with(""))).model_copy(update={"house": house})
    return run(RunConfiguration(profile, Selection(("core", "entry"), (case_id,))))


def test_every_setting_is_read() -> None:
    assert sorted(SETTINGS - CASES.keys() - PARTS.keys() - in_schemas()) == []


def test_tables_name_settings_that_exist_and_need_an_entry() -> None:
    assert sorted((CASES.keys() | PARTS.keys() | in_schemas()) - SETTINGS) == []
    assert sorted(PARTS.keys() & (CASES.keys() | in_schemas())) == []


@pytest.mark.parametrize("setting", CASES)
def test_changed_setting_changes_the_verdict(serve: Serve, setting: str) -> None:
    value, case_id, verdict = CASES[setting]
    found = judged(serve, case_id, house_with(setting, value)).results[case_id]

    assert found.verdict is verdict


def test_cases_pass_without_a_changed_setting(serve: Serve) -> None:
    profile = profile_of(serve(connector_with("")))
    cases = tuple(sorted({case_id for _, case_id, _ in CASES.values()}))
    results = run(RunConfiguration(profile, Selection(("core", "entry"), cases))).results

    assert {each: results[each].verdict for each in cases} == dict.fromkeys(cases, Verdict.PASS)


def test_setting_of_a_row_is_tried() -> None:
    named = {row.setting for row in register().values() if row.setting and row.tier in {"core", "entry"}}

    assert sorted(named - CASES.keys() - PARTS.keys()) == []


@pytest.mark.parametrize("setting", PARTS)
def test_part_reads_the_setting(setting: str) -> None:
    tree = ast.parse((ROOT / PARTS[setting]).read_text("utf-8"))

    assert setting.partition(".")[2] in {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def test_trip_of_a_cash_shopper_has_the_type_of_the_house(serve: Serve) -> None:
    house = house_with("ordering.cash_type", "CASH_SHOPPER")
    sent = [each.sent() for each in judged(serve, "CP-1.11", house).results["CP-1.11"].exchanges]

    assert [body["shoppingTrip"]["authEvents"][0]["scanResult"]["type"] for body in sent if "shoppingTrip" in body] == [
        "CASH_SHOPPER"
    ]


@pytest.mark.parametrize(
    ("fault", "key_max", "verdict"),
    [("", 1000, Verdict.PASS), ("limits_decoded_keys", 1000, FAIL), ("limits_decoded_keys", 1336, Verdict.PASS)],
)
def test_length_of_an_overlong_key_follows_the_reading_of_the_limit(
    serve: Serve, fault: str, key_max: int, verdict: Verdict
) -> None:
    profile = profile_of(serve(connector_with(fault)))
    profile = profile.model_copy(update={"house": house_with("identity.key_max", key_max)})
    found = run(RunConfiguration(profile, Selection(("core",), ("VIK-3.4",)))).results["VIK-3.4"]

    assert found.verdict is verdict
    assert [len(each.sent()["identityKey"]) for each in found.exchanges][-1:] == [1340]


@pytest.mark.parametrize("pattern", ["^[0-9]+$", "^[0-9a-f]{32}$"])
def test_events_of_carts_fit_the_pattern(serve: Serve, pattern: str) -> None:
    found = judged(serve, "CP-1.1", house_with("ordering.auth_event_id_pattern", pattern)).results["CP-1.1"]

    assert found.verdict is Verdict.PASS


def test_pattern_that_no_id_fits_is_named(serve: Serve) -> None:
    found = judged(serve, "CP-1.1", house_with("ordering.auth_event_id_pattern", "^e$")).results["CP-1.1"]

    assert found.verdict is Verdict.NOT_APPLICABLE
    assert "[house.ordering] auth_event_id_pattern" in found.reason


def test_weights_are_in_the_unit_of_the_house(serve: Serve) -> None:
    sent = judged(serve, "CP-1.3", house_with("simulator.weight_unit", "kg")).results["CP-1.3"].exchanges[-1].sent()

    assert [item["quantity"] for item in sent["cartItems"]] == [{"value": "1.25", "unit": "kg"}]
