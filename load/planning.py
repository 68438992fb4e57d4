"""Reads a Locust process's settings and scenario, and makes the schedule."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from locust.env import Environment

from load.curves import Curve
from load.errors import BadOptions
from load.schedule import Mix, Schedule, make_schedule
from load.settings import LoadOptions, options_from

FLAGS = {
    "rate": "rate",
    "duration": "duration_s",
    "budget": "budget_s",
    "seed": "seed",
    "connector_profile": "profile",
    "load_out": "out",
}
"""The flags that this kit adds to Locust, and the setting of each."""


class Scenario(Protocol):
    """The attributes of a scenario, which is also a Locust user class."""

    __doc__: str | None
    __name__: str
    mix: Mix
    poisson: bool

    def arrivals(self, rate: float, duration_s: float) -> Curve:
        """Return the planned rate over the run."""


def options_of(environment: Environment) -> LoadOptions:
    """Return the settings: Locust's flags, then the environment variables, then the defaults."""
    parsed = vars(environment.parsed_options)
    given = {name: parsed.get(flag) for flag, name in FLAGS.items()}
    return options_from(**given, connector=environment.host, workers=parsed.get("processes") or None)


def scenario_of(environment: Environment) -> Any:  # noqa: ANN401 - a user class that is also a Scenario; no type expresses that
    """Return the scenario of this Locust process. Raises BadOptions if its file contains other user classes."""
    classes = environment.user_classes
    if len(classes) != 1 or not hasattr(classes[0], "arrivals"):
        names = ", ".join(each.__name__ for each in classes) or "none"
        raise BadOptions(
            f"a scenario file must contain one subclass of StoreVisitors, but it contains these user classes: {names}",
            "put each scenario into its own file, and remove other users",
        )
    return classes[0]


def plan(scenario: Scenario, options: LoadOptions) -> Schedule:
    """Return the whole run's schedule."""
    curve = scenario.arrivals(options.rate, options.duration_s)
    return make_schedule(curve, scenario.mix, seed=options.seed, poisson=scenario.poisson)


def describe(scenario: Scenario, environment: Environment) -> dict[str, Any]:
    """Return the report's description of the scenario."""
    weights = {kind.name.lower(): round(share, 6) for kind, share in scenario.mix.weights().items() if share}
    return {
        "name": Path(str(vars(environment.parsed_options)["locustfile"])).stem,
        "title": " ".join((scenario.__doc__ or scenario.__name__).split()),
        "arrivals": "random (Poisson)" if scenario.poisson else "evenly spaced",
        "mix": weights,
    }
