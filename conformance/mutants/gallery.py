"""Every mutant: its fault and the id of the check that must find it."""

from __future__ import annotations

from typing import NamedTuple

from conformance.mutants import crosstalk
from conformance.mutants.refusals import RAW_REFUSALS, REFUSALS
from conformance.mutants.rules import CART_RULES, SCAN_RULES
from conformance.mutants.small import RACES
from conformance.mutants.small_entry import FAULTS

RATE_LIMIT = 5


class Mutant(NamedTuple):
    """A fault of the small connector, and the ids each of which must find it by itself."""

    fault: str
    found_by: tuple[str, ...]
    rate_limit_per_second: int = 0

    @property
    def waits(self) -> bool:
        """Whether it takes long to find, so that it is better begun early."""
        return any(word in self.fault for word in ("late", "_ms", "seconds", "at_a_time"))


_BEHAVIOUR = (
    Mutant("calls_everybody_an_associate", ("VIK-1.1",)),
    Mutant("calls_everybody_a_shopper", ("VIK-1.2",)),
    Mutant("says_cash_for_cash_shopper", ("VIK-X.12",)),
    Mutant("opens_for_an_unknown_key", ("VIK-2", "E2E-X.2")),
    Mutant("refuses_with_403", ("VIK-2",)),
    Mutant("names_no_visitor_type", ("VIK-1.1", "VIK-1.2")),
    Mutant("names_no_visitor", ("VIK-1.1", "PLAN-APP-VAL-CONN-001", "PLAN-APPCHK-VAL-VIK", "PLAN-APP-IV-001")),
    Mutant("answers_flat", ("VIK-1.1",)),
    Mutant("answers_malformed_json", ("VIK-1.1",)),
    Mutant("names_visitors_at_length", ("VIK-1.1",)),
    Mutant("never_limits_its_rate", ("VIK-4",), RATE_LIMIT),
    Mutant("limits_its_rate_with_503", ("VIK-4",), RATE_LIMIT),
    Mutant("forgets_the_auth_event", ("VIK-6", "VIK-X.1", "VIK-X.2", "E2E-X.4")),
    Mutant("remembers_by_request_id", ("VIK-6",)),
    Mutant("decides_twice_at_once", ("VIK-X.2", "E2E-X.4")),
    Mutant("remembers_by_event_and_key", ("VIK-X.3",)),
    Mutant("opens_each_event_once_a_shopper", ("VIK-X.4",)),
    Mutant("forgets_refusals", ("VIK-X.5",)),
    Mutant("refuses_unknown_members:scan", ("VIK-X.6",)),
    Mutant("refuses_without_key_channel", ("VIK-X.7",)),
    Mutant("fails_on_malformed_json:scan", ("VIK-X.8", "VIK-3.17")),
    Mutant("fails_on_a_list:scan", ("VIK-X.8",)),
    Mutant("accepts_an_empty_object:scan", ("VIK-3.17",)),
    Mutant("refuses_with_422:scan", ("VIK-3.1", "VIK-3.5", "VIK-3.16")),
    Mutant("opens_for_a_refused_key", ("VIK-X.9",)),
    Mutant("opens_for_an_expired_key", ("VIK-X.10",)),
    Mutant("opens_for_a_used_key", ("VIK-X.11",)),
    Mutant("remembers_invalid_scans", ("VIK-X.13",)),
    Mutant("answers_scans_after_2500_ms", ("VIK-9",)),
    Mutant("answers_everything_after_2500_ms", ("VIK-9", "CP-X.11")),
    Mutant("answers_one_scan_in_ten_late", ("VIK-9",)),
    Mutant("calls_it_order_id", ("CP-1.1", "PLAN-APP-VAL-CONN-002", "PLAN-CHK-VAL-CONN-001")),
    Mutant("counts_its_purchases", ("CP-1.1",)),
    Mutant(
        "leaves_the_purchase_id_empty",
        tuple(f"CP-1.{number}" for number in (1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15)),
    ),
    Mutant("answers_purchases_with_200", ("CP-1.1", "CP-1.7")),
    Mutant("makes_a_purchase_of_nothing", ("CP-1.7",)),
    Mutant("answers_an_empty_cart_with_null", ("CP-1.7",)),
    Mutant("forgets_the_trip_id", ("CP-2", "CP-X.1", "CP-X.2", "E2E-X.9")),
    Mutant("remembers_trips_by_request_id", ("CP-2",)),
    Mutant("buys_twice_at_once", ("CP-X.2",)),
    Mutant("remembers_by_trip_and_cart", ("CP-X.3",)),
    Mutant("refuses_a_changed_cart", ("CP-X.3",)),
    Mutant("remembers_trips_by_cart", ("CP-X.4",)),
    Mutant("answers_duplicates_with_200", ("CP-X.5",)),
    Mutant("answers_duplicates_with_409", ("CP-2",)),
    Mutant("refuses_unknown_members:cart", ("CP-X.6",)),
    Mutant("wants_a_visit_to_last", ("CP-X.7",)),
    Mutant("fails_on_malformed_json:cart", ("CP-X.8", "CP-3.35")),
    Mutant("fails_on_a_list:cart", ("CP-X.8",)),
    Mutant("accepts_an_empty_object:cart", ("CP-3.35",)),
    Mutant("refuses_with_422:cart", ("CP-3.1", "CP-3.10", "CP-3.34")),
    Mutant("refuses_unknown_items", ("CP-X.9",)),
    Mutant("parks_with_no_purchase_id", ("CP-X.9",)),
    Mutant("answers_carts_after_2500_ms", ("CP-X.11",)),
    Mutant("forgets_empty_trips", ("CP-X.12",)),
    Mutant("remembers_invalid_carts", ("CP-X.13",)),
)

