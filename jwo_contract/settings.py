"""Reads the settings of all packages, and refuses unknown variables of the environment.

Otherwise a misspelt variable would change nothing, without a message. Each package subclasses `RoomSettings` and sets a
prefix. Its command reads the settings with `read`, which reports each problem in one sentence.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, ClassVar, TypeVar, get_origin

from pydantic import AliasChoices, BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from jwo_contract.errors import BadSettings
from jwo_contract.invalid import describe

# Kubernetes gives every container such variables for a service that is named like a prefix of ours. A name that ends
# with PORT alone has an address, such as tcp://10.0.0.1:80; with a number it is a misspelt setting.
_SERVICE_LINK = re.compile(
    r".*_(SERVICE_HOST=|SERVICE_PORT(_\w+)?=|PORT=\w+://|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?=).*", re.DOTALL
)
_QUOTED = re.compile(r'field "(\w+)"')
_JOINT = "__"


class RoomSettings(BaseSettings):
    """Base class of the settings: frozen, and read from arguments and from the environment."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_nested_delimiter=_JOINT, frozen=True, extra="forbid"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - `_Environment` replaces it
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no package reads such files
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments first, then the environment."""
        return init_settings, _Environment(settings_cls)


class _Environment(EnvSettingsSource):
    """The environment; raises BadSettings if a variable with our prefix is not a setting."""

    def __call__(self) -> dict[str, Any]:
        unknown = _unknown(self.settings_cls)
        if unknown:
            raise BadSettings("; ".join(unknown))
        return super().__call__()


_Settings = TypeVar("_Settings", bound=RoomSettings)


def read(kind: type[_Settings], unless_set: Mapping[str, object] | None = None, /, **given: object) -> _Settings:
    """Make settings from arguments and the environment. Raises BadSettings, which names each wrong variable.

    `unless_set` has values for settings that the environment does not set.
    """
    set_here = {name.upper() for name in os.environ}
    unset = {name: value for name, value in (unless_set or {}).items() if _variable(kind, (name,)) not in set_here}
    try:
        return kind(**{**unset, **given})  # type: ignore[arg-type]  # pydantic checks each
    except ValidationError as error:
        wrong = [f"{_variable(kind, each['loc'])}: {describe(kind, each)}" for each in error.errors()]
        raise BadSettings("; ".join(wrong)) from error
    except SettingsError as error:
        raise BadSettings(f"{_unparsed(kind, error)}: not valid JSON; write a list or a table as JSON") from error


def _unknown(kind: type[BaseSettings]) -> list[str]:
    known = set(variables(kind))
    prefix = kind.model_config.get("env_prefix", "")
    set_here = [
        name
        for name, value in os.environ.items()
        if prefix and name.upper().startswith(prefix) and not _SERVICE_LINK.fullmatch(f"{name.upper()}={value}")
    ]
    return [_sentence(name, known, prefix) for name in sorted(set_here) if not _is_known(name.upper(), known)]


def _is_known(name: str, known: set[str]) -> bool:
    """Return whether a name is a setting, or a member of one with free names (`…__*`)."""
    open_ended = (each.removesuffix("*") for each in known if each.endswith("*"))
    return name in known or name.startswith(tuple(open_ended))


def _sentence(name: str, known: set[str], prefix: str) -> str:
    """Return the error of an unknown variable. The common prefix does not make two names similar."""
    rests = sorted(each.removeprefix(prefix) for each in known if each.startswith(prefix))
    near = get_close_matches(name.upper().removeprefix(prefix), rests, n=1)
    return f"{name} is not a setting; " + (
        f"did you mean {prefix}{near[0]}?" if near else "unset it, or correct its name"
    )


def _unparsed(kind: type[BaseSettings], error: SettingsError) -> str:
    """Return the variable of a setting that is not JSON; pydantic names the setting only in its text."""
    found = _QUOTED.search(str(error))
    return _variable(kind, (found[1],)) if found else str(error)


def variables(kind: type[BaseSettings]) -> Iterator[str]:
    """List the variables of the environment that set a setting; a name that ends with `*` takes any rest."""
    for name, field in kind.model_fields.items():
        aliases = _aliases(field)
        yield from (alias.upper() for alias in aliases)
        prefix = kind.model_config.get("env_prefix", "")
        if not aliases or kind.model_config.get("validate_by_name"):
            yield from _names(f"{prefix}{name}".upper(), field)


def _names(variable: str, field: FieldInfo) -> Iterator[str]:
    """List the variables of one setting: a group has a variable for JSON, and one for each member."""
    yield variable
    kind = field.annotation
    if get_origin(kind) is dict:
        yield f"{variable}{_JOINT}*"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, inner in kind.model_fields.items():
            yield from _names(f"{variable}{_JOINT}{name}".upper(), inner)


def _aliases(field: FieldInfo) -> list[str]:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return [each for each in alias.choices if isinstance(each, str)]
    return [alias] if isinstance(alias, str) else []


def _variable(kind: type[BaseSettings], where: tuple[int | str, ...]) -> str:
    """Return the variable of a place in the settings, without indices of lists."""
    names = [str(each) for each in where if isinstance(each, str)]
    if names[:1] and names[0] not in kind.model_fields:
        return names[0]
    return (kind.model_config.get("env_prefix", "") + _JOINT.join(names)).upper()
