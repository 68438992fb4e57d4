"""What a Locust process knows of its run: the settings behind its flags, the scenario, and the schedule."""

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
"""Locust's names of our flags, and the settings behind them."""


class Scenario(Protocol):
    """What a scenario says, apart from being a Locust user class."""

    __doc__: str | None
    __name__: str
    mix: Mix
    poisson: bool

    def arrivals(self, rate: float, duration_s: float) -> Curve:
        """Return the wanted rate over the run."""


def options_of(environment: Environment) -> LoadOptions:
    """Return the settings: Locust's flags, the environment variables, the defaults."""
    parsed = vars(environment.parsed_options)
    given = {name: parsed.get(flag) for flag, name in FLAGS.items()}
    if run_time := parsed.get("run_time"):  # Locust's own --run-time, for those who are used to it
        given["duration_s"] = float(run_time)
    return options_from(**given, connector=environment.host, workers=parsed.get("processes") or None)


def scenario_of(environment: Environment) -> Any:  # noqa: ANN401 - a class that is also a Scenario, which no type can say
    """Return the scenario that Locust was started with. Raises BadOptions if its file holds something else as well."""
    classes = environment.user_classes
    if len(classes) != 1 or not hasattr(classes[0], "arrivals"):
        names = ", ".join(each.__name__ for each in classes) or "none"
        raise BadOptions(
            f"a scenario is one class of StoreVisitors, and these user classes were found: {names}",
            "give each scenario a file of its own, and leave other users out",
        )
    return classes[0]


def plan(scenario: Scenario, options: LoadOptions) -> Schedule:
    """Return the whole run's schedule."""
    curve = scenario.arrivals(options.rate, options.duration_s)
    return make_schedule(curve, scenario.mix, seed=options.seed, poisson=scenario.poisson)


def describe(scenario: Scenario, environment: Environment) -> dict[str, Any]:
    """Return what a report says about the scenario."""
    weights = {kind.name.lower(): round(share, 6) for kind, share in scenario.mix.weights().items() if share}
    return {
        "name": Path(str(vars(environment.parsed_options)["locustfile"])).stem,
        "title": " ".join((scenario.__doc__ or scenario.__name__).split()),
        "arrivals": "by chance (Poisson)" if scenario.poisson else "evenly spaced",
        "mix": weights,
    }
