"""Whether a run needs the simulated platform, and what its profile must declare for that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from conformance.certification import Certification
from conformance.end_to_end.platform import starting
from conformance.errors import NotDeclared
from contract.profile import Profile
from contract.register import register

API = "End to end"


def case_ids() -> list[str]:
    """Return the ids of the cases that run through the platform."""
    return [row.id for row in register().values() if row.api == API]


@contextmanager
def platform_for(certification: Certification) -> Iterator[None]:
    """Start the platform for a run that needs one and has none, and end it with the run."""
    if certification.platform is not None or not _is_wanted(certification):
        yield
        return
    with starting(certification.profile) as platform:
        certification.platform = platform
        try:
            yield
        finally:
            certification.platform = None


def visits_need(profile: Profile) -> None:
    """Make sure that visits are possible with what is declared; NotDeclared says what is missing."""
    if missing := _missing(profile):
        raise NotDeclared(f"a visit through the simulated platform needs {' and '.join(missing)} in the profile")


def _is_wanted(certification: Certification) -> bool:
    chosen = certification.selection
    wanted = [each for each in case_ids() if register()[each].tier in chosen.tiers]
    return any(not chosen.only or each in chosen.only for each in wanted) and not _missing(certification.profile)


def _missing(profile: Profile) -> list[str]:
    declared = {
        "[store] id": profile.store.id,
        "[keys] shopper": "shopper" in profile.declared_keys(),
        "[catalog] skus": profile.catalog.skus,
    }
    return [name for name, value in declared.items() if not value]
