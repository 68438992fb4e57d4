"""Signs of a program's inside in an answer: stack traces, file paths, SQL and debug pages of frameworks."""

from __future__ import annotations

import re

_SIGNS = (
    ("a stack trace of Python", r"Traceback \(most recent call last\)|\bFile \"[^\"\n]+\", line \d+"),
    ("a stack trace of Java", r"\bat [\w$.]+\([\w$]+\.(?:java|kt|scala|groovy):\d+\)"),
    ("a stack trace of Java", r"\bat [\w$.]+\((?:Native Method|Unknown Source)\)"),
    (
        "an exception of Java",
        r"\b(?:java|javax|jakarta|kotlin|org\.springframework|org\.hibernate|com\.fasterxml)(?:\.\w+)+(?:Exception|Error)\b",
    ),
    ("a stack trace of .NET", r"\bat [\w.`<>\[\], ]+\([^)\n]*\) in \S.*?:line \d+"),
    ("a stack trace of .NET", r"\bSystem(?:\.\w+)*Exception\b|\bat (?:Microsoft|System)(?:\.\w+)+\("),
    (
        "a stack trace of Node",
        r"\bat (?:async )?(?:[\w.<>\[\] ]+ )?\(?(?:file://|node:)?/?[\w./\\:@-]+\.(?:[cm]?js|ts):\d+:\d+\)?",
    ),
    ("a stack trace of Go", r"goroutine \d+ \[\w+|\bpanic: |\bruntime error: |\.go:\d+"),
    ("a stack trace of PHP", r"(?:Fatal error|Warning|Notice|Uncaught \w+)\b.{0,300}? in \S+ on line \d+"),
    ("a stack trace of PHP", r"#\d+ \S+\.php\(\d+\)"),
    ("a stack trace of Ruby", r"\b[\w./-]+\.rb:\d+(?::in\b|\b)"),
    ("a stack trace of Rust", r"thread '[^']*' panicked at|\.rs:\d+:\d+"),
    (
        "the place of an error in a file",
        r"\b[\w./\\-]+\.(?:py|java|cs|php|go|rb|kt|ts|[cm]?js)(?:[:(] ?(?:line )?|, line )\d+\b",
    ),
    (
        "an exception of Python",
        (
            r"\b(?:sqlalchemy|psycopg2?|sqlite3|django|pymysql|botocore|pydantic_core|werkzeug|starlette|json\.decoder)"
            r"(?:\.\w+)+"
        ),
    ),
    (
        "the name of an exception",
        (
            r"\b(?:KeyError|ValueError|TypeError|AttributeError|IndexError|RecursionError|JSONDecodeError"
            r"|UnicodeDecodeError|NullPointerException|StackOverflowError|IllegalArgumentException|NullReferenceException"
            r"|ReferenceError|RangeError|NoMethodError|ClassCastException|NumberFormatException)\b"
        ),
    ),
    (
        "a path of a server's file",
        r"(?:^|[\s\"'(<=>:\[])/(?:usr|home|var|opt|srv|etc|root|app|tmp|workspace|mnt)/[\w.@-]+(?:/[\w.@-]+)*",
    ),
    ("a path of a server's file", r"(?:^|[\s\"'(<=>:\[])[A-Za-z]:\\{1,2}[\w .-]+\\{1,2}[\w .\\-]+"),
    ("a path of a server's file", r"\bsite-packages/|\bnode_modules/"),
    ("SQL", r"\bSELECT\b.{1,200}?\bFROM\b|\bINSERT\s+INTO\b|\bUPDATE\s+\S+\s+SET\b|\bDELETE\s+FROM\b"),
    (
        "SQL",
        (
            r"(?i:\b(?:select|update|delete)\b.{1,200}?\bwhere\s+[\w.\"`]+\s*(?:=|<|>|\bin\b|\blike\b)"
            r"|\binsert\s+into\s+[\w.\"`]+\s*\()"
        ),
    ),
    ("an error of a database", r"\bORA-\d{5}\b|\bSQLSTATE\b"),
    (
        "an error of a database",
        (
            r"(?i:syntax error at or near|violates (?:unique|foreign key|not-null|check) constraint"
            r"|constraint failed: \w+\.|error in your SQL syntax|no such (?:table|column): "
            r"|relation \"[^\"]+\" does not exist|unclosed quotation mark|deadlock found when|E11000 duplicate key)"
        ),
    ),
    (
        "a debug page",
        (
            r"(?i:werkzeug debugger|you're seeing this error because|DJANGO_SETTINGS_MODULE|Rails\.root"
            r"|whoops, looks like something|<title>[^<]*(?:Traceback|Exception at |debugger)[^<]*</title>"
            r"|Server Error in '[^']*' Application|developer exception page)"
        ),
    ),
)
"""Patterns with the name of what they find."""
_PATTERNS = [(name, re.compile(pattern, re.DOTALL)) for name, pattern in _SIGNS]
_LONGEST = 200_000


def sign_of_internals(text: str, sent: str = "") -> str:
    """Return the name of the first sign of a program's inside, with the text that shows it; empty without one.

    A text that the request `sent` itself holds is no sign.
    """
    for name, pattern in _PATTERNS:
        found = pattern.search(text[:_LONGEST])
        if found and found[0] not in sent:
            return f"{name}: {' '.join(found[0].split())[:80]}"
    return ""
