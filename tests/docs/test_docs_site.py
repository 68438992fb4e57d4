"""The built site: no broken link, and nothing from another host."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from docs.generator.__main__ import build
from docs.generator.pages import DOCS, ROOT, generated_pages, written_pages

pytestmark = pytest.mark.slow


class Loaded(HTMLParser):
    """Collects the addresses that a page loads by itself: scripts, styles, pictures, frames."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"script", "img", "iframe", "source"}:
            self.addresses.append(given.get("src") or "")
        if tag == "link" and given.get("rel") in {"stylesheet", "preload", "icon", "preconnect", "modulepreload"}:
            self.addresses.append(given.get("href") or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")

    assert build(folder / "source", folder / "site") == 0
    return folder / "site"


def test_site_has_every_page(site: Path) -> None:
    pages = {*generated_pages(), *written_pages()}
    made = {str(file.relative_to(site).with_suffix("")) for file in site.rglob("*.html")}
    wanted = {re.sub(r"README$", "index", page.removesuffix(".md")) for page in pages}

    assert wanted <= made


def test_pages_load_nothing_from_another_host(site: Path) -> None:
    for file in site.rglob("*.html"):
        page = Loaded()
        page.feed(file.read_text("utf-8"))
        assert [each for each in page.addresses if re.match(r"(https?:)?//", each)] == []
        assert page.addresses
    for file in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", file.read_text("utf-8"))


def test_search_finds_a_rule_without_network(site: Path) -> None:
    assert "forgets_the_trip_id" in (site / "search.json").read_text("utf-8")


def test_every_written_page_is_in_the_navigation() -> None:
    navigation = tomllib.loads((DOCS / "zensical.toml").read_text("utf-8"))["project"]["nav"]
    decisions = {name for name in written_pages() if name.startswith("decisions/0")}

    assert set(written_pages()) - decisions <= set(pages_in(navigation))


def pages_in(entries: list[dict[str, object]]) -> Iterator[str]:
    for entry in entries:
        for value in entry.values():
            yield from pages_in(value) if isinstance(value, list) else [str(value)]


def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "index.md").write_text("# A page\n\n[nowhere](nowhere.md)\n", "utf-8")
    (tmp_path / "zensical.toml").write_text('[project]\nsite_name = "x"\ndocs_dir = "pages"\n', "utf-8")

    command = [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", "zensical.toml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 1
    assert "does not exist" in done.stdout + done.stderr
    assert ROOT not in tmp_path.parents
