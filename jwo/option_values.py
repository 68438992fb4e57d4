"""What the values of the options of `jwo` mean: profiles, tiers, progress, and the commands that repeat a case."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, cast

from jwo.errors import Usage

if TYPE_CHECKING:
    from conformance.summary import Replay
    from jwo_contract.profile import Profile
    from jwo_contract.register import Tier
    from jwo_toolkit.progress_lines import ProgressLines


def read_profile(connector: str | None, file: Path | None) -> Profile:
    """Read the profile of --profile, with the address of --connector. Raises Usage if that is empty."""
    from jwo_contract import profile as profiles

    if connector is not None and not connector.strip():
        raise Usage("--connector is empty; name an address, or omit the option")
    if file is None:
        return profiles.for_url(connector or "")
    return profiles.load(file, url=connector or "")


def read_edition(option: str | None, profile: Profile | None = None) -> str:
    """Return the edition of --edition, or of the profile; empty for the newest. Raises UnknownEdition for another."""
    from jwo_contract.register import rules

    if option is not None and not option.strip():
        raise Usage("--edition is empty; name an edition such as 2026-02, or omit the option")
    edition = option or (profile.suite.edition if profile else "")
    rules(edition)
    return edition


def open_progress_lines(target: str | None) -> ProgressLines:
    """Open the target of --progress. Raises Usage if it cannot be written."""
    from jwo_toolkit.progress_lines import open_progress

    try:
        return open_progress(target)
    except OSError as error:
        raise Usage(f"--progress: cannot write to {target} ({error.strerror}); name another file") from error


def replay_commands(connector: str | None, file: Path | None, out: Path, edition: str | None = None) -> Replay:
    """Return the commands that run one case again. The embedded connector has ended by then, so certify starts one."""
    from conformance.report.writer import story_file
    from conformance.summary import Replay

    if connector is None and file is None:
        return Replay(_template("jwo certify --only {id}", None, None, edition))
    story = f"jwo replay --story {shlex.quote(str(out))}/{story_file('{id}')}"
    return Replay(_template("jwo replay {id}", connector, file, edition), _template(story, connector, file, edition))


def _template(command: str, connector: str | None, file: Path | None, edition: str | None) -> str:
    """Append this run's options to a command, and escape every brace except those of `{id}`."""
    options = [f"--profile {shlex.quote(str(file))}"] if file else []
    options += [f"--connector {shlex.quote(connector)}"] if connector else []
    options += [f"--edition {edition}"] if edition else []
    return " ".join([command, *options]).replace("{", "{{").replace("}", "}}").replace("{{id}}", "{id}")


def read_tiers(text: str) -> tuple[Tier, ...]:
    """Read the names of --tier. Raises Usage, with all tiers, if one is not known."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = ("core", "entry", "catalog", "outer")
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        problem = f"there is no tier {', '.join(unknown)}" if unknown else "no tier is named"
        raise Usage(f"--tier: {problem}; name one or more of {', '.join(known)}, separated by commas")
    return cast("tuple[Tier, ...]", tuple(names))
