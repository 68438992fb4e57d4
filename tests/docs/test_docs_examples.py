"""The examples of all pages work: commands and options exist, profiles load, and what a page shows is printed."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import ssl
import subprocess
from collections import Counter
from pathlib import Path

import httpx
import pytest
from jsonschema import Draft202012Validator

from conformance.mutants.small_connector import SmallConnector
from docs.generator.commands import commands as jwo_commands
from docs.generator.pages import DOCS, written_pages
from docs.generator.settings import KINDS
from jwo_contract.profile import load
from jwo_contract.settings import variables
from jwo_toolkit.launcher import JWO
from jwo_toolkit.lifeline import tied
from load.report import schema
from simulator.pages.menu import PAGES, PREFIX
from tests.conftest import Serve
from tests.docs.page_steps import Block, blocks, commands, run
from tests.docs.reader import Reader

OLD = {"CHANGELOG.md", "style.md"}
WRITTEN = {name: file for name, file in written_pages().items() if name not in OLD}
HOW_TO, TUTORIALS = DOCS / "how_to", DOCS / "tutorials"
OPTIONS = {
    name: {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    for name, command in jwo_commands()
}
SECRETS = ("CONNECTOR_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def lines_of_jwo(file: Path) -> list[list[str]]:
    """Return the words of each line of a page's commands that calls jwo, also in a pipeline's script."""
    lines = [words for block in blocks(file, "sh", "console") for words in commands(block)]
    scripts = "\n".join(block.text for block in blocks(file, "yaml", "groovy"))
    lines += [shlex.split(line) for line in re.findall(r"^\s*(?:- )?(jwo [^'\n]+)", scripts, re.MULTILINE)]
    return [words[words.index("jwo") :] for words in lines if "jwo" in words]


@pytest.mark.parametrize("name", WRITTEN)
def test_commands_and_options_of_a_page_exist(name: str) -> None:
    for words in lines_of_jwo(WRITTEN[name]):
        if len(words) < 2 or words[0] != "jwo" or not re.fullmatch("[a-z]+", words[1]):
            continue
        command = " ".join(words[:3]) if words[1] == "catalog" else " ".join(words[:2])
        given = {word.split("=")[0] for word in words[2:] if re.fullmatch("--[a-z-]+(=.*)?", word)}
        assert command in OPTIONS, words
        assert given <= OPTIONS[command], words


def test_commands_of_pages_are_found() -> None:
    counts = Counter(name for name in WRITTEN for _ in lines_of_jwo(WRITTEN[name]))

    assert counts["tutorials/first_pass.md"] >= 8
    assert (counts["how_to/gitlab.md"], counts["how_to/jenkins.md"]) == (2, 1)
    assert sum(counts.values()) >= 40


@pytest.mark.parametrize("name", [name for name in WRITTEN if name.startswith(("how_to", "tutorials"))])
def test_profiles_of_a_page_load(name: str, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(any_certificate())
    for block in blocks(WRITTEN[name], "toml"):
        text = block.text if "[connector]" in block.text else f'[connector]\nurl = "http://a.example"\n{block.text}'
        path = tmp_path / "jwo.toml"
        path.write_text(text, "utf-8")
        assert load(path, dict.fromkeys(SECRETS, "x")).connector.url


def any_certificate() -> bytes:
    """Return some certificate of this machine, in PEM form."""
    (first, *_) = ssl.create_default_context().get_ca_certs(binary_form=True)
    return ssl.DER_cert_to_PEM_cert(first).encode()


@pytest.mark.parametrize("name", WRITTEN)
def test_settings_that_a_page_names_exist(name: str) -> None:
    known = {variable.removesuffix("*") for kind in KINDS.values() for variable in variables(kind)}
    named = set(
        re.findall(
            r"\bJWO_(?:CONNECTOR|PLATFORM|CATALOG|LOAD)_[A-Z_]*[A-Z]\b(?![_*])", WRITTEN[name].read_text("utf-8")
        )
    )

    assert {each for each in named if not any(each == one or one.startswith(f"{each}__") for one in known)} == set()


@pytest.mark.slow
def test_keys_that_work_once_are_minted_as_the_page_says(tmp_path: Path) -> None:
    with Reader(tmp_path) as reader:
        reader.follow(HOW_TO / "single_use_keys.md")

    assert reader.shown == ["2 cases: 2 pass", "1 case: 1 pass"]


def test_restart_script_of_the_page_restarts_the_connector(tmp_path: Path) -> None:
    try:
        with Reader(tmp_path) as reader:
            reader.follow(HOW_TO / "restart.md")
    finally:
        os.kill(int((tmp_path / "connector.pid").read_text()), signal.SIGKILL)

    assert reader.shown == ["1 case: 1 pass"]


@pytest.mark.slow
def test_first_load_test_ends_as_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWO_LOAD_LAG_BOUND_MS", "2000")  # other tests run at the same time
    with Reader(tmp_path) as reader:
        reader.follow(TUTORIALS / "first_load_test.md")

    assert {"PASS", "FAIL"} <= set(reader.shown)
    for folder in ("jwo-load", "slow"):
        Draft202012Validator(schema()).validate(json.loads((tmp_path / folder / "load.json").read_text("utf-8")))


@pytest.mark.slow
def test_load_of_two_workers_runs(tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWO_LOAD_LAG_BOUND_MS", "2000")  # as above
    with Reader(tmp_path, port_of(serve(SmallConnector()))) as reader:
        reader.follow(HOW_TO / "distributed_load.md")

    report = json.loads((tmp_path / "jwo-load" / "load.json").read_text("utf-8"))
    assert report["generator"]["workers_heard"] == 2
    assert report["verdict"]["word"] == "pass"


@pytest.mark.slow
def test_commands_about_a_report_run(tmp_path: Path, serve: Serve) -> None:
    with Reader(tmp_path, port_of(serve(SmallConnector()))) as reader:
        run(Block("sh", "", f"jwo init --connector http://127.0.0.1:{reader.port}", ""), tmp_path)
        reader.follow(HOW_TO / "read_a_report.md")

    text = (HOW_TO / "read_a_report.md").read_text("utf-8")
    listed = re.findall(r"^\| `([a-z.]+)` \|", text, re.MULTILINE)
    assert sorted(file.name for file in (tmp_path / "after").iterdir()) == sorted(listed)


def port_of(address: str) -> str:
    return address.rsplit(":", 1)[1]


@pytest.mark.slow
def test_play_prints_its_address_and_serves_the_pages_of_the_tutorial(tmp_path: Path) -> None:
    (server,) = (block for block in blocks(TUTORIALS / "play_by_hand.md", "sh") if block.title == "server")
    (words,) = commands(server)

    with subprocess.Popen([*JWO, *words[1:]], cwd=tmp_path, stdout=subprocess.PIPE, text=True, **tied()) as play:
        assert play.stdout
        try:
            line = next(line for line in play.stdout if line.startswith("Open "))
            address = line.split()[1]
            titles = {page.title for page in PAGES if httpx.get(f"{address.rstrip('/')}{page.path}").status_code == 200}
        finally:
            play.send_signal(signal.SIGINT)
            play.wait(30)

    assert re.fullmatch(rf"Open http://127\.0\.0\.1:\d+{PREFIX}/ in a browser\. Ctrl-C stops everything\.\n", line)
    assert titles >= {"Floor", "Faults", "Clock"}


def test_labels_of_the_tutorial_are_on_the_pages() -> None:
    text = (TUTORIALS / "play_by_hand.md").read_text("utf-8")
    files = [
        file for file in (DOCS.parent / "simulator" / "pages").rglob("*") if file.suffix in {".py", ".js", ".html"}
    ]
    files.append(DOCS.parent / "jwo" / "play_samples.py")
    shown = "\n".join(file.read_text("utf-8") for file in files)
    labels = set(re.findall(r"\*\*([^*]+)\*\*", text))

    assert len(labels) >= 15
    assert {label for label in labels if not re.search(rf"[\"'>`]{re.escape(label)}[\"'<`]", shown)} == set()
