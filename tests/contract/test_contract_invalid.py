"""A misspelt name or value of a profile: the error names the one that was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from jwo_contract.errors import BadProfile
from jwo_contract.profile import load

BASE = '[connector]\nurl = "http://127.0.0.1:9"\n'


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("headrs = {}", "connector.headrs: unknown name; did you mean headers?"),
        ("[limits]\nrate_limit = 3", "did you mean rate_limit_per_second?"),
        ("[shopper_identites]\nlow_risk = 'x'", "did you mean shopper_identities?"),
        ("[house.ordering]\nduplicat_status = 200", "house.ordering.duplicat_status: unknown name; did you mean dup"),
        ("[house.orderin]\nduplicate_status = 200", "did you mean ordering?"),
        ("[hous.ordering]\nduplicate_status = 200", "did you mean house?"),
        ("[house]\nduplicate_status = 200", "did you mean house.ordering.duplicate_status?"),
        ("[ordering]\nduplicate_status = 200", "did you mean house.ordering?"),
        ("rate_limit_per_second = 3", "did you mean limits.rate_limit_per_second?"),
        ("[suite]\nstrict = true", "did you mean house.suite.strict?"),
        ("auth = 'sigv5'", "'sigv5' is no value of it; did you mean sigv4?"),
        ("[keys]\nminted = ['shoper']", "'shoper' is no value of it; did you mean shopper?"),
        ("[house.ordering]\nchanged_cart = 'first_win'", "did you mean first_wins?"),
        ("[keys]\nzzz = 1", "keys.zzz: unknown name; the names here are associate, associate_badge, badge, "),
    ],
)
def test_error_names_what_was_meant(tmp_path: Path, text: str, meant: str) -> None:
    path = tmp_path / "jwo.toml"
    path.write_text(f"{BASE}{text}\n", encoding="utf-8")

    with pytest.raises(BadProfile) as caught:
        load(path)

    assert meant in str(caught.value)


@pytest.mark.parametrize("table", ["restart_command", "[keys]\ncommand", "[catalog_client]\ncommand"])
@pytest.mark.parametrize(
    ("command", "problem"), [("mint 'shopper", "is not a command line (No closing quotation)"), (" ", "is blank")]
)
def test_command_that_no_shell_reads_is_refused(tmp_path: Path, table: str, command: str, problem: str) -> None:
    path = tmp_path / "jwo.toml"
    path.write_text(f'{BASE}{table} = "{command}"\n', encoding="utf-8")

    with pytest.raises(BadProfile, match="command") as caught:
        load(path)

    assert problem in str(caught.value)
