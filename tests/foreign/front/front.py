"""A front before a connector, like a load balancer: TLS, an even rate limit, slow carts, early hints, compression.

Usage: `front.py URL PORT FEATURE...`; it prints its address. Features: `tls=FILE` (certificate and key), `rate=N` (one
call each 1/N s and no burst, else 429), `carts=S` (seconds that each cart takes), `hints` (103 and 102 before each
answer), `gzip`, `members` (gzip of several members), `deflate`, `raw` (deflate without its head).
"""

from __future__ import annotations

import asyncio
import gzip
import http.client
import ssl
import sys
import time
import zlib
from urllib.parse import urlsplit

Answer = tuple[int, dict[str, str], bytes]


class Front:
    def __init__(self, upstream: str, features: dict[str, str]) -> None:
        self.upstream = urlsplit(upstream)
        self.features = features
        self.last = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self.answer_one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            writer.close()

    async def answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = dict(line.split(": ", 1) for line in lines if line)
        lower = {name.lower(): value for name, value in headers.items()}
        body = await reader.readexactly(int(lower.get("content-length", "0")))
        if "hints" in self.features:
            writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n")
        status, kept, content = await self.answer(method, target, headers, body)
        content, coding = self.packed(content)
        kept |= {"Content-Encoding": coding} if coding else {}
        kept["Content-Length"] = str(len(content))
        fields = "".join(f"{name}: {value}\r\n" for name, value in kept.items())
        writer.write(f"HTTP/1.1 {status} Fine\r\n{fields}\r\n".encode() + (b"" if method == "HEAD" else content))
        await writer.drain()
        return lower.get("connection", "") != "close"

    async def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        if "rate" in self.features:
            now = time.monotonic()
            if now - self.last < 1 / float(self.features["rate"]) - 0.001:
                return 429, {}, b""
            self.last = now
        if "carts" in self.features and target.endswith("purchases"):
            await asyncio.sleep(float(self.features["carts"]))
        return await asyncio.to_thread(self.passed_on, method, target, headers, body)

    def passed_on(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        connection = http.client.HTTPConnection(self.upstream.hostname or "", self.upstream.port, timeout=30)
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        kept = {"Content-Type": answer.headers["Content-Type"]} if "Content-Type" in answer.headers else {}
        return answer.status, kept, content

    def packed(self, content: bytes) -> tuple[bytes, str]:
        half = len(content) // 2
        if not content:
            return b"", ""
        if "members" in self.features:
            return gzip.compress(content[:half]) + gzip.compress(content[half:]), "gzip"
        if "gzip" in self.features:
            return gzip.compress(content), "gzip"
        if "deflate" in self.features:
            return zlib.compress(content), "deflate"
        if "raw" in self.features:
            raw = zlib.compressobj(wbits=-15)
            return raw.compress(content) + raw.flush(), "deflate"
        return content, ""


async def main(upstream: str, port: str, *features: str) -> None:
    front = Front(upstream, {name: value for name, _, value in (feature.partition("=") for feature in features)})
    context = None
    if "tls" in front.features:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(front.features["tls"])
    server = await asyncio.start_server(front.serve, "127.0.0.1", int(port), ssl=context, limit=4_000_000, backlog=512)
    taken = server.sockets[0].getsockname()[1]
    host = f"https://localhost:{taken}" if context else f"http://127.0.0.1:{taken}"
    print(host + urlsplit(upstream).path, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
