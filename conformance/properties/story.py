"""Stories: what happens in a store, as a list of acts, one line of text each.

A story is data. Whatever is left out of one, what remains is a story too, since a repetition counts round among the
visits so far; so Hypothesis shrinks stories, and people write them down, read them and play them again.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import NamedTuple

from conformance.errors import BadStory

SCANS = ("scan a shopper", "scan nobody", "scan a shopper twice at once", "scan a shopper with a code an hour old")
CARTS = ("buy one line", "buy two lines", "buy nothing", "buy one line twice at once")
_REPEATED = ("as it was", "under another requestId", "in another order", "twice at once")
REPEATS = {"scan": _REPEATED, "cart": (*_REPEATED, "with other lines")}
PASSES = {"an hour passes": timedelta(hours=1), "a day passes": timedelta(days=1)}
RESTART = "restart"
_NEW = (*SCANS, *CARTS)
_REPEAT = re.compile(r"repeat (?P<what>scan|cart) (?P<which>\d{1,6}) (?P<how>.+)")


class Act(NamedTuple):
    """What happens; for a repetition also of what, of which one so far (counted round), and how."""

    word: str
    which: int = 0
    how: str = ""

    def __str__(self) -> str:
        return f"{self.word} {self.which} {self.how}" if self.how else self.word


Story = tuple[Act, ...]


def has_a_restart(story: Story) -> bool:
    """Say whether the connector is restarted in it."""
    return Act(RESTART) in story


def case_of(story: Story) -> str:
    """Return the id of the case that plays stories such as this one."""
    return "CP-X.47" if has_a_restart(story) else "CP-X.46"


def time_in(story: Story) -> timedelta:
    """Return how much time passes in it."""
    return sum((PASSES.get(act.word, timedelta()) for act in story), timedelta())


def written(story: Story) -> str:
    """Write a story as a script, an act a line."""
    return "".join(f"{act}\n" for act in story)


def read(script: str) -> Story:
    """Read a script; empty lines and those that begin with # tell nothing. BadStory names the first wrong line."""
    lines = [(number, line.strip()) for number, line in enumerate(script.splitlines(), start=1)]
    story = tuple(_act(number, line) for number, line in lines if line and not line.startswith("#"))
    if not story:
        raise BadStory("the story has no act; an act is a line such as: buy one line")
    return story


def _act(number: int, line: str) -> Act:
    if line in {*_NEW, *PASSES, RESTART}:
        return Act(line)
    repeat = _REPEAT.fullmatch(line)
    if repeat and repeat["how"] in REPEATS[repeat["what"]]:
        return Act(f"repeat {repeat['what']}", int(repeat["which"]), repeat["how"])
    known = [*_NEW, *PASSES, RESTART, *(f"repeat {what} 0 {how}" for what, hows in REPEATS.items() for how in hows)]
    raise BadStory(f"line {number} of the story is no act: {line[:80]!r}; acts are: {'; '.join(known)}")
