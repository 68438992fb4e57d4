"""badge.svg: the verdict as a badge of 20 pixels height, for a README or a wiki."""

from __future__ import annotations

from xml.sax.saxutils import escape

from conformance.report.headline import counted, is_qualified
from conformance.report.model import Report
from conformance.report.verdict import broken, expected_failures, judged_tiers
from jwo_contract.operations import VERIFY_IDENTITY_KEYS

_COLOURS = {"pass": "#1a7f37", "fail": "#b3261e", "error": "#5f6670"}
_AMBER = "#8a5a00"
_NARROW, _WIDE = frozenset(" filjt.,:;|!'()"), frozenset("mwMW+")
_NARROW_PX, _USUAL_PX, _WIDE_PX = 4.0, 7.0, 10.0
_PADDING_PX = 10


def render_badge(report: Report) -> str:
    """Return the SVG: `JWO core | conformant` in green, `3 findings` in red, `error` in grey.

    A partial run, or one with late scans, is amber: `partial 61/92`.
    """
    label, message = _label(report), _message(report)
    left, right = _width(label), _width(message)
    title = escape(f"{label}: {message}", {'"': "&quot;"})
    return _SVG.format(
        width=left + right,
        left=left,
        right=right,
        title=title,
        label=escape(label),
        message=escape(message),
        colour=_AMBER if is_qualified(report) else _COLOURS[report.verdict],
        label_x=left / 2,
        message_x=left + right / 2,
    )


def _label(report: Report) -> str:
    return " ".join(["JWO", "+".join(judged_tiers(report.cases))]).strip()


def _late(report: Report) -> int:
    return sum(row.late for row in report.latency if row.operation == VERIFY_IDENTITY_KEYS.name)


def _message(report: Report) -> str:
    if report.verdict == "pass" and report.completeness and report.is_partial:
        return f"partial {report.completeness.judged}/{report.completeness.total}"
    if report.verdict == "pass" and (late := _late(report)):
        return counted(late, "late scan")
    if report.verdict == "pass":
        known = len(expected_failures(report.cases))
        return counted(known, "expected failure") if known else "conformant"
    if report.verdict == "error":
        return "error"
    number = len(broken(report.cases, strict=report.suite.strict))
    return counted(number, "finding") if number else "failed"


def _width(text: str) -> int:
    def of(letter: str) -> float:
        return _NARROW_PX if letter in _NARROW else _WIDE_PX if letter in _WIDE else _USUAL_PX

    return round(sum(map(of, text))) + _PADDING_PX


_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{title}">
<title>{title}</title>
<clipPath id="r"><rect width="{width}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)">
<rect width="{left}" height="20" fill="#3d434b"/>
<rect x="{left}" width="{right}" height="20" fill="{colour}"/>
</g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">
<text x="{label_x}" y="14">{label}</text>
<text x="{message_x}" y="14">{message}</text>
</g>
</svg>
"""
