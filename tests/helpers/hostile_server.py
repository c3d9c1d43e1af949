"""A server on loopback that does to a client whatever a test wants.

with serving(answer({"data": []}), reset) as server:
    ...  # the first request is answered, every one after it gets a reset connection
"""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import repeat
from socketserver import StreamRequestHandler, ThreadingTCPServer

LONGEST = 30  # seconds that any behaviour lasts: no thread outlives the tests


@dataclass
class Request:
    """What a client sent."""

    path: str
    headers: dict[str, str]
    body: object


@dataclass
class Served:
    """Where the server is, and what it has got so far."""

    port: int
    requests: list[Request] = field(default_factory=list)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v1"


@contextmanager
def serving(*behaviours):
    """Serve each request with the next behaviour, and all further ones with the last."""
    lock, ended = threading.Lock(), threading.Event()

    class Handler(StreamRequestHandler):
        def handle(self):
            with suppress(OSError):  # the client left: that is what many tests want
                request = read_request(self.rfile)
                if request is None:
                    return
                with lock:
                    number = min(len(served.requests), len(behaviours) - 1)
                    served.requests.append(request)
                for chunk in behaviours[number](request):
                    if chunk is RESET:
                        self.reset()
                        return
                    if isinstance(chunk, float):
                        if ended.wait(chunk):
                            return
                    else:
                        self.wfile.write(chunk)

        def reset(self):
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()

        def finish(self):
            with suppress(OSError, ValueError):
                super().finish()

    class Quiet(ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def shutdown_request(self, request):
            with suppress(OSError):
                super().shutdown_request(request)

    with Quiet(("127.0.0.1", 0), Handler) as server:
        served = Served(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield served
        finally:
            ended.set()
            server.shutdown()
            thread.join()


RESET = object()  # in place of a chunk of bytes; a number in its place is a pause in seconds


def read_request(stream):
    first = stream.readline().split()
    if len(first) < 2:
        return None
    headers = {}
    while line := stream.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Request(first[1].decode(), headers, json.loads(body) if body else None)


def head(status=200, kind="application/json", length=None, **headers):
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Type: {kind}", "Connection: close"]
    lines += [f"Content-Length: {length}"] if length is not None else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def answer(value, status=200, kind="application/json", **headers):
    """Answer as a good server does; `value` may be made from the request."""

    def behave(request) -> Iterator[bytes]:
        found = value(request) if callable(value) else value
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        yield head(status, kind, len(body), **headers) + body

    return behave


def stream(*events, done=True, pause=0.0):
    """Answer with server-sent events; bytes go as they are, an event made of them would be."""

    def behave(request):
        yield head(kind="text/event-stream")
        yield b": hello\r\n\r\n"
        for event in events[0](request) if callable(events[0]) else events:
            if pause:
                yield pause
            yield event if isinstance(event, bytes) else b"data: " + json.dumps(event).encode()
            yield b"\n\n"
        if done:
            yield b"data: [DONE]\n\n"

    return behave


def says(*pieces, finish="stop", **others):
    """Return the events of a chat that says these pieces: texts, or deltas."""
    deltas = [piece if isinstance(piece, dict) else {"content": piece} for piece in pieces]
    chosen = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    last = {"index": 0, "delta": {}, "finish_reason": finish}
    return [*chosen, {"choices": [last]}, {"choices": [], "usage": {"total_tokens": 9}}]


def chat(*pieces, **others):
    return stream(*says(*pieces, **others))


def reset(_request):
    yield RESET


def half_an_answer(_request):
    yield head(length=1000) + b'{"results": ['


def half_a_head(_request):
    yield b"HTTP/1.1 200 OK\r\nContent-Ty"


def no_http(_request):
    yield b"SSH-2.0-OpenSSH_9.6\r\n"


def silence(_request):
    yield float(LONGEST)


def silence_after_the_head(_request):
    yield head(length=1000)
    yield float(LONGEST)


def dripping_head(_request):
    yield b"HTTP/1.1 200 OK\r\nX-Long: "
    yield from drip(b"x")


def dripping_body(_request):
    yield head(length=100_000)
    yield from drip(b" ")


def dripping_stream(_request):
    yield head(kind="text/event-stream")
    yield from drip(b": still here\n\n")


def drip(chunk):
    for _ in repeat(None, LONGEST * 20):
        yield chunk
        yield 0.05


def ten_megabytes(_request):
    yield head()
    yield b'{"results": "'
    for _ in range(160):
        yield b"x" * 65_536
    yield b'"}'


def one_long_line(_request):
    yield head(kind="text/event-stream")
    yield b"data: "
    for _ in range(160):
        yield b"x" * 65_536


def endless_stream(_request):
    yield head(kind="text/event-stream")
    [event, *_] = says("word ")
    for _ in range(1_000_000):
        yield b"data: " + json.dumps(event).encode() + b"\n\n"


def page(status=200):
    """Answer as a web server does that knows nothing of this API."""
    return answer(b"<!doctype html><title>It works</title>", status, kind="text/html")
