"""Writes the four files of a report: all are made before the first is written, and each replaces its elder whole.

A case that ends with a story gets a fifth, its script, which can be played again; those of an earlier run go.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from conformance.report.badge import render_badge
from conformance.report.clean import clean
from conformance.report.errors import ReportFolderUnwritable
from conformance.report.html import render_html
from conformance.report.json_file import check, render_json
from conformance.report.junit import render_junit
from conformance.report.model import Case, Report, from_json, to_json

FILES = {
    "html": ("report.html", render_html),
    "json": ("report.json", render_json),
    "junit": ("junit.xml", render_junit),
    "badge": ("badge.svg", render_badge),
}


def write_all(report: Report, out: Path) -> dict[str, Path]:
    """Write the files into `out`, which is made when absent, and return their paths: html, json, junit, badge.

    Credentials known by name are redacted on the way. ReportBreaksSchema when the report is not what its schema says
    (nothing is written then), ReportFolderUnwritable when a file cannot be put there.
    """
    masked = clean(to_json(report))
    check(masked)
    safe = from_json(Report, masked)
    texts = {kind: render(safe) for kind, (_, render) in FILES.items()}
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportFolderUnwritable(out, error) from error
    paths = {kind: out / name for kind, (name, _) in FILES.items()}
    for kind, path in paths.items():
        _replace(path, texts[kind])
    return paths | _write_stories(safe.cases, out)


def story_file(case_id: str) -> str:
    """Name the file that holds the script of a case's story."""
    return f"{case_id}.story"


def _write_stories(cases: Iterable[Case], out: Path) -> dict[str, Path]:
    paths = {}
    for case in cases:
        path = out / story_file(case.id)
        if case.story is not None:
            told = f"# {case.id}: plays again with: jwo replay --story FILE\n"
            _replace(path, told + "".join(f"{act}\n" for act in case.story))
            paths[f"story of {case.id}"] = path
        else:
            path.unlink(missing_ok=True)
    return paths


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ReportFolderUnwritable(path, error) from error
