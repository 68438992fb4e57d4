"""Renders a page of a report: the template of a package inside the shared frame, as one file that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib import resources
from typing import Any, NamedTuple

from jinja2 import ChoiceLoader, Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from jwo_toolkit import figures
from jwo_toolkit.texts import brief, printable

_SHARED = "jwo_toolkit.pages"
_UUID = re.compile(r"\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b")
_CODE = re.compile("`([^`<>]+)`")
SIGNS = {"pass": "✓", "fail": "✕", "warn": "!", "blocked": "⊘", "not_applicable": "·", "error": "?", "invalid": "?"}


class Title(NamedTuple):
    """The title line: the kind of page, what was judged, the store or retailer that has it, when, and the edition."""

    kind: str
    subject: str
    owner: str
    at: str
    edition: str


class Verdict(NamedTuple):
    """The banner: a class of the style (pass, fail, warn, error, invalid), the verdict in a line, and its reasons."""

    class_: str
    headline: str
    reasons: tuple[str, ...] = ()


class Frame(NamedTuple):
    """What each page has: its title line, its verdict, and two sentences on what the result means."""

    title: Title
    verdict: Verdict
    meaning: tuple[str, str]
    script: str = ""
    """A script of the page, if it has one. The page works without it."""


class Pages:
    """The pages of one package: its templates extend `page.html.j2`; `filters` and `names` are those of its own."""

    def __init__(
        self,
        package: str,
        filters: Mapping[str, Callable[..., Any]] | None = None,
        names: Mapping[str, object] | None = None,
    ) -> None:
        loaders = [FunctionLoader(partial(_found, each)) for each in (package, _SHARED)]
        self._environment = Environment(
            loader=ChoiceLoader(loaders),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            brief=brief, duration=figures.duration, percent=figures.percent, ids=ids, printable=printable, prose=prose,
            significant=figures.significant, **(filters or {}),
        )  # fmt: skip
        self._environment.globals.update(signs=SIGNS, supports=figures.supports, **(names or {}))

    def render(self, template: str, frame: Frame, view: Mapping[str, object]) -> str:
        """Return the page."""
        style, script = _markup(_found(_SHARED, "pages.css") or ""), _markup(frame.script)
        page = self._environment.get_template(template)
        return page.render(frame=frame, style=style, script=script, policy=_markup(_policy(frame.script)), **view)


def prose(text: str) -> Markup:
    """Return a sentence as escaped HTML, with text in backticks as code."""
    return _markup(_CODE.sub(r"<code>\1</code>", str(ids(printable(text)))))


def ids(text: str) -> Markup:
    """Return a text as escaped HTML, with each UUID in an element that does not wrap."""
    return _markup(_UUID.sub(r'<span class="uuid">\g<0></span>', str(escape(text))))


def utc(instant: str | datetime) -> str:
    """Return an instant as `2026-11-27 11:40:31 UTC`. Raises ValueError if the text is not an instant."""
    at = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _found(package: str, name: str) -> str | None:
    file = resources.files(package) / name
    return file.read_text("utf-8") if file.is_file() else None


def _policy(script: str) -> str:
    """Return the Content-Security-Policy. It names the hash of the page's script, so no other script can run."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    scripts = f"'sha256-{digest}'" if script else "'none'"
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src {scripts}; base-uri 'none'; form-action 'none'"


def _markup(text: str) -> Markup:
    return Markup(text)  # noqa: S704 - files of this kit, or escaped by the caller
