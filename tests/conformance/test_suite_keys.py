"""A source of keys that cannot be used is an error of the profile."""

from __future__ import annotations

import pytest

from conformance.drivers.keys import KeySource
from conformance.errors import ProfileBroke
from contract.profile import KeysTable, for_url


@pytest.mark.parametrize(
    "source",
    [
        {"url": "http://.example.com/{type}"},
        {"url": "http://127.0.0.1:99999/{type}"},
        {"url": "http://127.0.0.1:9/{type}"},
        {"command": "mint 'x {type}"},
        {"command": " "},
    ],
)
def test_source_of_keys_that_is_not_usable_is_named(source: dict[str, str]) -> None:
    profile = for_url("http://127.0.0.1:9").model_copy(update={"keys": KeysTable.model_validate(source)})
    with pytest.raises(ProfileBroke, match=r"^\[keys\] "):
        KeySource(profile).take("shopper")
