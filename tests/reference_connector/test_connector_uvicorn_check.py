"""The check of uvicorn at the start refuses every version that the accelerated path was not tested with."""

from __future__ import annotations

import ast
import functools
import inspect
from typing import Any

import httptools
import pytest
import uvicorn
from uvicorn.protocols.http import flow_control, httptools_impl
from uvicorn.server import ServerState

from jwo_contract.errors import BadSettings
from jwo_toolkit.no_upgrade import NoUpgradeProtocol
from reference_connector.accelerated import http_protocol
from reference_connector.accelerated import uvicorn_check as check
from reference_connector.app import http_protocol as chosen_protocol
from reference_connector.settings import ConnectorSettings

ATTRIBUTES = [
    *((httptools_impl.HttpToolsProtocol, name) for name in check.PROTOCOL),
    *((flow_control.FlowControl, name) for name in check.FLOW),
    *((ServerState, name) for name in check.STATE),
    *((httptools_impl.RequestResponseCycle, name) for name in check.CYCLE),
]


def _refused(name: str) -> None:
    with pytest.raises(BadSettings, match="JWO_CONNECTOR_ACCELERATED=false") as refused:
        chosen_protocol(ConnectorSettings(accelerated=True))
    assert name in str(refused.value)


def test_installed_uvicorn_is_accepted() -> None:
    assert chosen_protocol(ConnectorSettings(accelerated=True)) is http_protocol.AcceleratedProtocol


@pytest.mark.parametrize("version", ["0.53.9", "0.55.0", "1.0"])
def test_a_version_that_was_not_tested_is_refused(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(uvicorn, "__version__", version)
    _refused(version)


def test_without_accelerated_any_uvicorn_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn, "__version__", "9.9")
    assert chosen_protocol(ConnectorSettings(accelerated=False)) is NoUpgradeProtocol


@pytest.mark.parametrize("name", check.MODULE)
def test_a_missing_name_of_the_module_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delattr(httptools_impl, name)
    _refused(name)


@pytest.mark.parametrize("name", check.METHODS)
def test_a_missing_method_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delattr(httptools_impl.HttpToolsProtocol, name)
    _refused(name)


@pytest.mark.parametrize(("kind", "name"), ATTRIBUTES, ids=lambda each: each if isinstance(each, str) else "")
def test_a_missing_attribute_is_refused(monkeypatch: pytest.MonkeyPatch, kind: Any, name: str) -> None:
    make = kind.__init__

    @functools.wraps(make)
    def make_without(made: Any, *given: Any, **named: Any) -> None:
        make(made, *given, **named)
        made.__dict__.pop(name, None)

    monkeypatch.setattr(kind, "__init__", make_without)
    monkeypatch.delattr(kind, name, raising=False)
    _refused(name)


@pytest.mark.parametrize("name", check.PARSER)
def test_a_missing_method_of_the_parser_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    class Parser(httptools.HttpRequestParser):  # type: ignore[misc] # a C type, whose own methods cannot be removed
        def __getattribute__(self, asked: str) -> Any:
            if asked == name:
                raise AttributeError(asked)
            return super().__getattribute__(asked)

    monkeypatch.setattr(httptools, "HttpRequestParser", Parser)
    _refused(name)


SOURCES = {
    "self": {*check.PROTOCOL, *check.METHODS},
    "super()": set(check.METHODS),
    "self.flow": set(check.FLOW),
    "self.server_state": set(check.STATE),
    "parser": set(check.PARSER),
    "cycle": set(check.CYCLE),
    "self.cycle": set(check.CYCLE),
}
OWN = {"content", "dispatcher", "has_stopped", "start", "stops_here", "url"}
"""Names of our own on these objects; `url` is set by us before uvicorn's `on_url` adds to it."""


def test_every_name_of_uvicorn_that_the_protocol_uses_is_checked() -> None:
    tree = ast.parse(inspect.getsource(http_protocol))
    protocol = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "AcceleratedProtocol")
    methods = {node.name for node in protocol.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    used = {(ast.unparse(node.value), node.attr) for node in ast.walk(protocol) if isinstance(node, ast.Attribute)}
    own = methods | OWN | {"_dispatcher", "_default_headers", "_idle_since", "_admin_port"}
    unchecked = {
        (of, name)
        for of, name in used
        if of in SOURCES and name not in SOURCES[of] and not (name in own or name == "__init__")
    }
    assert unchecked == set()
    assert ("self.flow", "write_paused") in used
