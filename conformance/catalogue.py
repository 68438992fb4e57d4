"""The catalogue of scenarios, read from the feature files without running them: which one proves which requirement."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from pytest_bdd.feature import get_feature
from pytest_bdd.parser import ScenarioTemplate

from jwo_contract.register import rules

_HERE = Path(__file__).resolve().parent
FEATURES = next(folder for folder in (_HERE / "features", _HERE.parent / "features") if folder.is_dir())
"""The feature files: a part of this package in an installed wheel, and beside it in a clone."""
LEVELS = ("must", "should", "house")
MODES = ("alone", "waits", "last")
"""How a scenario runs: `waits`, being slow itself, beside others; `alone` after these, with nothing beside it; `last`
after all others, since it judges the exchanges of the whole run.
"""
LONG = "long"
"""The tag of a `waits` scenario that takes more than a second: workers begin with these, so that none ends the run."""
RATE = "rate"
"""The tag of a scenario that exceeds the declared rate limit: it calls `[limits] url`, if the profile declares that."""


class ScenarioEntry(NamedTuple):
    """A scenario: its file within features/, its title, the ids that it proves, and the level from its tags.

    `mode` is how the scenario runs (see `MODES`), `feature` is the name of its feature.
    """

    file: str
    title: str
    ids: tuple[str, ...]
    level: str
    mode: str = ""
    feature: str = ""
    is_long: bool = False
    exceeds_rate: bool = False
    text: str = ""
    """Its steps and examples, without the layout of the file."""


class Coverage(NamedTuple):
    """A requirement, and its proof: its own scenarios, the scenarios of other ids, or a reason why it has no test."""

    id: str
    scenarios: tuple[str, ...]
    proven_by: tuple[str, ...]
    not_tested: str

    @property
    def is_settled(self) -> bool:
        """Whether the requirement has exactly one of the three."""
        return sum(map(bool, (self.scenarios, self.proven_by, self.not_tested))) == 1


@lru_cache(maxsize=1)
def scenario_entries() -> tuple[ScenarioEntry, ...]:
    """Read every feature file."""
    entries = []
    for path in sorted(FEATURES.rglob("*.feature")):
        file = str(path.relative_to(FEATURES))
        feature = get_feature(str(FEATURES), file)
        for scenario in feature.scenarios.values():
            tags = sorted(scenario.tags)
            ids = tuple(tag for tag in tags if tag not in (*LEVELS, *MODES, LONG, RATE))
            levels = [tag for tag in tags if tag in LEVELS]
            mode = next((tag for tag in tags if tag in MODES), "")
            level = levels[0] if len(levels) == 1 else ""
            marks, text = (LONG in tags, RATE in tags), _text(scenario)
            entries.append(ScenarioEntry(file, scenario.name, ids, level, mode, feature.name or "", *marks, text))
    return tuple(entries)


def _text(scenario: ScenarioTemplate) -> str:
    steps = [
        (each.keyword, each.name, each.docstring, each.datatable and each.datatable.raw()) for each in scenario.steps
    ]
    examples = [(each.example_params, each.examples) for each in scenario.examples]
    return repr((steps, examples))


def coverage(edition: str = "") -> list[Coverage]:
    """Return one row for each requirement of an edition, or of the newest one, in the order of the register."""
    return [
        Coverage(
            row.id,
            tuple(f"{entry.file}: {entry.title}" for entry in scenario_entries() if row.id in entry.ids),
            row.proven_by,
            row.not_tested,
        )
        for row in rules(edition).values()
    ]


def feature_files() -> list[Path]:
    """Return all feature files, so that a test finds a file that has no scenario."""
    return sorted(FEATURES.rglob("*.feature"))
