"""The configuration of a run, which does not change after the start."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from conformance.end_to_end.platform import Platform
from conformance.properties.story import Story
from conformance.retailer_clients.addresses import Addresses
from conformance.retailer_clients.feed_day import FeedDay
from jwo_contract.profile import Profile
from jwo_contract.register import Tier, rules


@dataclass(frozen=True)
class Selection:
    """The cases to run: all cases of some tiers, or only some ids."""

    tiers: tuple[Tier, ...] = ("core",)
    only: tuple[str, ...] = ()
    deep: bool = False
    """Whether the search of each property takes minutes instead of seconds."""
    story: Story = ()
    """The only story to play; empty to draw stories."""
    left_out: frozenset[str] = frozenset()
    """APIs of some stores only, which the profile does not declare. `only` selects their cases nevertheless."""
    edition: str = ""
    """The edition of the documentation that judges; empty for the newest."""

    def has(self, case_id: str) -> bool:
        """Say whether a case is selected."""
        row = rules(self.edition).get(case_id)
        return (
            row is not None
            and row.tier in self.tiers
            and (case_id in self.only if self.only else row.api not in self.left_out)
        )


def utc_now() -> datetime:
    """Return the current time. A named function, because a worker process gets its clock by name."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class RunConfiguration:
    """The connector's profile, the cases to run, the clock, and the platforms that are already running."""

    profile: Profile
    selection: Selection = Selection()
    now: Callable[[], datetime] = utc_now
    platform: Platform | None = None
    """The simulated platform for visits; with None, a run that needs one starts its own."""
    catalog_platform: Addresses | None = None
    """The platform for the retailer's clients; with None, a run that needs one starts its own."""
    feed_day: FeedDay | None = None
    """The day of the feed consumer; with None, a run that needs one plays its own."""
    until_s: float = math.inf
    """The time of the monotonic clock after which the run calls the connector no more."""
