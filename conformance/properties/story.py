"""Stories: the events in a store as a list of acts, one line of text each.

A story is data. Any part of a story is a valid story too, because a repetition names an earlier visit by a number,
modulo the count of visits so far. So Hypothesis can shrink stories, and people can write, read and replay them.
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
    """One event; a repetition also names the earlier visit (`which`, modulo their count) and `how` it is repeated."""

    event: str
    which: int = 0
    how: str = ""

    def __str__(self) -> str:
        return f"{self.event} {self.which} {self.how}" if self.how else self.event


Story = tuple[Act, ...]


def has_a_restart(story: Story) -> bool:
    """Say whether the story restarts the connector."""
    return Act(RESTART) in story


def case_of(story: Story) -> str:
    """Return the id of the case that plays this kind of story."""
    return "CP-X.47" if has_a_restart(story) else "CP-X.46"


def time_in(story: Story) -> timedelta:
    """Return the time that passes in a story."""
    return sum((PASSES.get(act.event, timedelta()) for act in story), timedelta())


def to_script(story: Story) -> str:
    """Return a story as a script, with one act in each line."""
    return "".join(f"{act}\n" for act in story)


def read(script: str) -> Story:
    """Read a script, without its empty lines and those that begin with #.

    Raises BadStory, with the first wrong line, if a line is not an act.
    """
    lines = [(number, line.strip()) for number, line in enumerate(script.splitlines(), start=1)]
    story = tuple(_act(number, line) for number, line in lines if line and not line.startswith("#"))
    if not story:
        raise BadStory("the story has no act; add lines such as: buy one line")
    return story


def _act(number: int, line: str) -> Act:
    if line in {*_NEW, *PASSES, RESTART}:
        return Act(line)
    repeat = _REPEAT.fullmatch(line)
    if repeat and repeat["how"] in REPEATS[repeat["what"]]:
        return Act(f"repeat {repeat['what']}", int(repeat["which"]), repeat["how"])
    known = [*_NEW, *PASSES, RESTART, *(f"repeat {what} 0 {how}" for what, hows in REPEATS.items() for how in hows)]
    raise BadStory(f"line {number} of the story is not an act: {line[:80]!r}; acts are: {'; '.join(known)}")
