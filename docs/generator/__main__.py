"""Builds the site into `build/site`: `python -m docs.generator`. A broken link or anchor fails the build."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from docs.generator.links import for_the_site
from docs.generator.pages import DOCS, ROOT, generated_pages, written_pages

FOLDER = ROOT / "build" / "docs"
SITE = ROOT / "build" / "site"
CONFIGURATION = "zensical.toml"


def write_sources(folder: Path) -> None:
    """Write the sources of the site, every written and every generated page, to a folder; it is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    written = {path: for_the_site(file.read_text("utf-8"), file, path) for path, file in written_pages().items()}
    for path, text in (generated_pages() | written).items():
        target = folder / "pages" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    for name in ("assets", "images"):
        if (DOCS / name).is_dir():
            shutil.copytree(DOCS / name, folder / "pages" / name)
    shutil.copy(DOCS / CONFIGURATION, folder)


def build(folder: Path, site: Path) -> int:
    """Write the sources, build the site from them, and return the exit code of the generator."""
    write_sources(folder)
    shutil.rmtree(site, ignore_errors=True)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", CONFIGURATION]
    code = subprocess.run(command, cwd=folder, check=False).returncode  # noqa: S603 - our own command
    if code == 0:
        shutil.move(folder / "site", site)
    return code


if __name__ == "__main__":
    exit_code = build(FOLDER, SITE)
    if exit_code == 0:
        print(f"{SITE.relative_to(ROOT)}/index.html; serve the site with: make docs-serve")  # noqa: T201 - the command's output
    sys.exit(exit_code)
