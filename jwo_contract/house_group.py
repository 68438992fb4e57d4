"""The base class of the groups of house rules, and a type that several groups use."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from jwo_toolkit.patterns import checked_pattern

Pattern = Annotated[str, AfterValidator(checked_pattern)]
"""A regular expression (ECMA-262) that is matched in bounded time."""


class HouseGroup(BaseModel):
    """Base class of the groups: frozen, and an unknown name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
