"""Errors that stop a scenario, and errors that keep a run from starting.

SuiteStop
├── Finding        the connector broke the contract: a fail, or a warning where the rule is not a MUST
├── NotDeclared    the profile does not declare what this case needs: not applicable
├── OutOfTime      the time of the run is over: blocked by a case about late answers, else not applicable
├── Blocked        the case needs a valid request that the connector refuses: blocked
└── HarnessBroke   the suite itself is wrong or cannot work: an error, and never the connector's fault
    └── ProfileBroke   a command or an address of the profile fails, so its author can fix it

A run does not start after BadExpectations (the file of expected failures is not valid), BadStory (the script of a story
is not valid) or BadKey (the key cannot sign or verify a certificate).
"""

from __future__ import annotations


class SuiteStop(Exception):
    """Root of the errors that end a scenario on purpose."""


class Finding(SuiteStop):
    """A breach of the contract: the expected and the actual value as short texts, and the acts of the story, if any."""

    def __init__(self, expected: str, got: str, story: tuple[str, ...] = ()) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.expected = expected
        self.got = got
        self.story = story


class NotDeclared(SuiteStop):
    """The profile does not declare what the case needs; the message names what to declare."""


class Blocked(SuiteStop):
    """The id of the case that must pass before this one can be judged, and what the connector did there."""

    def __init__(self, by: str, reason: str) -> None:
        super().__init__(f"blocked by {by}: {reason}")
        self.by = by


class OutOfTime(SuiteStop):
    """The time of the run was over before the case could be judged."""

    by = "the time of the run"
    """Replaces the id of the blocking case until the end of the run shows which it is."""


class HarnessBroke(SuiteStop):
    """The suite failed, not the connector; the message says what is wrong."""


class ProfileBroke(HarnessBroke):
    """A command or an address of the profile fails; the message says which, and why."""


class BadExpectations(Exception):
    """The file of expected failures is not valid; the message is for its author."""


class BadStory(Exception):
    """The script of a story is not valid; the message is for its author."""


class BadKey(Exception):
    """The file holds no usable key; the message is for the user who named the file."""
