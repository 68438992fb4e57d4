"""Runs one case (`jwo replay ID`) or one story (`jwo replay --story FILE`), and prints its requests and answers."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from conformance.drivers.exchange import Exchange, as_report
from conformance.properties import story
from conformance.properties.story import Story
from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.session import run, run_own_case
from conformance.verdicts import EXIT_CODES, CaseResult, Verdict
from jwo.case_ids import row_of
from jwo.certify import calls_connector, reach
from jwo.errors import Broken, Usage
from jwo_contract.profile import Profile

_MOST_STEPS = 12
_MOST_LISTED = 16
_LONGEST_LABEL = 80


class View(NamedTuple):
    """What a replay prints: every exchange in full or the guilty one, with real values or masked."""

    is_all: bool = False
    is_unmasked: bool = False


SHORT = View()


def story_in(file: Path) -> Story:
    """Read a story file. Raises Usage if the file is not readable, and BadStory if it does not hold a story."""
    try:
        return story.read(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Usage(f"cannot read the story {file}: {error}; name a story file that jwo certify wrote") from error


def replay(
    profile: Profile, case_id: str, console: Console, chosen: Story = (), view: View = SHORT, edition: str = ""
) -> int:
    """Run one case and print its steps, its exchanges and its verdict. Returns the exit code of that verdict.

    Raises Usage if the edition, or the newest one, has no such case.
    """
    row = row_of(case_id, edition)
    if calls_connector((case_id,)):
        reach(profile)
    selection = Selection((row.tier,), (case_id,), story=chosen, edition=edition)
    results = run(RunConfiguration(profile, selection)).results
    if case_id not in results:
        raise Broken(f"{case_id} did not run")
    return _show(results[case_id], row.title, profile, console, view)


def replay_own(profile: Profile, case_id: str, console: Console, view: View = SHORT) -> int:
    """Run one case of the profile and print it. Raises Usage if the profile has no such case."""
    case = next((each for each in profile.case if each.id == case_id), None)
    if case is None:
        known = ", ".join(each.id for each in profile.case) or "none"
        raise Usage(f"the profile has no case {case_id}; it has: {known}")
    reach(profile)
    result = run_own_case(RunConfiguration(profile), case)
    return _show(result, case.operation, profile, console, view)


def _show(result: CaseResult, title: str, profile: Profile, console: Console, view: View) -> int:
    for line in _lines(result, title, profile, view):
        console.print(line, soft_wrap=True, markup=False)
    return EXIT_CODES[result.verdict]


def _lines(result: CaseResult, title: str, profile: Profile, view: View) -> list[str]:
    lines = [f"{result.id}  {title}", "", *_steps(result, view)]
    lines += _all(result, profile, view) if view.is_all else _guilty_first(result, profile, view)
    lines += ["", f"{str(result.verdict).upper()}"]
    for label, text in (("expected", result.expected), ("got", result.got), ("because", result.reason)):
        lines += [f"  {label:<9} {text}"] if text else []
    return lines


def _steps(result: CaseResult, view: View) -> list[str]:
    lines = [f"  {'ok ' if step.ok else '!! '} {step.text}" for step in result.steps]
    if view.is_all or len(lines) <= _MOST_STEPS:
        return lines
    failed = [line for line, step in zip(lines, result.steps, strict=True) if not step.ok][:_MOST_STEPS]
    return [*failed, f"  (the steps of all examples: {len(lines)}; --all prints them)"]


def _all(result: CaseResult, profile: Profile, view: View) -> list[str]:
    guilty = guilty_index(result)
    return [
        line
        for index in range(len(result.exchanges))
        for line in ("", *_in_full(result, index, profile, view, is_guilty=index == guilty))
    ]


def _guilty_first(result: CaseResult, profile: Profile, view: View) -> list[str]:
    exchanges = result.exchanges
    if not exchanges:
        return []
    guilty = guilty_index(result)
    shown = len(exchanges) - 1 if guilty is None else guilty
    lines = ["", *_in_full(result, shown, profile, view, is_guilty=guilty is not None)]
    others = sorted((each for each in range(len(exchanges)) if each != shown), key=lambda each: abs(each - shown))
    if not others:
        return lines
    lines += ["", "The other exchanges (--all prints them in full):"]
    lines += [_in_a_line(each + 1, exchanges[each]) for each in sorted(others[:_MOST_LISTED])]
    left_out = len(others) - _MOST_LISTED
    return [*lines, f"  … and {left_out} more"] if left_out > 0 else lines


def guilty_index(result: CaseResult) -> int | None:
    """Return the place of the exchange of the finding; None if there is no finding or no exchange.

    The finding quotes it or names its label; else it is the last one, as a case stops at its failed step.
    """
    if result.verdict in {Verdict.PASS, Verdict.NOT_APPLICABLE} or not result.exchanges:
        return None
    places = range(len(result.exchanges) - 1, -1, -1)
    quoted = (place for place in places if _is_quoted(result.exchanges[place], result.got))
    named = (place for place in reversed(places) if _is_named(result.exchanges[place], result.got))
    return next(chain(quoted, named, places))


def _is_quoted(exchange: Exchange, got: str) -> bool:
    short = exchange.in_short()
    return got == short or (bool(exchange.label) and short in got)


def _is_named(exchange: Exchange, got: str) -> bool:
    return bool(exchange.label) and f"{exchange.label.partition(' (')[0]}:" in got


def _in_a_line(number: int, exchange: Exchange) -> str:
    status = exchange.answer.status if exchange.answer else f"no answer ({exchange.failure})"
    label = exchange.shown(exchange.label.encode())
    about = f"{label[:_LONGEST_LABEL]}  " if label else ""
    return f"  {number:>4}  {about}{exchange.operation.name}  {status}  {exchange.elapsed_s * 1000:.1f} ms"


def _in_full(result: CaseResult, index: int, profile: Profile, view: View, *, is_guilty: bool) -> list[str]:
    report = as_report(
        result.exchanges[index],
        frozenset(profile.connector.headers),
        is_masked=not view.is_unmasked,
        sources=_sources(profile),
    )
    if not is_guilty:
        return _wire(report)
    mark = f">>> the exchange of the finding ({index + 1} of {len(result.exchanges)})"
    return [mark, *_wire(report), "", *report["curl"].split("\n")]


def _sources(profile: Profile) -> dict[str, str]:
    """Return where the profile declares each secret."""
    fixed = {kind: getattr(profile.keys, kind) for kind in profile.declared_keys()}
    keys = {key: f"[keys] {kind} of the profile" for kind, key in reversed(fixed.items()) if key}
    headers = profile.connector.headers.items()
    return keys | {value: f"[connector] headers, {name} of the profile" for name, value in headers}


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
