"""Generates the pages of the requirement register: an index by API, and one page for each rule."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterable
from functools import cache

from conformance.catalogue import FEATURES, ScenarioEntry, scenario_entries
from conformance.mutants.gallery import CONFORMANT, GALLERY
from conformance.mutants.registry import (
    CHECKOUT_FAULTS,
    CLIENT_FAULTS,
    CONFORMANT_ODDITIES,
    CONNECTOR_FAULTS,
    FEED_FAULTS,
    PAYMENT_FAULTS,
    Fault,
)
from docs.generator.markdown import block, code, page, table
from jwo.listing import editions_of, source_of
from jwo_contract.operations import OPERATIONS
from jwo_contract.register import Requirement, newest_edition, register

FOLDER = "reference/requirements"
_ABOUT_FAULTS = "Each of these programs has exactly one fault, and this check finds it: "
_BEGINS = ("Scenario:", "Scenario Outline:")


def requirement_pages() -> dict[str, str]:
    """Return all pages by path: the index, and one page for each rule."""
    pages = {f"{FOLDER}/{row.id}.md": _page(row) for row in register().values()}
    return {f"{FOLDER}/index.md": _index(), **pages}


def _index() -> str:
    by_api: dict[str, list[Requirement]] = defaultdict(list)
    for row in register().values():
        by_api[row.api].append(row)
    sections = [f"## {api}\n\n{_list(rows)}" for api, rows in by_api.items()]
    return page(
        "Requirement register",
        f"The {len(register())} rules of this kit: every published case, and every check of this kit "
        "(ids with an `X`). "
        "[Levels and provenance](../../explanation/levels_and_provenance.md) explains how strict a rule is, and why.",
        *sections,
    )


def _list(rows: Iterable[Requirement]) -> str:
    cells = [(_link(row.id), row.level, row.provenance, row.tier, row.title) for row in rows]
    return table(["rule", "level", "provenance", "tier", "title"], cells)


def _page(row: Requirement) -> str:
    return page(
        f"{row.id}: {row.title}",
        row.text,
        table(["", ""], [(name, value) for name, value in _facts(row) if value]),
        f"**Usual mistake.** {row.usually}" if row.usually else "",
        *_proof(row),
    )


def _facts(row: Requirement) -> list[tuple[str, str]]:
    paths = [f"`{operation.path}`" for operation in OPERATIONS if operation.name == row.api]
    return [
        ("level", f"**{row.level}**"),
        ("provenance", f"`{row.provenance}`"),
        ("tier", row.tier),
        ("call", " ".join([row.api, *paths])),
        ("about the", row.side),
        ("source", source_of(row, row.until or newest_edition())),
        ("editions", editions_of(row)),
        ("follows from", _link(row.inferred_from) if row.inferred_from else ""),
        ("house rule", f"[{row.setting}](../house.md#{row.setting.partition('.')[0]})" if row.setting else ""),
        ("covers", ", ".join(map(_link, row.covers))),
    ]


def _proof(row: Requirement) -> list[str]:
    if row.not_tested:
        return ["## Not tested", row.not_tested]
    if row.proven_by:
        return ["## Proof", f"The scenarios of {', '.join(map(_link, row.proven_by))} prove this rule too."]
    scenarios = [entry for entry in scenario_entries() if row.id in entry.ids]
    return [
        "## Run it alone",
        block("sh", f"jwo replay {row.id}"),
        "## Scenario",
        *(f"In `features/{entry.file}`:\n\n{block('gherkin', _gherkin(entry))}" for entry in scenarios),
        "## Faulty connectors that it finds",
        *_faults(row.id),
    ]


def _faults(row_id: str) -> list[str]:
    connectors = [(each, CONNECTOR_FAULTS.class_of(each.name)) for each in GALLERY if row_id in each.found_by]
    clients = [
        (each, registry.class_of(each.name))
        for registry in (CLIENT_FAULTS, PAYMENT_FAULTS, CHECKOUT_FAULTS, FEED_FAULTS)
        for each in registry.faults
        if row_id in each.found_by
    ]
    odd = [(each, CONFORMANT_ODDITIES.class_of(each.name)) for each in CONFORMANT if row_id in each.found_by]
    parts = []
    if connectors:
        parts += [_ABOUT_FAULTS + _names(connectors), block("sh", f"jwo mutant {connectors[0][0].name}")]
    if clients:
        parts.append("Each of these clients has exactly one fault, and this check finds it: " + _names(clients))
    if odd:
        parts.append(
            "These connectors look wrong and are correct; this check must not find a fault in them: " + _names(odd)
        )
    return parts or ["None is registered for this id."]


def _names(faults: list[tuple[Fault, type]]) -> str:
    return ", ".join(code(fault.name) for fault, _ in faults) + "."


@cache
def _lines(file: str) -> list[str]:
    return (FEATURES / file).read_text("utf-8").splitlines()


def _gherkin(entry: ScenarioEntry) -> str:
    """Return the text of a scenario with its tags."""
    lines = _lines(entry.file)
    begins = {f"{begin} {entry.title}" for begin in _BEGINS}
    at = next(number for number, line in enumerate(lines) if line.strip() in begins)
    first = at
    while first and lines[first - 1].strip().startswith("@"):
        first -= 1
    after = at + 1
    while after < len(lines) and not lines[after].strip().startswith(("@", *_BEGINS)):
        after += 1
    return textwrap.dedent("\n".join(lines[first:after])).rstrip()


def _link(row_id: str) -> str:
    return f"[{row_id}]({row_id}.md)" if row_id in register() else row_id
