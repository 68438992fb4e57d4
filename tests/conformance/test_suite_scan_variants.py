"""The sets of nearly valid scans: each differs from a valid scan, and those that must be refused break the schema."""

from __future__ import annotations

import json

import pytest

from conformance.errors import NotDeclared
from conformance.mutants.gate import certify, profile_of
from conformance.requests import Requests
from conformance.run.configuration import utc_now
from conformance.scan_variants import SCAN_SETS
from conformance.verdicts import Verdict
from jwo_contract.house import House
from jwo_contract.messages import message
from jwo_contract.operations import VERIFY_IDENTITY_KEYS

REQUESTS = Requests(profile_of("http://127.0.0.1:1"), utc_now)
BREAK_THE_SCHEMA = (
    "requestId that is nearly a UUID",
    "authEvent.id that is nearly a UUID",
    "authEvent.id that only a cart may have",
    "timestamp of no time",
    "timestamp in another form",
    "key that is nearly Base64",
    "key in another kind of Base64",
    "key just over the limit",
    "value that is nearly in its list",
    "value written in another way",
    "member in a list",
)


@pytest.mark.parametrize("name", SCAN_SETS)
def test_variants_have_labels_and_ids_of_their_own(name: str) -> None:
    variants = list(SCAN_SETS[name](REQUESTS.understood_scan(), REQUESTS))

    assert variants
    assert len({each.label for each in variants}) == len({each.encoded for each in variants}) == len(variants)


@pytest.mark.parametrize("name", BREAK_THE_SCHEMA)
def test_variants_that_must_be_refused_break_the_schema(name: str) -> None:
    schema = message(VERIFY_IDENTITY_KEYS.request, House())

    variants = SCAN_SETS[name](REQUESTS.understood_scan(), REQUESTS)

    assert [each.label for each in variants if schema.is_valid(json.loads(each.encoded))] == []


def test_bodies_that_are_nearly_json_hold_no_object() -> None:
    for each in SCAN_SETS["body that is nearly JSON"](REQUESTS.understood_scan(), REQUESTS):
        try:
            assert not isinstance(json.loads(each.encoded), dict), each.label
        except ValueError:
            continue


def test_forms_of_libraries_are_judged_only_where_the_house_requires_it() -> None:
    lenient = Requests(REQUESTS.profile.model_copy(update={"house": House()}), utc_now)

    with pytest.raises(NotDeclared, match="exact_readers"):
        list(SCAN_SETS["form of standard libraries"](lenient.understood_scan(), lenient))


def test_a_forgotten_event_shows_with_fixed_visitor_ids() -> None:
    finished = certify("keeps_the_newest_event", ("VIK-X.71",))

    assert finished.known.keeps_decisions
    assert finished.results["VIK-X.71"].verdict is Verdict.FAIL


def test_the_repetition_keeps_its_key_where_the_connector_decides_by_key() -> None:
    finished = certify("remembers_by_event_and_key", ("VIK-X.71", "VIK-X.72"))

    assert finished.known.keeps_decisions is False
    assert {result.verdict for result in finished.results.values()} == {Verdict.PASS}
