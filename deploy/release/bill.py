"""The bill of materials (SBOM) of a base install, in CycloneDX JSON: names, versions and licenses, and no addresses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jwo_toolkit.json_types import JsonObject

_NOT_INSTALLED = {"pip", "setuptools", "wheel"}
"""Packages that a venv has of its own."""


def cleaned(bill: JsonObject) -> JsonObject:
    """Return a bill without addresses, and without the packages that the venv has of its own.

    An address says where a package was fetched, such as a folder or a registry of the machine that built the release.
    """
    without: JsonObject = _without_addresses(bill)
    gone = {each["bom-ref"] for each in without["components"] if each["name"] in _NOT_INSTALLED}
    without["components"] = [each for each in without["components"] if each["bom-ref"] not in gone]
    without["dependencies"] = [
        each | ({"dependsOn": kept} if (kept := _kept(each, gone)) else {})
        for each in without["dependencies"]
        if each["ref"] not in gone
    ]
    return without


def faults_of(bill: JsonObject, version: str, wanted: set[str]) -> list[str]:
    """Return what is wrong with a bill; `wanted` are the names of packages that it must list."""
    main = bill["metadata"]["component"]
    found = [] if main["version"] == version else [f"the SBOM is of version {main['version']}, not {version}"]
    listed = {_normal(each["name"]) for each in bill["components"]}
    found += [f"the SBOM lacks {name}" for name in sorted(map(_normal, wanted)) if name not in listed]
    found += [f"the SBOM has an address: {text}" for text in _texts(bill) if "://" in text and text != bill["$schema"]]
    return found


def write(bill: JsonObject, file: Path) -> None:
    """Write a bill as JSON. Raises ValueError, with the place, if it breaks the schema of CycloneDX."""
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415 - the extra `release` brings it, which tests do not need
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415 - as above

    text = json.dumps(bill, indent=1, ensure_ascii=False) + "\n"
    problem = JsonStrictValidator(SchemaVersion.from_version(bill["specVersion"])).validate_str(text)
    if problem:
        raise ValueError(f"the SBOM breaks the schema of CycloneDX: {problem}")
    file.write_text(text, "utf-8")


def _kept(dependency: JsonObject, gone: set[str]) -> list[str]:
    return [ref for ref in dependency.get("dependsOn", ()) if ref not in gone]


def _without_addresses(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {name: _without_addresses(each) for name, each in value.items() if name != "externalReferences"}
    return [_without_addresses(each) for each in value] if isinstance(value, list) else value


def _texts(value: Any) -> list[str]:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
