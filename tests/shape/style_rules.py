"""The words and forms that docs/style.md forbids, each with what to write instead, and the few places that keep one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Rule(NamedTuple):
    """A forbidden form, why, and what to write instead."""

    pattern: re.Pattern[str]
    instead: str


class Allowed(NamedTuple):
    """A place that keeps a forbidden form: files by a glob pattern, the text around it, and the reason."""

    files: str
    text: str
    reason: str


def _word(pattern: str, instead: str) -> Rule:
    return Rule(re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), instead)


def _form(pattern: str, instead: str) -> Rule:
    return Rule(re.compile(pattern), instead)


RULES = (
    _word(r"whom|whomever", "name the person or the part: the shopper that the message is about"),
    _word(r"whose", "of which, or a sentence of its own: the row has an id"),
    _word(r"whoever", "the caller that, any shopper who"),
    _word(r"nobody|no one", "name who does not: no shopper, no caller, no process"),
    _word(r"somebody|someone", "name who: a shopper, another caller"),
    _word(r"everybody|everyone", "name who: all shoppers, each caller"),
    _word(r"told", "receives, gets, reports, distinguishes"),
    _word(r"hears?|heard", "is notified, receives"),
    _word(r"the news", "the result, the notification"),
    _word(r"mend(?:s|ed|ing)?", "fix"),
    _word(r"stands?|stood|stand-ins?|stood in", "is, is in, holds, represents, replaces"),
    _word(r"anew", "again, from the start"),
    _word(r"spoil(?:s|t|ed|ing)?", "corrupt, break, change"),
    _word(r"wish(?:es|ed)?", "attempt, request, expectation"),
    _word(r"of (?:its|their|his|her) own accord", "without being asked, automatically"),
    _word(r"(?<!there )is none|(?<!there )are none", "say what is missing: the text is not a code"),
    _word(r"without a word", "without an answer, without a message, without `Connection: close`"),
    _word(r"in a word|in one word", "a short code"),
    _word(r"(?:has|have|had|with) (?:the|a|its) (?:last |final )?(?:say|word)", "decides"),
    _word(r"becom(?:es?|ing) of|became of|c[ao]me of", "the result of"),
    _word(r"makes? of (?:it|them|this|that|the|a|an)", "say what it does with it"),
    _word(r"used wrongly", "usage error"),
    _word(r"be as new|as good as new", "reset"),
    _word(r"the last door", "last resort"),
    _word(r"gives? way|gave way", "is replaced by"),
    _word(r"strikes?|struck", "applies, occurs"),
    _word(r"lies (?:in|at|on|beside|where|there|here)|lie (?:in|at|on|beside|where|there|here)", "is, is stored"),
    _word(r"says? so", "say what it reports"),
    _word(r"of now", "current"),
    _word(r"so many|by so much|only so much", "name the number: this many, at most N"),
    _word(r"what came", "the answer, the actual value"),
    _word(r"as (?:it|they) (?:came|come|comes)", "unchanged"),
    _word(r"voids?|voided", "invalid, makes invalid"),
    _word(r"park(?:s|ed|ing)? (?:a |the )?carts?|parked carts?|carts? (?:is|are|was) parked", "bad cart"),
    _word(r"lest|upon|thereby|thereof|therein|whence|hence|thus|aforesaid|ought", "plain words: so, from, in it"),
    _form(r"\bcannot be(?=[.;,:]|$)", "say what is wrong: is not valid, does not exist"),
    _form(r"(?:^|[.;:] )Whom? (?![^.;]*\?)", "begin with the thing: the caller of the API, the person at the gate"),
    _form(
        r"(?:^|[.;:,] )(?:(?:[A-Z][a-z]+){2,}|Usage|Broken) (?:when|if|unless|says|names|lists|tells|carries)\b",
        "Raises X if …",
    ),
)

ROOM = _word(
    r"rooms|(?:the|each|a|every|no|four|other|another|this|that|own|one) room(?!s? for\b)",
    "package; only ARCHITECTURE.md explains the word room",
)

ALLOWED = (Allowed("docs/style.md", "", "quotes the forms that it forbids"),)


def offences(text: str, *, may_say_room: bool = False) -> Iterator[tuple[str, str]]:
    """Yield each forbidden form in a text, with what to write instead; a form may run over a line's end."""
    for paragraph in re.split(r"\n\s*\n", text):
        one_line = " ".join(paragraph.split())
        for rule in RULES if may_say_room else (*RULES, ROOM):
            for found in rule.pattern.finditer(one_line):
                yield found[0].strip(), rule.instead
