"""Writes the four files of a report: it renders all before it writes the first, and replaces each old file as a whole.

A case with a story gets one more file, the script of the story, for a replay. Scripts of earlier runs are deleted.
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
    """Write the files into the folder `out`, and return the paths by kind: html, json, junit, badge.

    Creates the folder if it is missing, and redacts credentials that are known by name. Raises ReportBreaksSchema,
    before it writes a file, if the report contradicts its schema.

    Raises ReportFolderUnwritable if a file cannot be written.
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
    """Return the name of the file with the script of a case's story."""
    return f"{case_id}.story"


def _write_stories(cases: Iterable[Case], out: Path) -> dict[str, Path]:
    paths = {}
    for case in cases:
        path = out / story_file(case.id)
        if case.story is not None:
            head = f"# {case.id}: play it again with: jwo replay --story FILE\n"
            _replace(path, head + "".join(f"{act}\n" for act in case.story))
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
