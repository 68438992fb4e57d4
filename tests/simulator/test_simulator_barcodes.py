"""Check digits and forms, with the worked examples of the specification."""

from __future__ import annotations

import pytest

from jwo_contract.house import Barcode
from simulator.catalog.barcodes import check_barcode, mod10_digit, type_of, upc_a_from_e

RULES = Barcode()


@pytest.mark.parametrize(
    ("digits", "check"), [("12345678901", "2"), ("400638133393", "1"), ("9638507", "4"), ("1001234567890", "2")]
)
def test_mod10_gives_the_worked_examples(digits: str, check: str) -> None:
    assert mod10_digit(digits) == check


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("01234505", "012000003455"),
        ("01234515", "012100003455"),
        ("01234525", "012200003455"),
        ("01234535", "012300000455"),
        ("01234545", "012340000055"),
        ("01234565", "012345000065"),
        ("11234595", "112345000095"),
    ],
)
def test_upc_e_expands_by_its_last_digit(short: str, long: str) -> None:
    assert upc_a_from_e(short) == long


RIGHT = [
    ("123456789012", "UPC"),
    ("01234565", "UPC"),
    ("4006381333931", "EAN"),
    ("96385074", "EAN8"),
    ("10012345678902", "GTIN"),
    ("0306406152", "ISBN"),
    ("080442957X", "ISBN"),
    ("411", "PLU"),
    ("4011", "PLU"),
    ("940111", "PLU"),
]


@pytest.mark.parametrize(("barcode", "kind"), RIGHT)
def test_valid_barcode_has_no_problem(barcode: str, kind: str) -> None:
    assert check_barcode(barcode, kind, RULES) is None
    assert check_barcode(barcode, None, RULES) is None


@pytest.mark.parametrize(("barcode", "kind"), [row for row in RIGHT if row[1] != "PLU"])
def test_every_other_check_digit_is_wrong(barcode: str, kind: str) -> None:
    others = set("0123456789") - {barcode[-1]}
    found = {problem.code for digit in others if (problem := check_barcode(barcode[:-1] + digit, kind, RULES))}
    assert found == {"CHECK_DIGIT_INVALID"}


@pytest.mark.parametrize(("barcode", "kind"), [row for row in RIGHT if row[1] != "PLU"])
def test_barcode_one_digit_short_misses_its_check_digit(barcode: str, kind: str) -> None:
    problem = check_barcode(barcode[:-1], kind, RULES)
    assert problem is not None
    assert problem.code == "CHECK_DIGIT_MISSING"


@pytest.mark.parametrize(
    ("barcode", "kind", "padded"),
    [
        ("36000291452", "UPC", "036000291452"),
        ("036000291452", "EAN", "0036000291452"),
        ("306406152", "ISBN", "0306406152"),
        ("1234565", "UPC", "01234565"),
        ("41299900007", "UPC", ""),
    ],
)
def test_message_names_a_leading_zero_that_makes_the_barcode_right(barcode: str, kind: str, padded: str) -> None:
    problem = check_barcode(barcode, kind, RULES)
    assert problem is not None
    assert problem.code == "CHECK_DIGIT_MISSING"
    assert (f"{padded} is right as it is" in problem.message) == bool(padded)


@pytest.mark.parametrize(
    ("barcode", "kind"),
    [
        ("", "UPC"),
        ("12345678901X", "UPC"),
        ("1234567890", "UPC"),
        ("21234565", "UPC"),
        ("12345678901234", "EAN"),
        ("12", "PLU"),
        ("4O11", "PLU"),
        ("1234567", "PLU"),
        ("١٢٣٤٥٦٧٨٩٠١٢", "UPC"),
        ("123456789012\n", "UPC"),
        ("123456789012", "QR"),
        ("12345678901", None),
        ("", None),
    ],
)
def test_wrong_format_is_reported_as_such(barcode: str, kind: str | None) -> None:
    problem = check_barcode(barcode, kind, RULES)
    assert problem is not None
    assert problem.code == "BARCODE_FORMAT"


def test_eight_digits_without_a_type_may_be_either() -> None:
    assert type_of("01234565", RULES) == "UPC"
    assert type_of("96385074", RULES) == "EAN8"
    problem = check_barcode("96385075", None, RULES)
    assert problem is not None
    assert problem.code == "CHECK_DIGIT_INVALID"


def test_house_rules_switch_their_checks_off() -> None:
    lenient = Barcode(ean8_check=False, gtin_check=False, isbn_check=False, missing_by_length=False, infer_type=False)
    for barcode, kind in [("96385075", "EAN8"), ("10012345678903", "GTIN"), ("0306406153", "ISBN")]:
        assert check_barcode(barcode, kind, lenient) is None
    for problem in (check_barcode("12345678901", "UPC", lenient), check_barcode("123456789012", None, lenient)):
        assert problem is not None
        assert problem.code == "BARCODE_FORMAT"
