"""The suite's part of the pytest plugin, in a process of its own: the caller's packages may have the suite's names.

python -P -m jwo.pytest_process cases core,entry jwo.toml 2026-02    prints a JSON list of each case's id and title
python -P -m jwo.pytest_process summary report.json                  prints a JSON list of lines about a finished run
"""

from __future__ import annotations

import json
import os
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

from jwo_toolkit.own_packages import use_own_packages


def cases(tiers: str, profile: str, edition: str) -> list[tuple[str, str]]:
    """Return the id and the title of each case of the tiers in an edition, in the order of the register.

    An empty edition is that of the profile. A profile that is not readable has none; `jwo certify` reports its error.
    """
    from conformance.catalogue import scenario_entries  # noqa: PLC0415 - after the import path is set
    from jwo_contract.register import rules  # noqa: PLC0415 - as above

    chosen = [tier.strip() for tier in tiers.split(",")]
    proven = {each for entry in scenario_entries() for each in entry.ids}
    return [
        (row.id, row.title)
        for row in rules(edition or edition_in(profile)).values()
        if row.id in proven and row.tier in chosen
    ]


def edition_in(profile: str) -> str:
    """Return `[suite] edition` of a profile; empty if it names none."""
    try:
        suite = tomllib.loads(Path(profile).read_text("utf-8")).get("suite", {})
    except (OSError, ValueError):
        return ""
    named = str(suite.get("edition", "")) if isinstance(suite, dict) else ""
    return os.environ.get(named.removeprefix("env:"), "") if named.startswith("env:") else named


def summary(report_file: str) -> list[str]:
    """Return the verdict of a report in a line, and which published cases have no test in another line."""
    from conformance.report.headline import headline, not_tested  # noqa: PLC0415 - as above
    from conformance.report.model import Report, from_json  # noqa: PLC0415 - as above

    report = from_json(Report, json.loads(Path(report_file).read_text("utf-8")))
    page = Path(report_file).with_suffix(".html")
    lines = [f"jwo: verdict {report.verdict} ({headline(report)}); see {page}"]
    if report.not_tested:
        lines.append(f"jwo: published cases without a test: {not_tested(report)}")
    return lines


_ANSWERS: dict[str, Callable[..., object]] = {"cases": cases, "summary": summary}

if __name__ == "__main__":
    use_own_packages()
    from jwo_contract.errors import UnknownEdition

    try:
        print(json.dumps(_ANSWERS[sys.argv[1]](*sys.argv[2:])))  # noqa: T201 - the plugin reads it
    except UnknownEdition as error:
        sys.exit(str(error))
