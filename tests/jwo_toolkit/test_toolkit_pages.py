"""The look that the pages of the kit share: contrast, title line, escaping, and files that load nothing."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from jwo_toolkit.pages.rendering import Frame, Pages, Title, Verdict, prose, utc
from jwo_toolkit.texts import brief

STYLE = (resources.files("jwo_toolkit.pages") / "pages.css").read_text("utf-8")
HOSTILE = "</h1><script>alert(1)</script>\u202e\u0000"


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_every_text_colour_keeps_the_contrast_of_wcag_aa(scheme: int) -> None:
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    colour = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[scheme]))
    pairs = [(ink, ground) for ink in ("text", "quiet", "link") for ground in ("page", "card", "code")]
    pairs += [(ink, ground) for ink in ("pass", "fail", "warn", "na", "error") for ground in (f"{ink}-bg", "card")]
    for ink, ground in pairs:
        bright, dark = sorted((_luminance(colour[ink]), _luminance(colour[ground])), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_lines_of_plots_keep_the_contrast_of_graphics(scheme: int) -> None:
    colour = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)[scheme]))
    for ink in ("link", "amber", "fail", "quiet"):
        bright, dark = sorted((_luminance(colour[ink]), _luminance(colour["card"])), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 3, ink


def a_page(text: str, script: str = "") -> str:
    frame = Frame(
        Title(text, text, text, utc("2026-11-27T12:40:31+01:00"), text),
        Verdict("pass", text, (text,)),
        ("A.", "B."),
        script,
    )
    return Pages("jwo_toolkit.pages").render("page.html.j2", frame, {})


def test_the_title_line_has_the_instant_in_utc() -> None:
    assert "<time>2026-11-27 11:40:31 UTC</time>" in a_page("x")


def test_a_hostile_title_stays_text() -> None:
    page = a_page(HOSTILE)

    assert "<script" not in page
    assert "\u202e" not in page
    assert "\\u202e" in page
    assert re.sub(r"<[^>]*>", "", page).count("alert(1)") == page.count("alert(1)")


def test_only_the_own_script_may_run() -> None:
    assert "script-src 'none'" in a_page("x")
    assert re.search(r"script-src 'sha256-[\w+/=]{44}'", a_page("x", "let a = 1;"))


def test_a_brief_text_is_one_line() -> None:
    assert brief("a\n b", 9) == "a b"
    assert brief("x" * 10_000, 50) == "x" * 49 + "…"


def test_an_id_in_a_sentence_does_not_wrap() -> None:
    uuid = "00b578e7-cbbf-4000-a000-000001500000"

    assert prose(f"<{uuid}> `x`") == f'&lt;<span class="uuid">{uuid}</span>&gt; <code>x</code>'
