"""The gate table, the QR filter and the reader, against a connector on a real socket."""

from __future__ import annotations

import base64
import io
import re
import socket
from typing import Any

import pytest
import qrcode
from PIL import Image

from jwo_contract.house import House
from jwo_contract.messages import message
from jwo_contract.sigv4 import Key, verify
from jwo_contract.values import parse_instant

STORE, GATE = "STORE-001", "STORE-001-GATE-1"


def png_of(text: str) -> bytes:
    buffer = io.BytesIO()
    qrcode.make(text).get_image().save(buffer, "PNG")
    return buffer.getvalue()


def free_port_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_accepted_key_opens_the_gate_and_starts_a_trip(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    answer = steady.scan()
    trip = steady.http.get(f"/trips/{answer['shoppingTripId']}").json()
    assert (answer["light"], answer["opens"], answer["cause"], answer["action"]) == ("green", True, "200", "open")
    assert answer["visitor"] == trip["visitor"] == {"id": "visitor-1", "type": "SHOPPER"}
    assert trip["authEventId"] == answer["authEventId"]
    assert trip["state"] == "shopping"


def test_request_is_newly_signed_by_the_rules_of_the_contract(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    steady.scan()
    steady.scan()
    (path, headers, first), (_, _, second) = connector.seen
    assert path == "identity/identity-keys"
    assert message("verify_identity_keys.request").is_valid(first)
    assert base64.b64decode(first["identityKey"]) == b"valid_shopper_key"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first["authEvent"]["timestamp"])
    assert abs((steady.clock.now() - parse_instant(first["authEvent"]["timestamp"])).total_seconds()) < 10
    assert first["requestId"] != second["requestId"]
    assert first["authEvent"]["id"] != second["authEvent"]["id"]
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=jwo-platform/")


def test_signature_holds_for_the_bytes_that_arrive(start_platform: Any, serve: Any) -> None:
    found: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        body = (await receive())["body"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        key = Key("a", "b", "c")
        verify(
            "POST",
            f"http://{headers['host']}{scope['path']}",
            headers,
            body,
            find_key=lambda key_id: key if key_id == "a" else None,
            region="us-east-1",
            now=platform.clock.now(),
        )
        found.append(headers["x-amz-security-token"])
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    platform = start_platform(connector_access_key_id="a", connector_secret_access_key="b", connector_session_token="c")
    platform.set_up_store(serve_without_lifespan(serve, app))
    assert platform.scan()["cause"] == "401"
    assert found == ["c"]


def serve_without_lifespan(serve: Any, app: Any) -> str:
    async def with_lifespan(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        else:
            await app(scope, receive, send)

    return str(serve(with_lifespan))


@pytest.mark.parametrize("status", [400, 401, 429])
@pytest.mark.parametrize("default", ["open", "closed"])
def test_refusal_keeps_the_gate_closed_with_any_default(steady: Any, connector: Any, status: int, default: str) -> None:
    steady.set_up_store(connector, storeDefault=default)
    connector.identity = [(status, {"errorMsg": "no"})]
    answer = steady.scan()
    assert (answer["opens"], answer["cause"], answer["action"]) == (False, str(status), "stay_closed")
    assert answer["light"] == "red"
    assert answer["shoppingTripId"] is None
    assert answer["visitor"] is None


FAILURES = [
    ((500, {}), "500"),
    ((503, {}), "503"),
    ((404, {}), "404"),
    ((201, {"visitorDetails": {"id": "v", "type": "SHOPPER"}}), "201"),
    ((302, {}, {"headers": {"location": "/v1/identity/elsewhere"}}), "302"),
    ((200, b"<html>"), "malformed_answer"),
    ((200, {"visitorDetails": {"id": "", "type": "SHOPPER"}}), "malformed_answer"),
    ((200, {"visitorDetails": {"id": "v", "type": "CASH"}}), "malformed_answer"),
    ((200, {"visitorDetails": None}), "malformed_answer"),
]


@pytest.mark.parametrize(("given", "cause"), FAILURES)
@pytest.mark.parametrize("default", ["open", "closed"])
def test_connector_failure_follows_the_store_default(
    steady: Any, connector: Any, given: Any, cause: str, default: str
) -> None:
    steady.set_up_store(connector, storeDefault=default)
    connector.identity = [given]
    answer = steady.scan()
    assert (answer["cause"], answer["action"]) == (cause, "store_default")
    assert answer["opens"] is (default == "open")
    assert (answer["shoppingTripId"] is not None) is (default == "open")
    assert answer["visitor"] is None
    assert len(connector.seen) == 1, "a redirect is not followed and a failure is not retried"


def test_answer_after_the_deadline_is_a_time_out(start_platform: Any, connector: Any) -> None:
    platform = start_platform(gate={"timeout_s": 0.2})
    platform.set_up_store(connector)
    connector.identity = [(*accepted(), {"delay_s": 0.6})]
    answer = platform.scan()
    assert (answer["opens"], answer["cause"], answer["action"]) == (False, "timed_out", "store_default")
    assert 200 <= answer["elapsedMs"] < 500


def accepted() -> tuple[int, dict[str, Any]]:
    return 200, {"visitorDetails": {"id": "v", "type": "SHOPPER"}}


def test_clock_runs_to_the_last_byte_not_the_first(start_platform: Any, serve: Any) -> None:
    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    platform = start_platform(gate={"timeout_s": 0.2})
    platform.set_up_store(serve_without_lifespan(serve, app))
    assert platform.scan()["cause"] == "timed_out"


def test_refused_connection_is_no_connection(steady: Any) -> None:
    steady.set_up_store(free_port_url())
    assert steady.scan()["cause"] == "no_connection"


def test_store_without_connector_follows_its_default(steady: Any) -> None:
    steady.set_up_store(None, storeDefault="open")
    answer = steady.scan()
    assert (answer["cause"], answer["opens"]) == ("no_connection", True)


def test_text_that_fails_the_pattern_never_reaches_the_connector(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector, qrPattern="JWOIMAG[0-9A-Za-z]+", storeDefault="open")
    for text in ("https://menu.test", "xJWOIMAG1", "JWOIMAG1\n", "JWOIMAG1 "):
        answer = steady.scan(text)
        assert (answer["opens"], answer["cause"], answer["action"]) == (False, "qr_pattern", "not_called")
    assert not connector.seen
    assert steady.scan("JWOIMAG1")["opens"]


def test_pattern_sees_the_text_inside_an_identity_key(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector, qrPattern="JWOIMAG.+")
    good, foreign = base64.b64encode(b"JWOIMAG1").decode(), base64.b64encode(b"menu").decode()
    scans = f"/gates/{GATE}/scans"
    assert steady.http.post(scans, json={"identityKey": foreign}).json()["cause"] == "qr_pattern"
    assert steady.http.post(scans, json={"identityKey": good}).json()["cause"] == "200"
    assert connector.bodies("identity-keys")[0]["identityKey"] == good


def test_png_of_a_code_is_read_from_its_pixels(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector, qrPattern="JWOIMAG[0-9A-Za-z]+")
    text = "JWOIMAG18bc0554d045a48b29afa9e2aaac14ae"
    answer = steady.http.post(f"/gates/{GATE}/scans", content=png_of(text), headers={"content-type": "image/png"})
    assert answer.json()["opens"]
    assert base64.b64decode(connector.bodies("identity-keys")[0]["identityKey"]).decode() == text


def test_picture_without_a_code_is_unreadable(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector, storeDefault="open")
    blank = io.BytesIO()
    Image.new("L", (200, 200), 255).save(blank, "PNG")
    for picture in (blank.getvalue(), b"not a picture", b"", png_of("x")[:200]):
        answer = steady.http.post(f"/gates/{GATE}/scans", content=picture, headers={"content-type": "image/png"})
        result = answer.json()
        assert (result["light"], result["opens"], result["cause"]) == ("unreadable", False, "unreadable")
        assert result["problem"]
    assert not connector.seen


def test_transparent_code_is_read_as_on_white(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    code = Image.open(io.BytesIO(png_of("valid_shopper_key"))).convert("L")
    ink = Image.new("RGBA", code.size, (0, 0, 0, 0))
    ink.putalpha(code.point(lambda value: 255 - value))
    buffer = io.BytesIO()
    ink.save(buffer, "PNG")
    answer = steady.http.post(f"/gates/{GATE}/scans", content=buffer.getvalue(), headers={"content-type": "image/png"})
    assert answer.json()["opens"]
    assert "problem" not in answer.json()


def test_picture_of_another_type_is_refused(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    answer = steady.http.post(f"/gates/{GATE}/scans", content=b"<svg/>", headers={"content-type": "image/svg+xml"})
    assert (answer.status_code, "image/svg+xml; send image/png" in answer.json()["errorMsg"]) == (400, True)


def test_key_that_cannot_be_sent_is_not_sent(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector, storeDefault="open")
    answer = steady.scan("A" * 800)
    assert (answer["opens"], answer["cause"]) == (False, "unsendable_key")
    assert not connector.seen


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"text": "a", "identityKey": "b"}', b'{"text": ""}', b"\xff"])
def test_invalid_scan_is_refused(steady: Any, connector: Any, body: bytes) -> None:
    steady.set_up_store(connector)
    assert steady.http.post(f"/gates/{GATE}/scans", content=body).status_code == 400
    assert not connector.seen


def test_unknown_gate_is_refused(steady: Any) -> None:
    assert steady.http.post("/gates/nowhere/scans", json={"text": "a"}).status_code == 404


def test_journal_has_the_exchange_without_the_key(platform: Any, connector: Any) -> None:
    platform.set_up_store(connector)
    connector.identity = [(401, {"errorMsg": "no such key: valid_shopper_key"}), accepted()]
    platform.scan()
    opened = platform.scan()
    entries = platform.http.get("/journal", params={"gate": GATE}).json()
    assert [entry["kind"] for entry in entries] == ["exchange", "gate_decision"] * 2
    text = str(entries)
    assert "valid_shopper_key" not in text
    assert base64.b64encode(b"valid_shopper_key").decode() not in text
    assert "Signature=" not in text
    of_trip = platform.http.get("/journal", params={"trip": opened["shoppingTripId"]}).json()
    assert [entry["kind"] for entry in of_trip] == ["exchange", "gate_decision"]
    assert len(platform.http.get("/journal", params={"limit": 1}).json()) == 1


def test_house_default_for_stores_is_a_setting(start_platform: Any, connector: Any) -> None:
    platform = start_platform(gate={"store_default": "open", "qr_pattern": "X.*"})
    platform.set_up_store(connector)
    connector.identity = [(500, {})]
    assert platform.scan("Xa")["opens"]
    assert platform.scan("a")["cause"] == "qr_pattern"
    assert House().gate.store_default == "closed"
