"""Judges the results of a run and writes the reports."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import orjson

from jwo_toolkit.console import make_console
from load.errors import BadOptions, GeneratorBroke
from load.report.baseline import compare, slower
from load.report.document import document
from load.report.html import html
from load.report.junit import junit
from load.report.table import show
from load.results import Results
from load.settings import LoadOptions
from load.verdict import Verdict, judge


def publish(results: Results, options: LoadOptions, scenario: dict[str, Any]) -> Verdict:
    """Judge a run, write its files if `options.out` names a folder, and show the table unless a parent process does."""
    compared = compare(results, options, scenario["name"])
    verdict = judge(results, options, slower=slower(compared))
    report = document(results, verdict, options, scenario, compared)
    if options.out:
        write(report, Path(options.out))
    if options.progress_fd < 0:
        show(report, make_console(), paths(options.out))
    return verdict


def check_out(out: str, option: str = "--out") -> None:
    """Check before the run that the folder of the reports is writable. Raises BadOptions if it is not."""
    if not out:
        return
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
        raise BadOptions(f"{option}: cannot write to {out} ({error.strerror})", "name another folder") from error
    if taken := [file for file in paths(out) if Path(file).is_dir()]:
        raise BadOptions(f"{option}: {taken[0]} is a folder", "reports are files; name another folder")


def write(report: dict[str, Any], folder: Path) -> None:
    """Write load.json, load.html and junit.xml. Raises GeneratorBroke if the folder is not writable."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "load.json").write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
        (folder / "load.html").write_text(html(report), "utf-8")
        (folder / "junit.xml").write_bytes(junit(report))
    except OSError as error:
        raise GeneratorBroke(f"cannot write the reports to {folder}: {error.strerror}") from error


def paths(out: str) -> list[str]:
    """Return the paths of the report files; none without a folder."""
    return [str(Path(out) / name) for name in ("load.html", "load.json", "junit.xml")] if out else []
