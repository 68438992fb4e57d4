r"""Regular expressions that users set, matched in bounded time.

The dialect is ECMA-262, as in JSON Schema: `\d` and `\w` are ASCII, and `$` is the very end. The engine is the one that
checks messages. It takes linear time, except for look-around and back-references: there it counts its steps, and a text
that takes too many steps does not match. Python's `re` has no limit, so a gate could wait for it without end.
"""

from __future__ import annotations

import logging
import re
import string
import warnings
from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple

import jsonschema_rs

_MOST_STEPS = 100_000
"""About two milliseconds."""
_MOST_BYTES = 1_000_000
"""Of a compiled pattern: repetitions of repetitions would take all memory."""
PATTERN_LIMITS = jsonschema_rs.FancyRegexOptions(backtrack_limit=_MOST_STEPS, size_limit=_MOST_BYTES)
_LINEAR = jsonschema_rs.RegexOptions(size_limit=_MOST_BYTES)
_PROBE_LENGTH, _MOST_PROBES = 250, 12
_DIALECT = r"write it for ECMA-262 (JavaScript): \1 instead of (?P=name), $ instead of \Z, a{0,3} instead of a{,3}"
_ESCAPES = re.compile(r"\\(?:([<>])|.)", re.DOTALL)
"""The escapes of a pattern, with a group for those that Python and ECMA-262 read differently from the engine."""
_log = logging.getLogger("jwo_toolkit.patterns")


class BadPattern(ValueError):
    """A pattern is not a regular expression, is too large, or takes too many steps."""


class _Compiled(NamedTuple):
    validator: jsonschema_rs.Draft202012Validator
    is_linear: bool

    def gives_up_on(self, text: str) -> bool:
        limit = jsonschema_rs.ValidationErrorKind.BacktrackLimitExceeded
        return not self.is_linear and any(isinstance(error.kind, limit) for error in self.validator.iter_errors(text))


def matches(pattern: str, text: str, *, whole: bool = False) -> bool:
    """Return whether a pattern matches the `whole` text, or any part of it. Raises BadPattern if it is not valid.

    A text that takes too many steps does not match, and the log has a warning.
    """
    compiled = _compiled(pattern, whole=whole)
    try:
        if compiled.validator.is_valid(text):
            return True
        if compiled.gives_up_on(text):
            _log.warning("the pattern %.200r does not match: it takes more than %d steps", pattern, _MOST_STEPS)
    except UnicodeEncodeError:  # half of a surrogate pair is no character, and matches nothing
        pass
    return False


def checked_pattern(pattern: str) -> str:
    """Return a pattern that a user sets. Raises BadPattern, which says what is wrong, if it cannot be used.

    Python must read the pattern too, since Hypothesis makes texts from it. A pattern with look-around or
    back-references is tried on long texts, because it may take too many steps.
    """
    if problem := _python_problem(pattern):
        raise BadPattern(f"is not a regular expression: {problem}")
    if any(match[1] for match in _ESCAPES.finditer(pattern)):
        raise BadPattern(
            r"has \< or \>, which the engine reads as the edge of a word; write < or > without a backslash"
        )
    compiled = _compiled(pattern, whole=True)
    if not compiled.is_linear and any(map(compiled.gives_up_on, _probes(pattern))):
        raise BadPattern(
            f"takes more than {_MOST_STEPS:,} steps on a text of {_PROBE_LENGTH} characters; "
            "do not repeat a group that repeats itself, as in (a+)+, next to look-around or back-references"
        )
    return pattern


@lru_cache(maxsize=1024)
def _compiled(pattern: str, *, whole: bool) -> _Compiled:
    expression = f"^(?:{pattern})$" if whole else pattern
    validator = _validator(expression, PATTERN_LIMITS)
    if validator is None or _validator(pattern, PATTERN_LIMITS) is None:
        raise BadPattern(f"is not a regular expression that this version can use, or is too large; {_DIALECT}")
    return _Compiled(validator, is_linear=_validator(expression, _LINEAR) is not None)


def _validator(
    expression: str, options: jsonschema_rs.FancyRegexOptions | jsonschema_rs.RegexOptions
) -> jsonschema_rs.Draft202012Validator | None:
    """Return a validator that searches for an expression; None if the engine refuses the expression."""
    try:
        return jsonschema_rs.Draft202012Validator({"pattern": expression}, pattern_options=options)
    except ValueError:
        return None


def _python_problem(pattern: str) -> str:
    """Return why Python cannot read a pattern; empty if it can."""
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return ""


def _probes(pattern: str) -> list[str]:
    """Return texts that repeat a character of the pattern, behind its first word, and end with another character."""
    known = string.ascii_letters + string.digits
    start = "".join(takewhile(known.__contains__, pattern.removeprefix("^")))
    signs = list(dict.fromkeys((*(sign for sign in pattern if sign in known), "a", "0", " ")))[-_MOST_PROBES:]
    return [prefix + sign * _PROBE_LENGTH + "\0" for prefix in {"", start} for sign in signs]
