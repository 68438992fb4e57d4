"""No false alarm behind a front: TLS with a private CA, an even rate limit, slow carts, early hints, compression."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.session import run
from conformance.verdicts import Verdict
from jwo_contract.profile import Profile, load
from jwo_toolkit.launcher import launched
from tests.foreign.certificates import Certificates, make_certificates
from tests.foreign.running import FOLDER, FOREIGN, running

PLAIN = next(each for each in FOREIGN if each.name == "plain_asgi")
SOME = (
    "VIK-1.1",
    "VIK-2",
    "VIK-3.4",
    "VIK-6",
    "VIK-X.29",
    "CP-1.1",
    "CP-2",
    "CP-X.38",
    "CP-X.40",
    "E2E-X.1",
    "E2E-X.5",
)
FINE = {Verdict.PASS, Verdict.NOT_APPLICABLE}
Front = Callable[..., Mapping[str, str]]


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    """Start a foreign connector behind a front with the given features, and return the profile's environment."""
    with ExitStack() as stack:

        def start(*features: str) -> Mapping[str, str]:
            environment = stack.enter_context(running(PLAIN))
            command = (sys.executable, str(FOLDER / "front" / "front.py"), environment["FOREIGN_URL"], "0", *features)
            folder = tmp_path / "front"
            folder.mkdir()
            started = stack.enter_context(launched("the front", command, folder, dict(os.environ)))
            return {**environment, "FOREIGN_URL": started.announcement.url()}

        yield start


def declared(folder: Path, environment: Mapping[str, str], **members: str) -> Profile:
    """Return the foreign connector's profile, with a member added to each of some tables."""
    return load(write(folder, **members), environment)


def write(folder: Path, **members: str) -> Path:
    text = (PLAIN.folder / "jwo.toml").read_text("utf-8")
    for table, member in members.items():
        head = f"[{table.replace('__', '.')}]\n"
        text = text.replace(head, head + member + "\n") if head in text else f"{text}\n{head}{member}\n"
    (folder / "jwo.toml").write_text(text, encoding="utf-8")
    return folder / "jwo.toml"


def verdicts(profile: Profile, only: tuple[str, ...]) -> dict[str, Verdict]:
    results = run(RunConfiguration(profile, Selection(("core", "entry"), only))).results
    return {each: result.verdict for each, result in results.items()}


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("features", [("hints", "gzip"), ("members",), ("deflate",), ("raw", "hints")], ids="+".join)
def test_early_hints_and_compression_are_understood(front: Front, tmp_path: Path, features: tuple[str, ...]) -> None:
    assert verdicts(declared(tmp_path, front(*features)), SOME) == dict.fromkeys(SOME, Verdict.PASS)


@pytest.mark.timeout(60)
def test_private_ca_is_trusted_everywhere(front: Front, tmp_path: Path, certificates: Certificates) -> None:
    profile = declared(tmp_path, front(f"tls={certificates.server}"), connector='ca_file = "ca.pem"')

    assert profile.connector.ca_file == str(certificates.ca)
    assert verdicts(profile, SOME) == dict.fromkeys(SOME, Verdict.PASS)


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_untrusted_certificate_ends_before_any_case(front: Front, tmp_path: Path, certificates: Certificates) -> None:
    environment = front(f"tls={certificates.server}")
    for command in (["certify", "--only", "VIK-1.1"], ["replay", "VIK-1.1"], ["doctor"], ["load"]):
        done = jwo(command, write(tmp_path), environment)
        assert done.returncode == 2, done.stdout + done.stderr
        assert "declare your CA's certificate" in done.stderr
        assert "[connector] ca_file" in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_doctor_and_load_trust_the_private_ca(front: Front, tmp_path: Path, certificates: Certificates) -> None:
    environment = front(f"tls={certificates.server}", "members", "hints")
    file = write(tmp_path, connector='ca_file = "ca.pem"')

    assert jwo(["doctor"], file, environment).returncode == 0
    done = jwo(["load", "--rate", "20", "--duration", "1"], file, environment)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_even_rate_limit_without_a_burst_gets_no_finding(front: Front, tmp_path: Path) -> None:
    chosen = ("VIK-1.1", "VIK-3.4", "VIK-4", "VIK-6", "VIK-X.2", "VIK-X.29", "CP-1.1", "CP-2", "E2E-X.1", "E2E-X.14")
    found = verdicts(declared(tmp_path, front("rate=5"), limits="rate_limit_per_second = 5"), chosen)

    assert found == dict.fromkeys(chosen, Verdict.PASS) | {"VIK-X.2": Verdict.NOT_APPLICABLE}


@pytest.mark.timeout(60)
def test_slow_carts_within_their_declared_budget_get_no_finding(front: Front, tmp_path: Path) -> None:
    profile = declared(tmp_path, front("carts=12"), house__ordering="answer_budget_s = 20")

    assert verdicts(profile, ("CP-1.1",)) == {"CP-1.1": Verdict.PASS}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_whole_run_behind_a_front_gets_no_finding(front: Front, tmp_path: Path, certificates: Certificates) -> None:
    environment = front(f"tls={certificates.server}", "hints", "members")
    file = write(tmp_path, connector='ca_file = "ca.pem"')
    done = jwo(["certify", "--strict", "--tier", "core,entry", "--out", str(tmp_path / "out")], file, environment)

    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert {case["verdict"] for case in report["cases"]} <= FINE
    assert report["counts"]["pass"] >= 150


def jwo(command: list[str], profile: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jwo", *command, "--profile", str(profile)],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
        cwd=profile.parent,
        env=dict(environment),
    )
