"""Certifies a connector that is already running: connects to it, runs the cases, writes the reports."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console

from conformance import attestation, dsse, expected
from conformance.errors import ProfileBroke
from conformance.report import Report, render_summary, write_all
from conformance.report.model import from_json
from conformance.retailer_clients.addresses import Addresses
from conformance.retailer_clients.clients import TABLES as CLIENTS
from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.session import run
from conformance.summary import AGAIN, Replay, summarise
from conformance.verdicts import EXIT_CODES, CaseResult, Verdict
from jwo.certify_progress import CertifyEvents, write_ended
from jwo.errors import Usage
from jwo.progress import CaseProgress
from jwo.report_folder import prepare_folder
from jwo_contract.profile import Profile
from jwo_contract.register import register
from jwo_toolkit.progress_lines import ProgressLines
from jwo_toolkit.reachability import NotReachable, check_reachable


@dataclass(frozen=True)
class Options:
    """The options of the command line."""

    selection: Selection = field(default_factory=Selection)
    strict: bool = False
    out: Path = Path("jwo-report")
    expectations: expected.Expectations = expected.NONE
    sign_key: Ed25519PrivateKey | None = None
    require_complete: bool = False
    """Whether a partial run ends with exit code 1."""
    replay: Replay = AGAIN
    """The commands that run one case again, for the reports."""
    progress: ProgressLines = field(default_factory=ProgressLines)
    """The lines for a program that watches the run."""


def certify(profile: Profile, options: Options, console: Console) -> int:
    """Certify one connector and return the exit code."""
    prepare_folder(options.out)
    if calls_connector(options.selection.only):
        reach(profile)
        reach(profile.at_rate_limit)
    report = judge(profile, options, console)
    return conclude(report, publish(report, options), options, console)


def calls_connector(only: Sequence[str]) -> bool:
    """Return whether any chosen case calls the connector; the cases of the retailer's clients do not."""
    return not only or any(register()[each].api not in CLIENTS for each in only)


def reach(profile: Profile) -> None:
    """Check that the connector accepts connections, with TLS for https. Raises Usage if it does not."""
    try:
        check_reachable(profile.connector.url, profile.connector.ca_file)
    except NotReachable as error:
        raise Usage(str(error)) from error


def judge(profile: Profile, options: Options, console: Console, *, catalog_platform: Addresses | None = None) -> Report:
    """Run the cases and return the report. `catalog_platform` is what the clients call; None starts one."""
    started_at, start = datetime.now(UTC), time.perf_counter()
    configuration = RunConfiguration(profile, options.selection, catalog_platform=catalog_platform)
    events = CertifyEvents(options.progress, profile, options.selection.edition)
    with CaseProgress(console) as shown:

        def on_selected(ids: Sequence[str]) -> None:
            events.selected(ids)
            shown.selected(ids)

        def on_case(result: CaseResult) -> None:
            events.case(result)
            shown.case(result)

        finished = run(configuration, on_case=on_case, on_selected=on_selected)
    return summarise(
        finished,
        started_at=started_at,
        duration_s=time.perf_counter() - start,
        strict=options.strict or profile.house.suite.strict,
        expectations=options.expectations,
        replay=options.replay,
    )


def publish(report: Report, options: Options) -> dict[str, Path]:
    """Write the report files and the certificate about them, and return their paths."""
    paths = write_all(report, options.out)
    files = {path.name: path.read_bytes() for path in paths.values()}
    text = attestation.render(attestation.statement(from_json(Report, json.loads(files["report.json"])), files))
    if options.sign_key:
        text = attestation.render(dsse.sign(text, options.sign_key))
    certificate = options.out / attestation.FILE
    certificate.write_bytes(text)
    return {**paths, "certificate": certificate}


def conclude(report: Report, paths: dict[str, Path], options: Options, console: Console) -> int:
    """Print the verdict and the paths of the files, and return the exit code. The stages are on the screen already."""
    write_ended(options.progress, report)
    render_summary(replace(report, stages=None), console, paths)
    has_no_result = report.verdict is Verdict.ERROR and not report.counts["error"] and report.stages is None
    if has_no_result:
        raise Usage("no case was applicable; declare the store, keys and items in a profile; start with: jwo init")
    if options.require_complete and report.verdict is Verdict.PASS and report.is_partial:
        console.print("exit 1: --require-complete was given, and the run is partial", highlight=False)
        return EXIT_CODES[Verdict.FAIL]
    if report.verdict is Verdict.ERROR and (problem := _problem_of_profile(report)):
        raise Usage(problem)
    return EXIT_CODES[report.verdict]


def _problem_of_profile(report: Report) -> str:
    """Return the first error if every error of the run is that of a command or an address of the profile."""
    reasons = [case.reason for case in report.cases if case.verdict is Verdict.ERROR]
    mark = f"{ProfileBroke.__name__}: "
    return reasons[0].removeprefix(mark) if reasons and all(each.startswith(mark) for each in reasons) else ""
