"""Runs one case (`jwo replay ID`) or one story (`jwo replay --story FILE`), and prints its requests and answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console

from conformance.drivers.exchange import as_report
from conformance.properties import story
from conformance.properties.story import Story
from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.session import run
from conformance.verdicts import EXIT_CODES, CaseResult
from contract.profile import Profile
from contract.register import register
from jwo.certify import calls_connector, reach
from jwo.errors import Broken, Usage


def story_in(file: Path) -> Story:
    """Read a story file. Raises Usage if the file is not readable, and BadStory if it does not hold a story."""
    try:
        return story.read(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Usage(f"cannot read the story {file}: {error}; name a story file that jwo certify wrote") from error


def replay(profile: Profile, case_id: str, console: Console, chosen: Story = ()) -> int:
    """Run one case and print its steps, its exchanges and its verdict. Returns the exit code of that verdict."""
    if calls_connector((case_id,)):
        reach(profile)
    selection = Selection((register()[case_id].tier,), (case_id,), story=chosen)
    results = run(RunConfiguration(profile, selection)).results
    if case_id not in results:
        raise Broken(f"{case_id} did not run")
    result = results[case_id]
    for line in _lines(result, profile):
        console.print(line, soft_wrap=True, markup=False)
    return EXIT_CODES[result.verdict]


def _lines(result: CaseResult, profile: Profile) -> list[str]:
    lines = [f"{result.id}  {register()[result.id].title}", ""]
    lines += [f"  {'ok ' if step.ok else '!! '} {step.text}" for step in result.steps]
    for exchange in result.exchanges:
        lines += ["", *_wire(as_report(exchange, frozenset(profile.connector.headers)))]
    lines += ["", f"{str(result.verdict).upper()}"]
    for label, text in (("expected", result.expected), ("got", result.got), ("because", result.reason)):
        lines += [f"  {label:<9} {text}"] if text else []
    return lines


def _wire(exchange: dict[str, Any]) -> list[str]:
    request, response = exchange["request"], exchange["response"]
    lines = [f"# {exchange['about']}"] if exchange.get("about") else []
    lines += [f"> {request['method']} {request['url']}"]
    lines += [f"> {name}: {value}" for name, value in request["headers"].items()]
    lines += [f"> {_text(request['body'])}"]
    if response is None:
        return [*lines, f"< no answer: {exchange['failure']} after {exchange['elapsedMs']:.1f} ms"]
    lines += [f"< {response['status']} after {exchange['elapsedMs']:.1f} ms"]
    lines += [f"< {name}: {value}" for name, value in response["headers"].items()]
    return [*lines, f"< {_text(response['body'])}"]


def _text(body: object) -> str:
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
