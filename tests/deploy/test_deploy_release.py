"""The release: what refuses one, what its wheel and its bill of materials must hold."""

from __future__ import annotations

import copy
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from deploy.release import __main__ as release
from deploy.release import bill, contents
from deploy.release.refusals import refusals, section

ROOT = Path(__file__).resolve().parents[2]
CHANGELOG = (
    "# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-11-27, documentation of 2026-02)\n\n- Something new.\n\n## 0.1.0\n"
)
Edit = Callable[[Path], object]


def git(folder: Path, *words: str) -> None:
    settings = (
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@localhost",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "tag.gpgsign=false",
    )
    command = ["git", *settings, *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clone")
    (folder / "pyproject.toml").write_text('[project]\nversion = "0.2.0"\n', "utf-8")
    (folder / "CHANGELOG.md").write_text(CHANGELOG, "utf-8")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Begin")
    return folder


@pytest.fixture
def clone(ready: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", "--local", str(ready), "clone")
    return tmp_path / "clone"


def changelog(before: str, after: str) -> Edit:
    def edit(folder: Path) -> None:
        assert before in CHANGELOG
        (folder / "CHANGELOG.md").write_text(CHANGELOG.replace(before, after), "utf-8")
        git(folder, "commit", "--quiet", "--all", "--message", "Change")

    return edit


def test_clean_clone_of_a_described_version_may_be_released(clone: Path) -> None:
    assert refusals(clone, "0.2.0") == []
    assert section(clone, "0.2.0") == "- Something new."


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda folder: git(folder, "switch", "--quiet", "--create", "other"), "the branch is other; switch to main"),
        (lambda folder: git(folder, "switch", "--quiet", "--detach"), "the branch is none; switch to main"),
        (lambda folder: (folder / "new.txt").touch(), "the tree is not clean (new.txt); commit or remove"),
        (lambda folder: (folder / "CHANGELOG.md").write_text(CHANGELOG + "\n"), "the tree is not clean (CHANGELOG.md)"),
        (lambda folder: git(folder, "tag", "v0.2.0"), "the tag v0.2.0 exists"),
        (changelog("## 0.2.0", "## 0.3.0"), "CHANGELOG.md has no section 0.2.0; add a line such as: ## 0.2.0 ("),
        (changelog(" (2026-11-27, documentation of 2026-02)", ""), "the section 0.2.0 of CHANGELOG.md has no date"),
        (changelog("- Something new.\n", ""), "the section 0.2.0 of CHANGELOG.md is empty"),
        (changelog("## Unreleased\n", "## Unreleased\n\n- More.\n"), "has entries under Unreleased; move them to"),
    ],
)
def test_each_refusal_says_what_to_do(clone: Path, edit: Edit, sentence: str) -> None:
    edit(clone)

    (found,) = refusals(clone, "0.2.0")
    assert sentence in found


def test_version_that_is_not_that_of_the_clone_is_refused(clone: Path, tmp_path: Path) -> None:
    assert refusals(clone, "") == ["no version is named; name one: make release VERSION=0.2.0"]
    for wrong in ("v0.2.0", "0.2", "0.2.0.dev1", "00.2.0", "0.2.0; rm"):
        assert "is not a version of this project" in refusals(clone, wrong)[0], wrong
    of_version, of_section = refusals(clone, "0.2.1")
    assert of_version.startswith("pyproject.toml has the version 0.2.0; set it to 0.2.1 there")
    assert "no section 0.2.1" in of_section
    assert "is not a git clone" in refusals(tmp_path, "0.2.0")[0]
    (clone / "inner").mkdir()
    assert "is not a git clone" in refusals(clone / "inner", "0.2.0")[0]


