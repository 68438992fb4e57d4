from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwo_contract import scan_key
from jwo_contract.errors import BadValue
from jwo_contract.house import ScanKeyRules
from jwo_contract.scan_key import ScanKey

RULES = ScanKeyRules()
SAMPLE = "SldPSU1BRzE4YmMwNTU0ZDA0NWE0OGIyOWFmYTllMmFhYWMxNGFl"
SCANNED_AT = datetime(2023, 11, 11, 21, 41, 37, 668000, tzinfo=UTC)
CODE = ScanKey("JWOIMAG", SCANNED_AT, "5a48b29afa9e2aaac14ae")


def a_code(
    prefix: str = "JWOIMAG",
    issued_at: datetime = SCANNED_AT,
    token: str = "5a48b29afa9e2aaac14ae",  # noqa: S107 - the published sample's
    custom_info: str = "",
) -> ScanKey:
    return ScanKey(prefix, issued_at, token, custom_info)


def test_the_published_sample_is_read_and_written() -> None:
    assert scan_key.decode(scan_key.from_identity_key(SAMPLE), RULES) == CODE
    assert scan_key.to_identity_key(scan_key.encode(CODE, RULES)) == SAMPLE


@given(
    milliseconds=st.integers(0, 16**11 - 1),
    token=st.text("0123456789abcdef", min_size=21, max_size=21),
    custom_info=st.text("0123456789ABCxyz", max_size=20),
)
def test_every_written_code_is_read_back(milliseconds: int, token: str, custom_info: str) -> None:
    issued_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    code = a_code(issued_at=issued_at, token=token, custom_info=custom_info)
    assert scan_key.decode(scan_key.encode(code, RULES), RULES) == code


def test_upper_case_hex_is_read() -> None:
    text = "JWOIMAG" + scan_key.encode(CODE, RULES)[7:].upper()
    assert scan_key.decode(text, RULES) == CODE


@pytest.mark.parametrize(
    "code",
    [
        a_code(token="5a48"),
        a_code(token="z" * 21),
        a_code(custom_info="two words"),
        a_code(custom_info="caf\N{LATIN SMALL LETTER E WITH ACUTE}"),
        a_code(issued_at=datetime(1969, 12, 31, tzinfo=UTC)),
        a_code(issued_at=datetime(2600, 1, 1, tzinfo=UTC)),
    ],
)
def test_unreadable_code_is_not_written(code: ScanKey) -> None:
    with pytest.raises(BadValue):
        scan_key.encode(code, RULES)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "JWOIMAG",
        "OTHERSHOP18bc0554d045a48b29afa9e2aaac14ae",
        "JWOIMAG18bc0554d045a48b29afa9e2aaac14a",
        "JWOIMAG18bc0554d045a48b29afa9e2aaac14ae-x",
        "JWOIMAGz8bc0554d045a48b29afa9e2aaac14ae",
        "JWOIMAG18bc0554d04za48b29afa9e2aaac14ae",
        "valid_shopper_key",
    ],
)
def test_an_invalid_or_foreign_code_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        scan_key.decode(text, RULES)


@pytest.mark.parametrize("identity_key", ["not*base64=", "YWI", "YQ==\n", "_w==", "gICAgA==", "\u00e9"])
def test_an_identity_key_must_be_text_in_base64(identity_key: str) -> None:
    with pytest.raises(BadValue):
        scan_key.from_identity_key(identity_key)


def test_the_layout_follows_the_house_rules() -> None:
    rules = ScanKeyRules(prefix="SHOP", token_digits=4)
    text = scan_key.encode(a_code(prefix="SHOP", token="beef", custom_info="X9"), rules)
    assert text == "SHOP18bc0554d04beefX9"
    assert scan_key.decode(text, rules).custom_info == "X9"
