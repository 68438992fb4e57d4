"""Decides whether a run needs the simulated platform, and checks what its profile must declare for that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from conformance.end_to_end.platform import Platform, starting
from conformance.errors import NotDeclared
from conformance.run.configuration import RunConfiguration
from jwo_contract.profile import Profile
from jwo_contract.register import register
from jwo_toolkit.extras import how_to_install, is_installed

API = "End to end"


def case_ids() -> list[str]:
    """Return the ids of the cases that run through the platform."""
    return [row.id for row in register().values() if row.api == API]


@contextmanager
def platform_for(configuration: RunConfiguration) -> Iterator[Platform | None]:
    """Yield the platform of a run: the one that it has, one that runs until the end of the block, or None."""
    if configuration.platform is not None or not _needs_platform(configuration):
        yield configuration.platform
        return
    with starting(configuration.profile) as platform:
        yield platform


def check_profile_allows_visits(profile: Profile) -> None:
    """Raises NotDeclared if the platform, or a declaration that visits need, is missing; the error names it."""
    if missing := _missing(profile):
        raise NotDeclared(f"a visit through the simulated platform needs {' and '.join(missing)} in the profile")
    check_platform_is_installed()


def check_platform_is_installed() -> None:
    """Raises NotDeclared, with the command that installs it, if this install has no simulated platform."""
    if not is_installed("platform"):
        raise NotDeclared(f"this case needs the simulated platform; {how_to_install('platform')}")


def _needs_platform(configuration: RunConfiguration) -> bool:
    wanted = any(map(configuration.selection.has, case_ids()))
    return wanted and is_installed("platform") and not _missing(configuration.profile)


def _missing(profile: Profile) -> list[str]:
    declared = {
        "[store] id": profile.store.id,
        "[keys] shopper": "shopper" in profile.declared_keys(),
        "[catalog] skus": profile.catalog.skus,
    }
    return [name for name, value in declared.items() if not value]
