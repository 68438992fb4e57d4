"""The settings of one load test: flag > environment (`JWO_LOAD_RATE`) > default, written once, here.

The process that starts Locust hands them over through the environment, so `locust -f` reads the same names.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, FiniteFloat, ValidationError
from pydantic_settings import SettingsConfigDict

from contract.errors import BadSettings
from contract.settings import RoomSettings
from load.errors import BadOptions

_READ_BEYOND_S = 2.0
_UNIT = re.compile("_m?s$")


class LoadOptions(RoomSettings):
    """What to send, how fast, and how to judge it."""

    model_config = SettingsConfigDict(extra="ignore", env_prefix="JWO_LOAD_")

    connector: str = ""
    """The connector's address; wins over the profile's."""
    profile: str = ""
    """A jwo.toml."""
    scenario: str = "gate_rush"
    """A name in load/scenarios, or the path of a file like those."""
    rate: FiniteFloat = Field(default=50, gt=0)
    """Requests a second at the scenario's busiest."""
    duration_s: FiniteFloat = Field(default=60, gt=0)
    budget_s: FiniteFloat = Field(default=2.0, gt=0)
    """An answer that is complete after exactly this long is in time; a nanosecond more is late."""
    read_for_s: FiniteFloat = Field(default=10.0, gt=0)
    """How long a late answer is still read; never less than the budget and two seconds."""
    workers: int = Field(default=1, ge=1)
    """Processes that send; 1 needs no master."""
    seed: int = 1
    lag_bound_ms: FiniteFloat = Field(default=1.0, gt=0)
    """The p99 of the generator's own lag beyond which there is no verdict."""
    crossing_ms: FiniteFloat = Field(default=10.0, ge=0)
    """A kept connection's close within this time of sending may have crossed the request; a later one is a failure.

    A peer that drops each request at once looks the same, so the verdict bounds how many may cross.
    """
    key_ahead_s: FiniteFloat = Field(default=15.0, gt=0)
    """How long before its use an identity key is minted."""
    priority: Literal["realtime", "nice", "none"] = "realtime"
    """What the sending processes ask of the system; see load/priority.py."""
    out: str = ""
    """Where the reports go."""
    baseline: str = ""
    """The load.json of an earlier run, to compare with."""
    baseline_copy: str = ""
    """What is read in its place, once the run's own reports may lie there; for the process that started this one."""
    max_slowdown: FiniteFloat = Field(default=0, ge=0)
    """With a baseline: fail when p99 grew by more than this share; 0 only shows it."""
    progress_fd: int = -1
    """Where progress is written as JSON lines; for the process that started this one."""

    @property
    def reads_for_s(self) -> float:
        """How long an answer is waited for: always longer than the budget, as one in time must not be given up."""
        return max(self.read_for_s, self.budget_s + _READ_BEYOND_S)

    def as_environment(self) -> dict[str, str]:
        """Return the settings as the variables that carry them to another process."""
        return {f"JWO_LOAD_{name.upper()}": str(value) for name, value in self.model_dump().items()}


def options_from(**given: object) -> LoadOptions:
    """Make the settings from flags; None is not given. Raises BadOptions if a flag is invalid."""
    try:
        return LoadOptions(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]  # pydantic checks each
    except ValidationError as error:
        wrong = [
            f"--{_UNIT.sub('', str(entry['loc'][0])).replace('_', '-')}: {entry['msg']}" for entry in error.errors()
        ]
        raise BadOptions("; ".join(wrong)) from error
    except BadSettings as error:
        raise BadOptions(str(error)) from error


def scenario_file(scenario: str) -> Path:
    """Return the file of a scenario. Raises BadOptions, with the known names, if there is none."""
    own = Path(__file__).parent / "scenarios"
    for path in (own / f"{scenario}.py", Path(scenario)):
        if path.suffix == ".py" and path.is_file():
            return path.resolve()
    raise BadOptions(f"there is no scenario {scenario}", f"take one of {', '.join(scenario_names())}, or a file's path")


def scenario_names() -> list[str]:
    """Return the names of the scenarios that come with the kit."""
    own = Path(__file__).parent / "scenarios"
    return sorted(path.stem for path in own.glob("*.py") if not path.stem.startswith("_"))
