"""Every setting has a description, which the reference and the error messages print."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from docs.generator.fields import described, is_group
from jwo_contract.settings import RoomSettings
from load.settings import LoadOptions
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.settings import ConnectorSettings
from simulator.settings import PlatformSettings

_SETTINGS: tuple[type[RoomSettings], ...] = (ConnectorSettings, CatalogClientSettings, PlatformSettings, LoadOptions)


def _without_description(model: type[BaseModel], place: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        group = field.annotation
        if is_group(field) and isinstance(group, type):
            yield from _without_description(group, f"{place}{name}.")
        elif not described(model, name).meaning:
            yield f"{place}{name}"


@pytest.mark.parametrize("settings", _SETTINGS, ids=lambda each: each.__name__)
def test_each_setting_has_a_description(settings: type[RoomSettings]) -> None:
    assert list(_without_description(settings)) == []


def test_each_class_of_settings_is_checked() -> None:
    shipped = {each for each in RoomSettings.__subclasses__() if not each.__module__.startswith("tests.")}

    assert shipped == set(_SETTINGS)
