"""Badges in retailer files: what a row may say, and which rows are refused with their remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jwo_contract.house import ScanKeyRules
from reference_connector.errors import BadRetailerData
from reference_connector.retailer_changes import accidents
from reference_connector.retailer_files import load_retailer
from tests.reference_connector.badge_calls import SAMPLE_CODE, change, issue, show, with_rows


def rows_of(tmp_path: Path, text: str, codes: ScanKeyRules | None = None) -> Any:
    return load_retailer(with_rows(tmp_path, text), (), codes or ScanKeyRules())


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('id = "x"\nowner = "no-one"', "no shopper no-one. Add a [[shopper]] with that id"),
        ('id = "x"\nowner = "finn"', "finn is a CASH_SHOPPER, and a badge belongs to a SHOPPER or ASSOCIATE"),
        ('id = "x"', "owner is missing"),
        ('owner = "ada"', "id is missing"),
        ('id = ""\nowner = "ada"', "id: "),
        ('id = 17\nowner = "ada"', "Write it as a text, in quotes"),
        ('id = "badge-ada-0001"\nowner = "ada"', "badge-ada-0001 is there twice"),
        ('id = "valid_shopper_key"\nowner = "ada"', "also the text of a [[fixture_key]]"),
        (f'id = "{SAMPLE_CODE[:-1]}f"\nowner = "ada"', "the form of the app's Scan Key Codes"),
        (f'id = "{"x" * 751}"\nowner = "ada"', "has 751 bytes, and identityKey carries at most 750"),
        ('id = "x"\nowner = "ada"\nstate = "Revoked"', "did you mean revoked?"),
        ('id = "x"\nowner = "ada"\nstate = "expired"', "Write the state issued, and the instant as expires"),
        ('id = "x"\nowner = "ada"\nexpires = 2031-12-31', "is a day, and not an instant"),
        ('id = "x"\nowner = "ada"\nexpires = 2031-12-31T12:00:00', "2031-12-31T23:59:59+01:00"),
        ('id = "x"\nowner = "ada"\nexpires = 12:00:00', "not an instant"),
        ('id = "x"\nowner = "ada"\nexpires = ""', "not an ISO-8601 date and time"),
        ('id = "x"\nowner = "ada"\nexpires = 9999-12-31T23:59:59-01:00', "out of range"),
        ('id = "x"\nowner = "ada"\nexpire = 2031-12-31T12:00:00Z', "did you mean expires?"),
        ('id = "x"\nowner = "ada"\ncredential = 7', "credential: "),
    ],
)
def test_wrong_row_is_named_with_file_line_and_remedy(tmp_path: Path, row: str, says: str) -> None:
    with pytest.raises(BadRetailerData) as error:
        rows_of(tmp_path, f"# a comment\n[[badge]]\n{row}")
    [line] = [line for line in str(error.value).splitlines() if says in line]
    assert "line 2, [[badge]] number 1" in line
    assert ".toml" in line


def test_wrong_section_name_is_found(tmp_path: Path) -> None:
    with pytest.raises(BadRetailerData, match=r"\[badges\]: is not known; did you mean badge\?"):
        rows_of(tmp_path, '[[badges]]\nid = "x"\nowner = "ada"')


def test_unusual_keys_are_kept_exactly(tmp_path: Path, start: Any, a_scan: Any) -> None:
    keys = ["0017", "17", "Ausweis-Zoë", "Zoe\u0308", "🎫 7", "x" * 750, "A/B?c=%20", "CASE", "case"]
    rows = [f"[[badge]]\nid = {json.dumps(key, ensure_ascii=False)}\nowner = 'ada'" for key in keys]
    connector = start(retailer_files=with_rows(tmp_path, *rows))
    assert [show(connector, a_scan, key)[0] for key in keys] == [200] * len(keys)
    assert change(connector, "lost", "0017").status_code == 200
    assert [show(connector, a_scan, key)[0] for key in ("0017", "17", "017")] == [401, 200, 401]
    [doubt] = connector.events("retailer_files_doubtful")
    assert "differ only in capitals" in doubt["problem"]
    assert "CASE" not in doubt["problem"]


def test_prefix_of_codes_decides_what_may_be_a_badge(tmp_path: Path) -> None:
    row = f'[[badge]]\nid = "{SAMPLE_CODE[:-1]}f"\nowner = "ada"'
    assert len(rows_of(tmp_path, row, ScanKeyRules(prefix="CORNER1")).badges) == 6


def test_badge_of_an_account_that_is_gone_opens_nothing(start: Any, a_scan: Any, tmp_path: Path) -> None:
    both = with_rows(tmp_path, '[[shopper]]\nid = "hal"')
    first = start(retailer_files=both)
    assert issue(first, "of-hal", "hal").status_code == 201
    second = start()
    assert show(second, a_scan, "of-hal")[0] == 401


def test_loss_of_many_badges_of_a_file_is_held_back(tmp_path: Path) -> None:
    rows = [f'[[badge]]\nid = "b-{number}"\nowner = "ada"' for number in range(20)]
    before, after = (load_retailer(with_rows(tmp_path, *some), ()) for some in (rows, rows[:10]))
    assert accidents(before, after, 0.2) == ["10 of 25 badges are missing"]