_MEMORY = (
    Mutant("remembers_by_body:scan", ("VIK-X.22",)),
    Mutant("remembers_32:scan", ("VIK-X.23",)),
    Mutant("forgets_after_two_seconds:scan", ("VIK-X.24",)),
    Mutant("forgets_at_restart:scan", ("VIK-X.25",)),
    Mutant("mixes_visitors_up", ("VIK-X.27",)),
    Mutant("remembers_by_body:cart", ("CP-X.31",)),
    Mutant("remembers_32:cart", ("CP-X.32",)),
    Mutant("forgets_after_two_seconds:cart", ("CP-X.33",)),
    Mutant("forgets_at_restart:cart", ("CP-X.34", "E2E-X.15")),
    Mutant("mixes_trips_up", ("CP-X.36", "E2E-X.7")),
    Mutant("forgets_on_an_empty_cart", ("CP-X.46",)),
    Mutant("forgets_by_the_times_in_messages:scan", ("CP-X.46",)),
    Mutant("forgets_by_the_times_in_messages:cart", ("CP-X.46",)),
    Mutant("gives_an_id_again_after_a_restart", ("CP-X.47",)),
    Mutant("remembers_by_the_start_of_the_event", ("VIK-X.38",)),
    Mutant("cuts_trip_ids_short", ("CP-X.48",)),
    Mutant("reads_trip_ids_as_numbers", ("CP-X.48",)),
    *(Mutant(fault, ("CP-X.2",)) for fault in RACES),
)
_CROSSTALK = tuple(
    Mutant(name, fault.found_by, RATE_LIMIT if "throttled" in name else 0) for name, fault in crosstalk.FAULTS.items()
)
_TRANSPORT = tuple(
    Mutant(f"{fault}:{call}", (found_by,))
    for fault, by_scan, by_cart in (
        ("loses_its_temper_in_a_crowd", "VIK-X.26", "CP-X.35"),
        ("answers_one_at_a_time", "VIK-X.28", "CP-X.37"),
        ("answers_late_under_load", "VIK-X.28", "CP-X.37"),
        ("gives_slow_callers_up", "VIK-X.29", "CP-X.38"),
        ("breaks_after_a_broken_call", "VIK-X.30", "CP-X.39"),
        ("answers_in_reverse_order", "VIK-X.31", "CP-X.40"),
        ("takes_any_method", "VIK-X.32", "CP-X.41"),
        ("fails_on_other_content_types", "VIK-X.33", "CP-X.42"),
        ("fails_on_huge_bodies", "VIK-X.34", "CP-X.43"),
        ("answers_after_2100_ms", "VIK-9", "CP-X.11"),
        ("answers_one_in_a_hundred_late", "VIK-9", "CP-X.11"),
        ("sends_the_last_byte_late", "VIK-9", "CP-X.11"),
        ("answers_204", "VIK-1.1", "CP-1.1"),
        ("redirects", "VIK-1.1", "CP-1.1"),
        ("answers_202", "VIK-1.1", "CP-1.1"),
        ("answers_503", "VIK-1.1", "CP-1.1"),
    )
    for call, found_by in (("scan", by_scan), ("cart", by_cart))
)
_NAMES_JSON = (
    ("scan", "VIK-X.37"),
    ("cart", "CP-X.49"),
    ("tap", "SA-X.4"),
    ("loyalty", "RS-X.5"),
    ("details", "GSD-X.3"),
)
_ANSWERS = (
    Mutant("names_visitors_by_number", ("VIK-1.1",)),
    Mutant("writes_the_type_small", ("VIK-1.1", "VIK-1.2")),
    Mutant("answers_in_xml", ("VIK-1.1",)),
    Mutant("answers_a_list", ("VIK-1.1",)),
    Mutant("answers_nothing", ("VIK-1.1",)),
    Mutant("wraps_the_purchase", ("CP-1.1",)),
    Mutant("writes_the_purchase_id_small", ("CP-1.1",)),
    Mutant("makes_ids_of_300_characters", ("CP-1.1",)),
    Mutant("answers_late_after_the_purchase_is_made", ("CP-X.11",)),
    Mutant("answers_late_after_the_decision", ("VIK-9",)),
    *(
        Mutant(f"{fault}:{call}", (found_by,))
        for fault in ("calls_its_json_a_page", "does_not_say_that_it_is_json")
        for call, found_by in _NAMES_JSON
    ),
)

CONFORMANT = (("", ()), ("answers_after_1900_ms:scan", ("VIK-9",)), ("answers_after_1900_ms:cart", ("CP-X.11",)))
"""What must not be found: the connector without a fault, and odd ones, each with the ids that look closest."""

GALLERY = (
    *(Mutant(row.fault, row.found_by) for row in REFUSALS),
    *(Mutant(fault, (found_by,)) for fault, found_by in RAW_REFUSALS),
    Mutant("accepts_any_key_channel", ("VIK-X.36",)),
    *(Mutant(fault, found_by) for fault, found_by in FAULTS.items()),
    *_MEMORY,
    *_CROSSTALK,
    *_TRANSPORT,
    *_ANSWERS,
    *(Mutant(rule.fault, (rule.found_by,)) for rules in (SCAN_RULES, CART_RULES) for rule in rules.rows),
    *_BEHAVIOUR,
)
