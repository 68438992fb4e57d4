"""The settings of a load test. A flag replaces an environment variable (`JWO_LOAD_RATE`), which replaces a default.

The process that starts Locust passes them through the environment, so `locust -f` reads the same names.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Literal

from pydantic import Field, FiniteFloat, ValidationError
from pydantic_settings import SettingsConfigDict

from jwo_contract.errors import BadSettings
from jwo_contract.invalid import describe
from jwo_contract.settings import RoomSettings
from load.errors import BadOptions

SCENARIOS = Path(__file__).parent / "scenarios"
"""The folder of this kit's scenarios, each a file for `locust -f`."""
_READ_BEYOND_S = 2.0
_WITHOUT_OPTION = ("priority", "key_ahead_s", "read_for_s", "baseline_copy", "progress_fd")
_UNIT = re.compile("_m?s$")


class LoadOptions(RoomSettings):
    """The requests to send, their rate, and the bounds of the verdict."""

    model_config = SettingsConfigDict(extra="ignore", env_prefix="JWO_LOAD_")

    connector: str = ""
    """The connector's address; replaces the address in the profile."""
    profile: str = ""
    """A jwo.toml."""
    scenario: str = "gate_rush"
    """A name in load/scenarios, or the path of a scenario file."""
    rate: FiniteFloat = Field(default=50, gt=0)
    """Requests per second at the scenario's peak."""
    duration_s: FiniteFloat = Field(default=60, gt=0)
    """How many seconds the scenario sends requests."""
    budget_s: FiniteFloat = Field(default=2.0, gt=0)
    """An answer that is complete after exactly this time is in time; a nanosecond more is late."""
    read_for_s: FiniteFloat = Field(default=10.0, gt=0)
    """The time for reading a late answer; at least the budget plus two seconds."""
    workers: int = Field(default=1, ge=1)
    """Number of sending processes; 1 needs no master."""
    seed: int = 1
    """The same seed gives the same requests at the same times."""
    lag_bound_ms: FiniteFloat = Field(default=1.0, gt=0)
    """Highest p99 of the generator's own lag; above it there is no verdict."""
    crossing_ms: FiniteFloat = Field(default=10.0, ge=0)
    """A close of a kept connection within this time after sending may cross the request; a later close is a failure.

    A peer that drops each request at once looks the same, so the verdict limits the number of crossings.
    """
    key_ahead_s: FiniteFloat = Field(default=15.0, gt=0)
    """Time between the minting of an identity key and its use."""
    priority: Literal["realtime", "nice", "none"] = "realtime"
    """The priority that the sending processes request from the system; see load/priority.py."""
    out: str = ""
    """Folder for the reports."""
    baseline: str = ""
    """The load.json of an earlier run, to compare with."""
    baseline_copy: str = ""
    """Copy of the baseline, since the run's own reports may overwrite it; set by the parent process."""
    max_slowdown: FiniteFloat = Field(default=0, ge=0)
    """With a baseline: fail if p99 grows by more than this share; 0 sets no limit."""
    progress_fd: int = -1
    """File descriptor for progress as JSON lines; set by the parent process."""

    @property
    def reads_for_s(self) -> float:
        """The time for reading an answer: always longer than the budget, to read each answer that is in time."""
        return max(self.read_for_s, self.budget_s + _READ_BEYOND_S)

    def as_environment(self) -> dict[str, str]:
        """Return the settings as environment variables for another process."""
        return {f"JWO_LOAD_{name.upper()}": str(value) for name, value in self.model_dump().items()}


def options_from(**given: object) -> LoadOptions:
    """Return the settings from flags; None omits a flag. Raises BadOptions, with the flag's name, if one is wrong."""
    try:
        return LoadOptions(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]  # pydantic checks each
    except ValidationError as error:
        wrong = [f"{_flag(str(entry['loc'][0]))}: {describe(LoadOptions, entry)}" for entry in error.errors()]
        raise BadOptions("; ".join(wrong), "see the options with: jwo load --help") from error
    except BadSettings as error:
        raise BadOptions(str(error)) from error


def _flag(setting: str) -> str:
    """Return the option of a setting, or its variable if it has no option."""
    if setting in _WITHOUT_OPTION:
        return f"JWO_LOAD_{setting.upper()}"
    return f"--{_UNIT.sub('', setting).replace('_', '-')}"


def scenario_file(scenario: str) -> Path:
    """Return the file of a scenario. Raises BadOptions, with the known names, if there is none."""
    for path in (SCENARIOS / f"{scenario}.py", Path(scenario)):
        if path.suffix == ".py" and path.is_file():
            return path.resolve()
    names = ", ".join(scenario_names())
    raise BadOptions(f"there is no scenario {scenario}", f"take one of {names}, or the path of a .py file")


def scenario_names() -> list[str]:
    """Return the names of this kit's scenarios."""
    return sorted(path.stem for path in SCENARIOS.glob("*.py") if not path.stem.startswith("_"))


def scenario_sentences() -> dict[str, str]:
    """Return this kit's scenarios by name, each with the first sentence of its file. It imports none of them."""
    trees = {name: ast.parse((SCENARIOS / f"{name}.py").read_text("utf-8")) for name in scenario_names()}
    return {name: f"{_first_sentence(ast.get_docstring(tree) or name)}." for name, tree in trees.items()}


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).removesuffix(".").partition(". ")[0]