def test_all_refusals_are_listed_at_once(clone: Path) -> None:
    git(clone, "switch", "--quiet", "--create", "other")
    for number in range(5):
        (clone / f"{number}.txt").touch()

    assert refusals(clone, "0.2.0")[1].startswith("the tree is not clean (0.txt, 1.txt, 2.txt and 2 more)")


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kit")
    (folder / "pyproject.toml").write_text(
        '[project]\nversion = "0.2.0"\n[tool.hatch.build.targets.wheel]\npackages = ["conformance"]\n', "utf-8"
    )
    for name in (
        "conformance/py.typed",
        "conformance/schemas/a.json",
        "conformance/rows.toml",
        "features/scans/a.feature",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


WHOLE = {
    "conformance/py.typed": "",
    "conformance/schemas/a.json": "",
    "conformance/rows.toml": "",
    "conformance/features/scans/a.feature": "",
    "kit-0.2.0.dist-info/METADATA": "Name: kit\nVersion: 0.2.0\n",
    "kit-0.2.0.dist-info/licenses/LICENSE": "",
    "kit-0.2.0.dist-info/entry_points.txt": "",
}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"conformance/py.typed": None}, "the wheel lacks conformance/py.typed"),
        ({"conformance/schemas/a.json": None}, "the wheel lacks conformance/schemas/a.json"),
        ({"conformance/features/scans/a.feature": None}, "the wheel lacks conformance/features/scans/a.feature"),
        ({"kit-0.2.0.dist-info/licenses/LICENSE": None}, "the wheel lacks kit-0.2.0.dist-info/licenses/LICENSE"),
        ({"benchmarks/a.py": ""}, "the wheel holds benchmarks, which is no package of this kit"),
        ({"conformance/tests/test_a.py": ""}, "the wheel holds conformance/tests/test_a.py, a test"),
        ({"kit-0.2.0.dist-info/METADATA": "Version: 0.1.0\n"}, "the wheel says version 0.1.0, not 0.2.0"),
    ],
)
def test_wheel_with_wrong_contents_is_found(
    kit: Path, tmp_path: Path, changes: dict[str, str | None], fault: str
) -> None:
    with ZipFile(tmp_path / "kit.whl", "w") as archive:
        for name, text in (WHOLE | changes).items():
            if text is not None:
                archive.writestr(name, text)

    assert contents.faults_of(tmp_path / "kit.whl", kit) == [fault]


BILL: dict[str, Any] = {
    "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
    "specVersion": "1.6",
    "metadata": {
        "component": {"bom-ref": "root", "name": "kit", "version": "0.2.0"},
        "tools": {"components": [{"name": "cyclonedx-py", "externalReferences": [{"url": "https://example.org"}]}]},
    },
    "components": [
        {"bom-ref": "pip==26", "name": "pip", "version": "26"},
        {
            "bom-ref": "pydantic_core==2",
            "name": "pydantic_core",
            "version": "2",
            "externalReferences": [{"type": "distribution", "url": "file:///tmp/wheels/pydantic_core.whl"}],
        },
    ],
    "dependencies": [{"ref": "pip==26"}, {"ref": "root", "dependsOn": ["pip==26", "pydantic_core==2"]}],
}


def test_bill_has_no_address_and_nothing_of_the_venv_itself() -> None:
    assert bill.faults_of(BILL, "0.2.0", {"pydantic-core"}) != []

    made = bill.cleaned(copy.deepcopy(BILL))

    assert [each["name"] for each in made["components"]] == ["pydantic_core"]
    assert made["dependencies"] == [{"ref": "root", "dependsOn": ["pydantic_core==2"]}]
    assert bill.faults_of(made, "0.2.0", {"pydantic-core"}) == []
    assert bill.faults_of(made, "0.3.0", {"httpx"}) == [
        "the SBOM is of version 0.2.0, not 0.3.0",
        "the SBOM lacks httpx",
    ]


def test_files_get_sums_in_an_empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(release, "DIST", tmp_path / "dist")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "older.whl").touch()
    for name in ("kit.whl", "kit.tar.gz"):
        (tmp_path / name).write_text(name, "utf-8")

    release.publish([tmp_path / "kit.whl", tmp_path / "kit.tar.gz"])

    assert sorted(each.name for each in (tmp_path / "dist").iterdir()) == ["SHA256SUMS", "kit.tar.gz", "kit.whl"]
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path / "dist", check=True)  # noqa: S607 - of the system


def test_clone_that_is_not_ready_ends_with_1_and_builds_nothing(
    monkeypatch: pytest.MonkeyPatch, clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(release, "ROOT", clone)

    assert release.main("9.9.9") == 1
    assert "no release was built:\n  - pyproject.toml has the version 0.2.0" in capsys.readouterr().out
    assert not (clone / "dist").exists()


def test_version_of_the_kit_has_a_section_in_the_changelog() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]

    assert section(ROOT, version)


def test_samples_of_the_pages_name_the_version_of_the_kit() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    named = [
        match
        for page in pages
        for match in re.findall(
            r"jwo_conformance_kit-(\d[\w.]*?)-py3|jwo-conformance-kit\S*@v([\d.]+)", page.read_text("utf-8")
        )
    ]

    assert {wheel or tag for wheel, tag in named} == {version}
