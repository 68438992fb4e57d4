"""The manifests of a distributed run: they match the published schemas, and their commands work."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import kubernetes_validate
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft202012Validator

from conformance.mutants.gallery import connector_with
from docs.generator.pages import DOCS
from jwo_toolkit.lifeline import tied
from load.settings import SCENARIOS, LoadOptions, scenario_names
from tests.docs.page_steps import BIN, blocks

DEPLOY = DOCS.parent / "deploy" / "load"
COMPOSE = DEPLOY / "compose.yaml"
PAGE = DOCS / "how_to" / "distributed_load.md"
IN_IMAGE = "/opt/jwo/scenarios"
NEEDED = {"RUN_AS": "1000:1000", "CONNECTOR": "https://connector.example"}
PROFILE = """
[connector]
url = "https://connector.example"
auth = "headers"
headers = { x-api-key = "env:CONNECTOR_KEY" }
"""


def compose(caller: Path, **variables: str) -> dict[str, Any]:
    """Return the compose file as Compose itself reads it in the folder of the caller."""
    done = config(caller, NEEDED | variables)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def config(caller: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [BIN / "docker-compose", "--file", COMPOSE, "config", "--format", "json"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(caller), "PWD": str(caller)} | variables
    return subprocess.run(
        command, cwd=caller, env=environment, capture_output=True, text=True, check=False, timeout=60
    )  # fmt: skip


@pytest.fixture
def caller(tmp_path: Path) -> Path:
    """A folder of a user, whose path has a blank, with a profile below it and the values of its `env:` names."""
    folder = tmp_path / "a caller"
    (folder / "profiles").mkdir(parents=True)
    (folder / "profiles" / "stage.toml").write_text(PROFILE, "utf-8")
    (folder / "connector.env").write_text("CONNECTOR_KEY=a b$c#d\n", "utf-8")
    return folder


def manifests() -> list[dict[str, Any]]:
    files = (DEPLOY / "kubernetes.yaml", DEPLOY / "report.yaml")
    return [dict(each) for file in files for each in yaml.safe_load_all(file.read_text("utf-8"))]


def named(kind: str, name: str) -> dict[str, Any]:
    (found,) = (each for each in manifests() if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


def pod_of(name: str) -> dict[str, Any]:
    return dict(named("Job", name)["spec"]["template"]["spec"])


def compose_errors(document: dict[str, Any]) -> list[str]:
    validator = Draft202012Validator(get_builtin_schema("vendor.compose-spec"))
    return [error.message for error in validator.iter_errors(document)]


def test_compose_file_matches_the_compose_schema() -> None:
    document = yaml.safe_load(COMPOSE.read_text("utf-8"))
    assert compose_errors(document) == []

    document["services"]["worker"]["command"] = {"--worker": True}
    document["services"]["worker"]["comand"] = []
    assert len(compose_errors(document)) == 2


def test_paths_of_compose_are_relative_to_the_caller(caller: Path) -> None:
    services = compose(caller, PROFILE="profiles/stage.toml", REPORTS="out")["services"]

    for name, is_read_only in (("master", False), ("worker", True)):
        (volume,) = services[name]["volumes"]
        assert (volume["source"], volume["target"]) == (str(caller), "/profile")
        assert volume.get("read_only", False) is is_read_only
        assert services[name]["environment"]["JWO_LOAD_PROFILE"] == "profiles/stage.toml"
        assert services[name]["environment"]["CONNECTOR_KEY"].replace("$$", "$") == "a b$c#d"
        assert services[name]["user"] == "1000:1000"
    assert "--load-out=out" in services["master"]["command"]
    assert Path(services["master"]["build"]["context"], services["master"]["build"]["dockerfile"]).is_file()


def test_compose_needs_no_file_of_values_and_no_profile(tmp_path: Path) -> None:
    environment = compose(tmp_path, PROFILE="")["services"]["worker"]["environment"]

    assert environment["JWO_LOAD_PROFILE"] == ""
    assert {name for name in environment if not name.startswith("JWO_LOAD_")} == set()


@pytest.mark.parametrize("missing", NEEDED)
def test_missing_variable_of_compose_is_named_with_its_value(missing: str, tmp_path: Path) -> None:
    done = config(tmp_path, {name: value for name, value in NEEDED.items() if name != missing})

    assert done.returncode != 0
    assert f"required variable {missing} is missing a value: set {missing} to " in done.stderr


def test_page_names_every_variable_of_compose() -> None:
    used = dict(re.findall(r"\$\{(\w+)(?::?-([^}]*))?", COMPOSE.read_text("utf-8")))
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \| ([^|]+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    defaults = {
        name: value.strip("`") if value != "none" else ""
        for names, values in rows
        for name, value in zip(re.findall("[A-Z_]+", names), values.split(", "), strict=True)
    }

    assert defaults == {name: value for name, value in used.items() if name != "PWD"}


@pytest.mark.parametrize("manifest", manifests(), ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_each_manifest_matches_the_kubernetes_schema(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, "1.36", strict=True)


def test_wrong_manifest_is_found() -> None:
    broken = named("Job", "jwo-load-worker")
    broken["spec"]["parallelism"] = "four"

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, "1.36", strict=True)


def test_settings_in_the_manifests_exist(caller: Path) -> None:
    names = {f"JWO_LOAD_{name.upper()}" for name in LoadOptions.model_fields}
    in_compose = {*compose(caller)["services"]["worker"]["environment"]} - {"CONNECTOR_KEY"}
    in_kubernetes = named("ConfigMap", "jwo-load")["data"]

    assert in_compose | set(in_kubernetes) <= names
    assert in_kubernetes["JWO_LOAD_SCENARIO"] in scenario_names()


def test_master_expects_the_number_of_started_workers(caller: Path) -> None:
    services = compose(caller, WORKERS="3")["services"]
    workers = named("Job", "jwo-load-worker")["spec"]
    (master,) = pod_of("jwo-load-master")["containers"]

    assert "--expect-workers=3" in services["master"]["command"]
    assert services["worker"]["deploy"]["replicas"] == 3
    assert f"--expect-workers={workers['parallelism']}" in master["args"]
    assert workers["completions"] == workers["parallelism"]


def test_pods_are_of_the_restricted_level() -> None:
    for pod in (pod_of("jwo-load-master"), pod_of("jwo-load-worker"), named("Pod", "jwo-load-report")["spec"]):
        security, (container,) = pod["securityContext"], pod["containers"]
        assert (security["runAsNonRoot"], security["seccompProfile"]["type"]) == (True, "RuntimeDefault")
        assert security["runAsUser"] == 10001
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_reports_of_the_job_are_in_a_volume_that_its_user_writes_and_another_pod_reads() -> None:
    (claim,) = (each["metadata"]["name"] for each in manifests() if each["kind"] == "PersistentVolumeClaim")
    for pod in (pod_of("jwo-load-master"), named("Pod", "jwo-load-report")["spec"]):
        (volume,) = (each["name"] for each in pod["volumes"] if "persistentVolumeClaim" in each)
        (mount,) = (each for each in pod["containers"][0]["volumeMounts"] if each["name"] == volume)
        assert {"name": volume, "persistentVolumeClaim": {"claimName": claim}} in pod["volumes"]
        assert mount["mountPath"] == named("ConfigMap", "jwo-load")["data"]["JWO_LOAD_OUT"]
        assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsUser"]


def test_commands_of_the_page_name_what_the_manifests_hold() -> None:
    text = "".join(block.text for block in blocks(PAGE, "sh") if "kubectl" in block.text)
    pods = [pod_of("jwo-load-master"), pod_of("jwo-load-worker")]
    secrets = {each["secret"]["secretName"] for pod in pods for each in pod["volumes"] if "secret" in each}
    settings = {each["secretRef"]["name"] for pod in pods for each in pod["containers"][0]["envFrom"][1:]}

    assert set(re.findall(r"secret generic (\S+)", text)) == secrets | settings
    assert set(re.findall(r"apply -f (\S+)", text)) == {"deploy/load/kubernetes.yaml", "deploy/load/report.yaml"}
    assert set(re.findall(r"\b(?:job|pod)/(\S+)", text)) == {"jwo-load-master", "jwo-load-report"}
    for file in ("kubernetes.yaml", "report.yaml"):
        comment = re.findall(r"^#   (kubectl [^#\n]+?)(?: +#.*)?$", (DEPLOY / file).read_text("utf-8"), re.MULTILINE)
        assert [line for line in comment if f"{line}\n" not in text] == []


class Started(NamedTuple):
    """The command line and the variables of one container."""

    command: list[str]
    environment: dict[str, str]


def containers_of_compose(caller: Path, url: str) -> Iterator[Started]:
    variables = {"CONNECTOR": url, "PROFILE": "profiles/stage.toml", "SCENARIO": "duplicate_storm"}
    services = compose(caller, **variables)["services"]
    for name in ("master", *["worker"] * services["worker"]["deploy"]["replicas"]):
        environment = {key: value.replace("$$", "$") for key, value in services[name]["environment"].items()}
        yield Started(services[name]["entrypoint"] + services[name]["command"], environment)


def containers_of_kubernetes(caller: Path, url: str) -> Iterator[Started]:
    """Return the containers as the cluster starts them: `$(NAME)` filled in, with two workers instead of four."""
    settings = named("ConfigMap", "jwo-load")["data"] | {"JWO_LOAD_CONNECTOR": url, "CONNECTOR_KEY": "k"}
    settings |= {"JWO_LOAD_SCENARIO": "duplicate_storm", "JWO_LOAD_PROFILE": str(caller / "profiles" / "stage.toml")}
    settings |= {"JWO_LOAD_OUT": str(caller / "jwo-load")}
    for name in ("master", "worker", "worker"):
        (container,) = pod_of(f"jwo-load-{name}")["containers"]
        words = [re.sub(r"\$\((\w+)\)", lambda found: settings[found[1]], word) for word in container["command"]]
        yield Started(words + [word.replace("workers=4", "workers=2") for word in container["args"]], settings)


@pytest.mark.slow
@pytest.mark.parametrize("containers", [containers_of_compose, containers_of_kubernetes])
def test_commands_of_the_manifests_give_the_verdict(serve: Any, caller: Path, containers: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    master, *workers = containers(caller, serve(connector_with("buys_twice_at_once")))

    with ExitStack() as stack:
        for worker in workers:
            stack.callback(_end, _start(worker, caller, "--master-port", port))
        process = _start(master, caller, "--master-bind-host", "127.0.0.1", "--master-bind-port", port)
        stack.callback(_end, process)
        code = process.wait(60)

    assert code == 1
    assert "doubled purchase" in (caller / "jwo-load" / "junit.xml").read_text("utf-8")


def _start(container: Started, folder: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start the command of a container as a process: the image's folders and the master's name are those of here."""
    words = [word.replace(IN_IMAGE, str(SCENARIOS)) for word in container.command]
    words = [re.sub("^--master-host=.*", "--master-host=127.0.0.1", word) for word in words]
    given = container.environment | {"JWO_LOAD_RATE": "60", "JWO_LOAD_DURATION_S": "1", "JWO_LOAD_LAG_BOUND_MS": "2000"}
    return subprocess.Popen(
        [str(BIN / words[0]), *words[1:], *more],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **tied({**os.environ, **given}),
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
