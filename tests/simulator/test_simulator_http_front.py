"""The platform's front: its address behind a reverse proxy, and clients that ask for another protocol."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import orjson
import pytest

from jwo_contract.errors import BadSettings
from jwo_contract.settings import read
from jwo_contract.sigv4 import Key
from simulator.settings import PlatformSettings
from tests.contract.signing import Signer

KEY = Key("retailer-key", "retailer-secret", "retailer-session")
ITEM = {"item_sku": "SKU-1", "external_product_id": "123456789012", "item_name": "Thing", "store_id": "STORE-001"}


class Proxy(ThreadingHTTPServer):
    """A reverse proxy; it passes the caller's Host on, or names the inner address as nginx does by default."""

    daemon_threads = True
    inner = ""
    passes_host = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Forward(BaseHTTPRequestHandler):
    server: Proxy

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        if not self.server.passes_host:
            headers["Host"] = self.server.inner
        inner = http.client.HTTPConnection(self.server.inner, timeout=10)
        inner.request(self.command, self.path, body, headers)
        got = inner.getresponse()
        content = got.read()
        inner.close()
        self.send_response(got.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = answer  # noqa: N815 - the standard library's names

    def log_message(self, *_words: object) -> None:
        """Print nothing."""


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy(("127.0.0.1", 0), Forward) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("passes_host", [True, False])
def test_links_name_the_proxy_and_lead_through_it(
    start_platform: Callable[..., Any],
    proxy: Proxy,
    queue: Any,
    passes_host: bool,  # noqa: FBT001 - a kind of proxy
) -> None:
    inside = start_platform(base_url=proxy.url)
    proxy.inner, proxy.passes_host = inside.url.removeprefix("http://"), passes_host
    inside.set_up_store(None)
    assert inside.allow_list(queue.arn).status_code == 200
    (invitation,) = queue.receive()
    for name in ("SubscribeURL", "SigningCertURL"):
        assert invitation[name].startswith(f"{proxy.url}/sns/")
    assert httpx.get(invitation["SubscribeURL"], trust_env=False).status_code == 200

    outside = replace(inside, url=proxy.url)
    answer = outside.upload(ITEM)
    if passes_host:
        assert answer.status_code == 201
    else:  # the signature covers the caller's Host
        assert answer.status_code == 403
        assert "a proxy must pass the caller's Host on" in answer.json()["message"]
        answer, outside = inside.upload(ITEM), inside
    ingestion = answer.json()["ingestionId"]
    links = [outside.done(ingestion)["reportDownloadLink"]]
    links += [orjson.loads(envelope["Message"])["reportDownloadLink"] for envelope in inside.until(queue.receive)]
    for link in filter(None, links):
        assert link.startswith(f"{proxy.url}/jwo-catalog-reports/")
        report = httpx.get(link, trust_env=False)
        assert (report.status_code, report.json()["ingestionId"]) == (200, ingestion)
        for changed in (f"{link[:-1]}{'0' if link[-1] != '0' else '1'}", link.replace("Expires=3600", "Expires=3601")):
            assert httpx.get(changed, trust_env=False).status_code == 403


def test_link_for_a_proxy_with_tls_is_served_without_it(start_platform: Callable[..., Any], queue: Any) -> None:
    platform = start_platform(base_url="https://Platform.example:8443/")
    platform.set_up_store(None)
    platform.allow_list(queue.arn)
    link = platform.done(platform.upload(ITEM).json()["ingestionId"])["reportDownloadLink"]
    assert link.startswith("https://Platform.example:8443/jwo-catalog-reports/")
    assert platform.http.get(link.removeprefix("https://Platform.example:8443")).status_code == 200


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "has no http:// or https://"),
        ("platform.example", "has no http:// or https://"),
        ("platform.example:8443", "has no http:// or https://"),
        ("ftp://platform.example", "has no http:// or https://"),
        ("//platform.example", "has no http:// or https://"),
        ("http://", "has no host"),
        ("http:///x", "has no host"),
        ("http://:80", "has no host"),
        ("http://platform.example:", "no port"),
        ("http://platform.example:0", "no port"),
        ("http://platform.example:99999", "is not an address"),
        ("http://platform.example:port", "is not an address"),
        ("http://[::1", "is not an address"),
        ("https://user:pass@platform.example", "user name"),
        ("https://platform.example?x=1", "has a query"),
        ("https://platform.example/?", "has a query"),
        ("https://platform.example#top", "has a query or a fragment"),
        ("https://platform.example/jwo", "has a path"),
        ("https://platform.example /", "has a space"),
        ("https://platform.example\n", "has a space"),
    ],
)
def test_malformed_address_is_refused_with_its_cause(monkeypatch: pytest.MonkeyPatch, url: str, said: str) -> None:
    monkeypatch.setenv("JWO_PLATFORM_BASE_URL", url)
    with pytest.raises(BadSettings) as refused:
        read(PlatformSettings, {"base_url": "http://127.0.0.1:1"}, aws_endpoint_url="http://127.0.0.1:2")
    assert str(refused.value).startswith("JWO_PLATFORM_BASE_URL: ")
    assert said in str(refused.value)
    assert "write it like https://platform.example:8443" in str(refused.value)
    assert "pass@" not in str(refused.value)


@pytest.mark.parametrize("covers", ["upgrade", "user-agent"])
def test_signed_upload_that_asks_for_h2c_is_accepted_once(platform: Any, queue: Any, covers: str) -> None:
    platform.set_up_store(None)
    platform.allow_list(queue.arn)
    host, now, body = platform.url.removeprefix("http://"), platform.clock.now(), orjson.dumps({"catalogItems": [ITEM]})
    stamp, scope = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}/us-east-1/execute-api/aws4_request"
    own = {"host": host, "x-amz-date": stamp, "x-amz-security-token": str(KEY.session_token)}
    values = {"upgrade": "h2c", "user-agent": "Java-http-client/21"}
    signed = sorted((own | {covers: values[covers]}).items())
    signer = Signer(KEY.access_key_id, KEY.secret_access_key, scope, stamp)
    authorization = signer.authorization("POST", "/v1/catalog/upload", "", signed, body)

    def sent(changed: dict[str, str]) -> bytes:
        lines = [f"{name}: {value}" for name, value in (own | values | changed).items()]
        head = [
            "POST /v1/catalog/upload HTTP/1.1",
            "Connection: Upgrade, HTTP2-Settings",
            "HTTP2-Settings: AAMA",
            *lines,
        ]
        head += [f"Authorization: {authorization}", f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(head).encode() + body

    with socket.create_connection(host.split(":"), timeout=10) as connection:
        connection.sendall(sent({}) + sent({covers: f"{values[covers]}, x"}))
        connection.sendall(b"GET /clock HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    assert [answer[:3] for answer in received.split(b"HTTP/1.1 ")[1:]] == [b"201", b"403", b"200"]
