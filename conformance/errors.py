"""Why a scenario stops.

SuiteStop
├── Finding        the connector broke the contract: a fail, or a warning where the rule is not a MUST
├── NotDeclared    the profile does not say what this case needs: not applicable
├── Blocked        the case rests on a valid request, and the connector refuses that: blocked
└── HarnessBroke   the suite itself is wrong or cannot work: an error, and never the connector's fault

And why a run does not begin: BadExpectations, a file of expected failures that cannot be used; BadStory, a script
that tells no story; BadKey, a key that cannot sign or verify a certificate.
"""

from __future__ import annotations


class SuiteStop(Exception):
    """Root of all that ends a scenario on purpose."""


class Finding(SuiteStop):
    """What was expected and what came instead, each as a short text; and the acts of the story that led there."""

    def __init__(self, expected: str, got: str, story: tuple[str, ...] = ()) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.expected = expected
        self.got = got
        self.story = story


class NotDeclared(SuiteStop):
    """What would have to be declared for the case to be judged."""


class Blocked(SuiteStop):
    """The id of the case that must pass before this one can be judged, and what the connector did there."""

    def __init__(self, by: str, reason: str) -> None:
        super().__init__(f"blocked by {by}: {reason}")
        self.by = by


class HarnessBroke(SuiteStop):
    """What is wrong on our side."""


class BadExpectations(Exception):
    """The file of expected failures cannot be used; a sentence for the one who wrote it."""


class BadStory(Exception):
    """The script of a story cannot be played; a sentence for the one who wrote it."""


class BadKey(Exception):
    """The file holds no key that can be used; a sentence for the one who named it."""
