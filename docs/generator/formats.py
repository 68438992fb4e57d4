"""Generates the pages of the file formats, from JSON schemas, and of the control API, from its OpenAPI document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from conformance.report import schema as report_schema
from docs.generator.markdown import block, code, page, table
from jwo_contract.settings import read
from load.report import schema as load_schema
from simulator.app import create_app
from simulator.settings import PlatformSettings

_COLUMNS = ["member", "value", "required", "means"]
_METHODS = ("get", "put", "post", "delete")
_NOWHERE = "http://127.0.0.1:1"
_LIMITS = {"minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "minLength": "at least {} characters"}


def report_page() -> str:
    """Return the page of report.json."""
    return _schema_page("report.json", report_schema(), "`conformance/report/report.schema.json`")


def load_page() -> str:
    """Return the page of load.json."""
    return _schema_page("load.json", load_schema(), "`load/report/load.schema.json`")


def control_page() -> str:
    """Return the page of the platform's HTTP API."""
    app = create_app(read(PlatformSettings, base_url=_NOWHERE, stores_alone=True))
    document: dict[str, Any] = app.openapi()
    by_tag: dict[str, list[str]] = defaultdict(list)
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                by_tag[(item[method].get("tags") or ["platform"])[0]].append(
                    _call(path, method, item[method], document)
                )
    return page(
        "Control API",
        "Every call of the simulated platform, as `jwo platform` and `jwo play` serve it. "
        "`/openapi.json` is the same as OpenAPI, `/docs` a page to "
        "try the calls. [The simulated platform](../simulated_platform.md) explains how they work "
        "together, and [Access](../access.md) who may call them.",
        *(f"## {tag}\n\n" + "\n\n".join(calls) for tag, calls in by_tag.items()),
    )


def _schema_page(name: str, schema: dict[str, Any], file: str) -> str:
    parts = [str(schema["description"]), f"The schema is {file}.", "## The document", _members(schema)]
    for part, inner in schema.get("$defs", {}).items():
        if "properties" in inner:
            parts += [f"## {part}", inner.get("description", ""), _members(inner)]
        else:
            parts += [f"## {part}", inner.get("description", ""), f"Value: {_kind(inner)}"]
    return page(name, *parts)


def _members(schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (code(name), _kind(inner), "yes" if name.split(".")[0] in required else "", inner.get("description", ""))
        for name, inner in _flat(schema)
    ]
    return table(_COLUMNS, rows)


def _flat(schema: dict[str, Any], before: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """List members with their schemas; a member of an inner object or of a list's entry has a dotted name."""
    for name, inner in schema.get("properties", {}).items():
        yield f"{before}{name}", inner
        yield from _flat(inner, f"{before}{name}.")
        if isinstance(inner.get("items"), dict):
            yield from _flat(inner["items"], f"{before}{name}[].")


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "const" in schema:
        return code(str(schema["const"]))
    if "enum" in schema:
        return ", ".join(code(str(each)) for each in schema["enum"])
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " or ".join(_kind(each) for each in choices)
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}" if isinstance(schema.get("items"), dict) else "list"
    kinds = schema.get("type", "any value")
    words = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    limits = [form.format(schema[limit]) for limit, form in _LIMITS.items() if limit in schema]
    return ", ".join([f"{words} ({schema['format']})" if "format" in schema else words, *limits])


def _call(path: str, method: str, call: dict[str, Any], document: dict[str, Any]) -> str:
    parameters = [
        (code(each["name"]), each["in"], _api_kind(each["schema"]), each.get("description", ""))
        for each in call.get("parameters", ())
    ]
    statuses = ", ".join(status for status in call["responses"] if status.startswith("2"))
    return "\n\n".join(
        part
        for part in (
            f"### {call['summary']}",
            block("text", f"{method.upper()} {path}"),
            call.get("description", ""),
            table(["parameter", "in", "value", "means"], parameters),
            _body(call, document),
            f"Success: {statuses}.",
        )
        if part
    )


def _body(call: dict[str, Any], document: dict[str, Any]) -> str:
    content = call.get("requestBody", {}).get("content", {})
    schema = _resolved(content.get("application/json", {}).get("schema", {}), document)
    required = set(schema.get("required", ()))
    rows = [
        (code(name), _api_kind(inner), "yes" if name in required else "", inner.get("description", ""))
        for name, inner in schema.get("properties", {}).items()
    ]
    return table(["body", "value", "required", "means"], rows)


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    return dict(document["components"]["schemas"].get(str(schema["$ref"]).rsplit("/", 1)[-1], {}))


def _api_kind(schema: dict[str, Any]) -> str:
    """Return the type of a value; the page has no section for the parts of a body."""
    if "$ref" in schema:
        return f"object {str(schema['$ref']).rsplit('/', 1)[-1]}"
    if choices := schema.get("anyOf"):
        return " or ".join(_api_kind(each) for each in choices if each.get("type") != "null")
    return _kind(schema) if schema.get("type") != "array" else "list"
