"""The manifests of a distributed run: they match the published schemas, and their commands work."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft202012Validator

from conformance.mutants.gallery import connector_with
from load.settings import LoadOptions, scenario_names

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy" / "load"


def compose() -> dict[str, Any]:
    """Return the compose file with the defaults of its variables filled in, as Compose does."""
    return dict(_filled(yaml.safe_load((DEPLOY / "compose.yaml").read_text())))


def _filled(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _filled(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_filled(value) for value in node]
    if not isinstance(node, str):
        return node
    with_url = re.sub(r"\$\{CONNECTOR:\?[^}]*\}", "https://connector.example", node)
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", with_url)


def manifests() -> list[dict[str, Any]]:
    return [dict(each) for each in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())]


def compose_errors(document: dict[str, Any]) -> list[str]:
    validator = Draft202012Validator(get_builtin_schema("vendor.compose-spec"))
    return [error.message for error in validator.iter_errors(document)]


def test_compose_file_matches_the_compose_schema() -> None:
    assert compose_errors(compose()) == []


def test_wrong_compose_file_is_found() -> None:
    broken = compose()
    broken["services"]["worker"]["command"] = {"--worker": True}
    broken["services"]["worker"]["comand"] = []

    assert len(compose_errors(broken)) == 2


@pytest.mark.parametrize("manifest", manifests(), ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_each_manifest_matches_the_kubernetes_schema(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, "1.36", strict=True)


def test_wrong_manifest_is_found() -> None:
    broken = manifests()[-1]
    broken["spec"]["parallelism"] = "four"

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, "1.36", strict=True)


def test_settings_in_the_manifests_exist() -> None:
    names = {f"JWO_LOAD_{name.upper()}" for name in LoadOptions.model_fields}
    settings = [compose()["x-generator"]["environment"], manifests()[0]["data"]]

    for each in settings:
        assert set(each) <= names
        assert each["JWO_LOAD_SCENARIO"] in scenario_names()


def test_master_expects_the_number_of_started_workers() -> None:
    jobs = {each["metadata"]["name"]: each for each in manifests() if each["kind"] == "Job"}
    container = jobs["jwo-load-master"]["spec"]["template"]["spec"]["containers"][0]
    services = compose()["services"]

    assert f"--expect-workers={jobs['jwo-load-worker']['spec']['parallelism']}" in container["args"]
    command = services["master"]["command"]
    assert command[command.index("--expect-workers") + 1] == services["worker"]["deploy"]["replicas"]


@pytest.mark.slow
def test_commands_of_the_compose_file_give_the_verdict(serve: Any, tmp_path: Path) -> None:
    services = compose()["services"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    local = {"https://connector.example": serve(connector_with("buys_twice_at_once")), "master": "127.0.0.1"}
    local["/reports"] = str(tmp_path)
    master = [local.get(str(word), str(word)) for word in services["master"]["command"]]
    worker = [local.get(str(word), str(word)) for word in services["worker"]["command"]]

    with ExitStack() as stack:
        for _ in range(int(services["worker"]["deploy"]["replicas"])):
            stack.callback(_end, _locust(*worker, "--master-port", port))
        process = _locust(*master, "--master-bind-host", "127.0.0.1", "--master-bind-port", port)
        stack.callback(_end, process)
        code = process.wait(60)

    assert code == 1
    assert "doubled purchase" in (tmp_path / "junit.xml").read_text()


def _locust(*flags: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "load" / "scenarios" / "duplicate_storm.py"), *flags]
    settings = {"JWO_LOAD_RATE": "60", "JWO_LOAD_DURATION_S": "1", "JWO_LOAD_LAG_BOUND_MS": "2000"}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, env=os.environ | settings, stdin=quiet, stdout=quiet, stderr=quiet)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
