"""Makes the commands that a platform starts for its pages: `jwo certify` and `jwo load` against a store's connector.

A text of a web request never becomes a word of a command: a store's configuration goes into a profile, and each other
value is a number or the name of a case, tier or scenario that this kit has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import ValidationError

from jwo_contract.profile import Profile, StoreTable
from jwo_contract.profile_connector import ConnectorTable
from jwo_contract.register import register
from jwo_toolkit.extras import how_to_install, is_installed
from jwo_toolkit.json_types import JsonObject
from jwo_toolkit.launcher import JWO, environment_without
from simulator.errors import BadCall, NotNow
from simulator.portal.stores import Store
from simulator.runs import LONGEST_LOAD_S, MOST_RATE, CertifyRequest, Command, LoadRequest
from simulator.settings import PlatformSettings

_TOO_LONG = {"find_knee", "soak"}
"""Scenarios that take many minutes or hours: they are for the command line."""
_VARIABLE = "JWO_RUN_TEXT"
_UNWANTED = ("JWO_LOAD_", _VARIABLE)
_TIERS = {
    "core": "Scans and carts: what every connector must do.",
    "entry": "Badges, cards, palms and loyalty cards.",
    "catalog": "Calls of the retailer's catalog client.",
}


class Declared(NamedTuple):
    """The profile with which `jwo play` runs, and its file if the user gave one."""

    profile: Profile
    file: Path | None
    tiers: tuple[str, ...]
    """The tiers that a full certification of this connector has."""


class JwoRuns:
    """The commands for one platform. `declared` is the profile of its connector, if it was started with one."""

    def __init__(self, settings: PlatformSettings, declared: Declared | None = None) -> None:
        self._settings = settings
        self._declared = declared

    def offer(self, store: Store) -> JsonObject:
        """Return the tiers and scenarios, and whether the store's connector has a profile with test keys."""
        connector = store.connector_for("identity")
        declared = self._declared_for(store)
        return {
            "connector": connector.url if connector else "",
            "hasProfile": declared is not None,
            "declaredKeys": declared.profile.declared_keys() if declared else [],
            "certify": {
                "tiers": [{"name": name, "about": about} for name, about in _TIERS.items()],
                "usual": list(declared.tiers) if declared else ["core"],
            },
            "load": {
                "scenarios": [{"name": name, "about": about} for name, about in _scenarios().items()],
                "mostRate": MOST_RATE,
                "longestS": LONGEST_LOAD_S,
                "problem": self._load_problem(store),
            },
        }

    def command(self, request: CertifyRequest | LoadRequest, store: Store, folder: Path) -> Command:
        """Return the command of a run. Raises BadCall if a case or a scenario is unknown.

        Raises NotNow if no load test of this connector may start.
        """
        words = self._load(request, store) if isinstance(request, LoadRequest) else _certify(request)
        environment = environment_without(*_UNWANTED)
        declared = self._declared_for(store)
        if declared and declared.file:
            file = declared.file
        else:
            file = folder / "profile.toml"
            environment |= write_profile(declared.profile if declared else self._profile_of(store), file)
        return Command((*JWO, *words, "--profile", str(file), "--out", str(folder), "--progress", "-"), environment)

    def _load(self, request: LoadRequest, store: Store) -> list[str]:
        if problem := self._load_problem(store):
            raise NotNow(problem)
        if request.scenario not in _scenarios():
            raise BadCall(f"there is no scenario {request.scenario}", hint=f"one of {', '.join(_scenarios())}")
        numbers = ["--rate", f"{request.rate:g}", "--duration", f"{request.durationS:g}"]
        return ["load", "--scenario", request.scenario, *numbers]

    def _load_problem(self, store: Store) -> str:
        """Return why no load test of a store's connector may start; empty if one may."""
        if not is_installed("load"):
            return f"the load test is not installed ({how_to_install('load')})"
        connector = store.connector_for("identity")
        if connector and not self._declared_for(store) and not _is_here(connector.url):
            return "the connector is on another machine (start jwo play --profile with its profile, or use jwo load)"
        return ""

    def _declared_for(self, store: Store) -> Declared | None:
        """Return the profile if the store still has its connector."""
        connector = store.connector_for("identity")
        if self._declared and connector and connector.url.rstrip("/") == self._declared.profile.connector.url:
            return self._declared
        return None

    def _profile_of(self, store: Store) -> Profile:
        """Return a profile with what a store's configuration says. Raises BadCall if the suite cannot use it."""
        connector, settings = store.connector_for("identity"), self._settings
        assert connector is not None
        token = settings.connector_session_token
        try:
            table = ConnectorTable(
                url=connector.url,
                auth=connector.auth,
                headers=dict(connector.headers) if connector.auth == "headers" else {},
                region=connector.region or settings.house.auth.region,
                access_key_id=settings.connector_access_key_id,
                secret_access_key=settings.connector_secret_access_key.get_secret_value(),
                session_token=token.get_secret_value() if token else "",
                ca_file=settings.connector_ca_file,
            )
            return Profile(connector=table, store=StoreTable(id=store.id), house=settings.house)
        except ValidationError as error:
            problems = "; ".join(each["msg"] for each in error.errors(include_input=False))
            text = f"the suite cannot call the store's connector: {problems}"
            raise BadCall(text, hint="correct its configuration") from error


def write_profile(profile: Profile, file: Path) -> dict[str, str]:
    """Write a profile to a file, and return the environment variables that it refers to.

    Each text is in a variable. So no secret is in the file, and no text can refer to another variable.
    """
    names = (f"{_VARIABLE}_{number}" for number in count(1))
    variables: dict[str, str] = {}
    tables = profile.model_dump(mode="json", exclude_defaults=True)
    lines = [f"{_quoted(name)} = {_toml(table, names, variables)}\n" for name, table in tables.items()]
    file.touch(mode=0o600)
    file.write_text("".join(lines), "utf-8")
    return variables


def _toml(value: Any, names: Iterator[str], variables: dict[str, str]) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        members = (
            f"{_quoted(name)} = {_toml(each, names, variables)}" for name, each in value.items() if each is not None
        )
        return f"{{ {', '.join(members)} }}"
    if isinstance(value, str):
        name = next(names)
        variables[name] = value
        return _quoted(f"env:{name}")
    if isinstance(value, list):
        return f"[{', '.join(_quoted(each) if isinstance(each, str) else json.dumps(each) for each in value)}]"
    return json.dumps(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _certify(request: CertifyRequest) -> list[str]:
    words = ["certify", "--tier", ",".join(request.tiers), *(["--strict"] if request.strict else [])]
    for each in request.only:
        row = register().get(each)
        if row is None or row.not_tested or row.proven_by:
            near = get_close_matches(each.upper(), register(), n=1)
            raise BadCall(f"there is no case {each} to run alone", hint=f"did you mean {near[0]}?" if near else "")
        words += ["--only", each]
    return words


def _scenarios() -> dict[str, str]:
    if not is_installed("load"):
        return {}
    from load.settings import scenario_sentences  # noqa: PLC0415 - a platform without load tests lacks this extra

    return {name: sentence for name, sentence in scenario_sentences().items() if name not in _TOO_LONG}


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
