"""AWS's own signing vectors: each verifies, and no changed byte does.

`sigv4_vectors.json` holds facts of the tests of aws-c-auth (tests/aws-signing-test-suite/v4, Apache-2.0): the requests
that are signed by a header and have a normalized path, with their signatures.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from starlette.datastructures import Headers

from jwo_contract import sigv4
from jwo_contract.errors import SignatureRejected
from jwo_contract.sigv4 import EXECUTE_API, Form, Key

VECTORS = json.loads(Path(__file__).with_name("sigv4_vectors.json").read_text("utf-8"))["vectors"]
TOKEN_ADDED_LATER = "post-sts-header-after"
Request = dict[str, Any]


@pytest.fixture(autouse=True)
def _vectors_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sigv4, "SERVICE", "service")


def verified(request: Request) -> Key:
    key = Key(request["access_key_id"], request["secret_access_key"], request["session_token"])
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in request["headers"]]
    return sigv4.verify(
        request["method"],
        request["target"],
        Headers(raw=raw),
        request["body"].encode("latin-1"),
        find_key={key.access_key_id: key}.get,
        region="us-east-1",
        now=datetime.fromisoformat(request["timestamp"]),
        form=Form(require_signed_token=False) if request["name"] == TOKEN_ADDED_LATER else EXECUTE_API,
    )


def test_all_vectors_are_here() -> None:
    assert len({vector["name"] for vector in VECTORS}) == 31


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_vector_verifies_and_no_changed_byte_does(vector: Request) -> None:
    assert verified(vector).access_key_id == vector["access_key_id"]
    tried = 0
    for place, changed in changes(vector):
        tried += 1
        with pytest.raises(SignatureRejected):
            pytest.fail(f"verified with a change in {place}: {verified(changed)}")
    assert tried > 150


def test_token_that_was_added_after_signing_depends_on_the_setting() -> None:
    vector = next(each for each in VECTORS if each["name"] == TOKEN_ADDED_LATER)
    with pytest.raises(SignatureRejected) as caught:
        verified({**vector, "name": "as usual"})
    assert caught.value.code == "unsigned_header"
    assert "x-amz-security-token" in str(caught.value)


def changes(vector: Request) -> Iterator[tuple[str, Request]]:
    """Yield the request with each of its bytes changed, except bytes that have no meaning."""
    for place in ("method", "body"):
        yield from ((place, {**vector, place: text}) for text in changed_texts(vector[place]))
    path, mark, query = vector["target"].partition("?")
    for text in changed_texts(path):
        if meaning(text) != meaning(path):
            yield "the path", {**vector, "target": text + mark + query}
    for text in changed_texts(query):
        if unquote_to_bytes(text) != unquote_to_bytes(query):
            yield "the query", {**vector, "target": f"{path}?{text}"}
    yield "the query", {**vector, "target": f"{vector['target']}{'&' if mark else '?'}added=1"}
    for number, (name, value) in enumerate(vector["headers"]):
        for text in changed_texts(value):
            if " ".join(text.split()) != " ".join(value.split()):
                headers = [*vector["headers"][:number], [name, text], *vector["headers"][number + 1 :]]
                yield f"the header {name}", {**vector, "headers": headers}
        yield f"the header {name}", {**vector, "headers": [*vector["headers"], [name, value]]}
        rest = [*vector["headers"][:number], *vector["headers"][number + 1 :]]
        yield f"the header {name}", {**vector, "headers": rest}


def changed_texts(text: str) -> Iterator[str]:
    """Yield a text with one character replaced by a letter, in the other case, removed, or one added."""
    for at, letter in enumerate(text):
        begin, end = text[:at], text[at + 1 :]
        yield f"{begin}{'q' if letter != 'q' else 'p'}{end}"
        if letter.swapcase() != letter:
            yield f"{begin}{letter.swapcase()}{end}"
    yield f"{text}q"
    yield text[:-1] if text else "p"


def meaning(path: str) -> tuple[str, bool]:
    """Return the normal form of a path, and whether a slash ends it."""
    normal = "/" + posixpath.normpath("/" + path).strip("/")
    return normal, path.endswith("/") and normal != "/"
