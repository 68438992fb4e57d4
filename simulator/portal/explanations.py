"""Explains the result of a connectivity test in plain words: what it means, and what to do."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from jwo_contract.errors import MalformedBody
from jwo_contract.gate import NoAnswer
from jwo_contract.house import House
from jwo_contract.messages import message, parse_object
from jwo_contract.operations import Operation
from simulator.connector import Connector, Exchange

_LISTED = 5
_REDIRECTS = range(300, 400)
_SERVER_FAILS = 500
_UNREACHED = {
    "refused": (
        "No program listens at {place}: the machine refused the connection.",
        "Start the connector, and compare its port with the saved address.",
    ),
    "unknown_host": (
        "The name {host} leads to no address.",
        "Correct the name in the saved address, or add it to the DNS of this machine.",
    ),
    "tls_certificate": (
        "The platform does not trust the certificate of {host}: {detail}.",
        "Renew it or correct its names. To trust your own, start the platform with JWO_PLATFORM_CONNECTOR_CA_FILE.",
    ),
    "tls": (
        "The TLS handshake with {place} failed: {detail}.",
        "If the connector serves plain HTTP, save its address with http://. Otherwise let it offer TLS 1.2 or later.",
    ),
    "closed": (
        "The connector closed the connection before its answer was complete.",
        "Look in the connector's log for a crash, or for a proxy that closes connections.",
    ),
    "unreachable": (
        "{place} cannot be reached: {detail}.",
        "Check the network between the platform and the connector, and the saved address.",
    ),
}
_LATE = {
    "connecting": (
        "The platform could not connect to {place} within {limit} s.",
        "Check the address, and whether a firewall drops the packets.",
    ),
    "waiting": (
        "The platform connected, and the connector sent no answer within {limit} s.",
        "Look in the connector's log for this request: it waits for a database, another service or a cold start.",
    ),
    "reading": (
        "The answer began in time, but it was not complete within {limit} s.",
        "Let the connector send a shorter answer at once, with a Content-Length.",
    ),
}
_UNREADABLE = {
    "not_http": (
        "{place} answers, but not in HTTP.",
        "Check the port. A connector that speaks TLS needs an address with https://.",
    ),
    "too_long": ("The answer is longer than 20 MB.", "Send only the members of the contract."),
    "content_encoding": (
        "The body of the answer does not fit its Content-Encoding.",
        "Send the body without compression: the platform asks for identity.",
    ),
}

_SIGNATURES = {
    "none": "The platform sends no signature, because the saved connector has the mode none.",
    "headers": "The platform sends the saved headers instead of a signature.",
    "sigv4": "The platform signs with SigV4, with the region and key in the request below.",
}
_GROUPS = {
    400: "invalid",
    401: "caller",
    403: "caller",
    404: "path",
    405: "path",
    415: "type",
    422: "invalid",
    429: "limit",
}
_OF_SAMPLE = {400: "unknown_store", 401: "sample"}
_STATUSES = {
    "invalid": (
        "The connector says that the request is not valid ({status}).",
        "Read its answer below. A test with a key and a SKU that the connector knows shows whether it reads requests.",
    ),
    "unknown_store": (
        "The connector says that the request is not valid (400). It is Amazon's sample, with the store id {store}.",
        "If the connector refuses only this id, put the id of your store into the message, or accept the sample's id.",
    ),
    "sample": (
        "The connector does not accept the code of the sample (401). It is Amazon's published sample, an old code.",
        "Accept the sample in your test set-up, or test with a code of your own.",
    ),
    "caller": (
        "The connector refuses the caller or the code ({status}). {signature}",
        "Compare the mode, region, access key and clock with what the connector expects, and the policy of a gateway.",
    ),
    "path": (
        "The connector has no POST {path} at this address ({status}).",
        "Save the address without the path of the call: the platform appends {path} itself.",
    ),
    "redirect": (
        "The connector redirects the call ({status}), and the platform follows no redirects.",
        "Save the address to which it redirects.",
    ),
    "type": ("The connector does not accept application/json ({status}).", "Accept that Content-Type."),
    "limit": ("The connector limits its callers ({status}).", "Wait and test again, or raise the limit."),
    "failed": (
        "The connector, or a proxy before it, failed with {status}.",
        "Look in their logs for this request; the request below has its requestId.",
    ),
    "other": (
        "The connector answered {status}, and the test expects another status.",
        "Answer POST {path} as the contract says.",
    ),
}


class Explanation(NamedTuple):
    """What a result means, what to do about it, and which rules of its schema the answer breaks."""

    meaning: str
    fix: str = ""
    breaches: tuple[str, ...] = ()


class Tested(NamedTuple):
    """A finished test: the call, the connector that got it, and the answer."""

    operation: Operation
    connector: Connector
    exchange: Exchange
    cause: str
    passed: bool
    with_sample: bool
    """Whether the call carried the sample of Amazon instead of values of the tester."""
    sent_store: str


def explain(test: Tested, house: House) -> Explanation:
    """Return the explanation of a test."""
    exchange = test.exchange
    if test.passed:
        return Explanation(f"The connector answered as expected, with {exchange.status} in {exchange.elapsed_ms} ms.")
    if exchange.failure is not None:
        return _unanswered(exchange, house)
    if test.cause == NoAnswer.MALFORMED_ANSWER:
        breaches = _breaches(test.operation, exchange.body, house)
        meaning = f"The connector answered {exchange.status}, but the body does not fit the contract."
        return Explanation(meaning, "Correct the body; GET /openapi.json and docs/ show the schema.", breaches)
    return Explanation(*_refused(test, exchange.status or 0))


def _unanswered(exchange: Exchange, house: House) -> Explanation:
    code, _, detail = exchange.problem.partition(": ")
    parts = urlsplit(exchange.url)
    words = {
        "place": parts.netloc,
        "host": parts.hostname or "",
        "detail": detail or "no reason was given",
        "limit": f"{house.gate.timeout_s:g}",
    }
    known = {
        NoAnswer.TIMED_OUT: (_LATE, "waiting"),
        NoAnswer.NO_CONNECTION: (_UNREACHED, "unreachable"),
        NoAnswer.MALFORMED_ANSWER: (_UNREADABLE, "not_http"),
    }
    sentences, default = known[exchange.failure or NoAnswer.NO_CONNECTION]
    meaning, fix = sentences.get(code, sentences[default])
    return Explanation(meaning.format(**words), fix.format(**words))


def _breaches(operation: Operation, body: bytes, house: House) -> tuple[str, ...]:
    try:
        answer = parse_object(body)
    except MalformedBody as error:
        return (str(error),)
    found = [violation.message for violation in message(operation.response, house).violations(answer)]
    more = [f"and {len(found) - _LISTED} more"] if len(found) > _LISTED else []
    return (*found[:_LISTED], *more)


def _refused(test: Tested, status: int) -> tuple[str, str]:
    meaning, fix = _STATUSES[_group(status, with_sample=test.with_sample)]
    words = {
        "status": status,
        "path": test.operation.path,
        "signature": _SIGNATURES[test.connector.auth],
        "store": test.sent_store,
    }
    return meaning.format(**words), fix.format(**words)


def _group(status: int, *, with_sample: bool) -> str:
    """Return the key of the sentences for a status."""
    if with_sample and status in _OF_SAMPLE:
        return _OF_SAMPLE[status]
    if status in _REDIRECTS:
        return "redirect"
    if status >= _SERVER_FAILS:
        return "failed"
    return _GROUPS.get(status, "other")
