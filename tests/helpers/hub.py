"""A model hub on loopback: as much of the protocol as fetching needs, and failures on demand.

    with serving({"ann/tiny": {"config.json": b"{}", "model.safetensors": bytes(1000)}}) as hub:
        hub.fail("model.safetensors", after=500)  # the first time, the connection breaks
        ... HF_ENDPOINT=hub.url ...
        hub.log  # what was asked for

Large files redirect to a second name of this machine, as the real hub's redirect to a CDN.
"""

import json
import re
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

LARGE = (".safetensors", ".gguf", ".bin")  # what the hub keeps apart from git

Files = Mapping[str, bytes]


@dataclass
class Fault:
    """What goes wrong with requests whose method and path contain a text."""

    where: str
    times: float  # how often; it may be infinite
    status: int | None
    code: str  # X-Error-Code, by which the hub tells its refusals apart
    headers: dict[str, str]
    after: int | None  # bytes sent before the connection breaks
    pause: float  # seconds between pieces of 1,000 bytes
    body: bytes | None  # sent instead
    ranges: bool


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    host: str


@dataclass
class Hub:
    """A hub at work."""

    url: str
    repositories: Mapping[str, Files]
    log: list[Request] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def fail(
        self,
        where: str,
        *,
        times: float = 1,
        status: int | None = None,
        code: str = "",
        headers: dict[str, str] | None = None,
        after: int | None = None,
        pause: float = 0,
        body: bytes | None = None,
        ranges: bool = True,
    ) -> None:
        """Let requests fail; see Fault. Without a path, its text is of a method: "HEAD"."""
        self.faults.append(
            Fault(where, times, status, code, headers or {}, after, pause, body, ranges)
        )

    def asked(self, where: str) -> list[Request]:
        """Return the requests whose method and path contain a text."""
        return [each for each in self.log if where in f"{each.method} {each.path}"]

    def commit(self, repository: str) -> str:
        """Return the one commit of a repository."""
        return commit_of(self.repositories[repository])


def commit_of(files: Files) -> str:
    """Return 40 digits that stand for names and contents."""
    return sha1(
        b"".join(name.encode() + sum_of(name, files[name]).encode() for name in files)
    ).hexdigest()


def sum_of(name: str, content: bytes) -> str:
    """Return what the hub knows a content by."""
    if name.endswith(LARGE):
        return sha256(content).hexdigest()
    return sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


@contextmanager
def serving(repositories: Mapping[str, Files | Path]) -> Iterator[Hub]:
    """Serve repositories, each a folder or a mapping of names to contents, until the block ends."""
    held = {
        name: _read(files) if isinstance(files, Path) else files
        for name, files in repositories.items()
    }
    server = _Server(("127.0.0.1", 0), _Answer)
    server.hub = Hub(f"http://127.0.0.1:{server.server_port}", held)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _read(folder: Path) -> Files:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    hub: Hub

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that go away are what the tests are about."""


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        """Keep the terminal clean; the hub has a log of its own."""

    def do_HEAD(self) -> None:  # http.server calls it
        self._answer()

    def do_GET(self) -> None:  # http.server calls it
        self._answer()

    def _answer(self) -> None:
        hub = self.server.hub
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, unquote(self.path), headers, headers.get("host", ""))
        hub.log.append(request)
        self.fault = self._fault(request)
        if self.fault and self.fault.status:
            self._send(self.fault.status, b"{}", {"X-Error-Code": self.fault.code})
            return
        path = urlsplit(request.path).path
        for pattern, answer in (
            (r"/api/models/(.+?)/(?:revision|tree)/([^/]+)", self._metadata),
            (r"/cdn/([0-9a-f]{64})", self._content),
            (r"/(.+?)/resolve/([^/]+)/(.+)", self._resolve),
        ):
            if found := re.fullmatch(pattern, path):
                answer(*found.groups())
                return
        self._send(404, b"no such page", {})

    def _fault(self, request: Request) -> Fault | None:
        for fault in self.server.hub.faults:
            if fault.where in f"{request.method} {request.path}" and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    def _files(self, repository: str, revision: str) -> Files | None:
        files = self.server.hub.repositories.get(repository)
        if files is None:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif revision not in ("main", commit_of(files)):
            self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        else:
            return files
        return None

    def _metadata(self, repository: str, revision: str) -> None:
        files = self._files(repository, revision)
        if files is None:
            return
        siblings = [_entry(*each, "rfilename", "blobId") for each in files.items()]
        answer: object = {"id": repository, "sha": commit_of(files), "siblings": siblings}
        if "/tree/" in self.path:
            answer = [_entry(*each, "path", "oid") for each in files.items()]
        self._ranged(json.dumps(answer).encode(), {})

    def _resolve(self, repository: str, revision: str, name: str) -> None:
        files = self._files(repository, revision)
        if files is None:
            return
        headers = {"X-Repo-Commit": commit_of(files)}
        if name not in files:
            self._send(404, b"", {**headers, "X-Error-Code": "EntryNotFound"})
            return
        known = sum_of(name, files[name])
        if not name.endswith(LARGE):
            self._ranged(files[name], {**headers, "ETag": f'"{known}"'})
            return
        port = self.server.server_port
        headers |= {
            "Location": f"http://localhost:{port}/cdn/{known}",
            "X-Linked-Etag": f'"{known}"',
            "X-Linked-Size": str(len(files[name])),
            "X-Xet-Hash": known,
            "X-Xet-Refresh-Route": f"/api/models/{repository}/xet-read-token/{revision}",
        }
        self._send(302, b"", headers)

    def _content(self, known: str) -> None:
        everything = (
            each for files in self.server.hub.repositories.values() for each in files.items()
        )
        content = next(held for name, held in everything if sum_of(name, held) == known)
        self._ranged(content, {"ETag": f'"{known}"'})

    def _ranged(self, content: bytes, headers: dict[str, str]) -> None:
        if self.fault and self.fault.body is not None:
            content = self.fault.body
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked is None or (self.fault and not self.fault.ranges):
            self._send(200, content, headers)
        elif (start := int(asked[1])) >= len(content):
            self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        else:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self._send(206, content[start:], headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, **(self.fault.headers if self.fault else {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self._write(body)

    def _write(self, body: bytes) -> None:
        fault = self.fault
        end = len(body) if fault is None or fault.after is None else fault.after
        size = 1000 if fault and fault.pause else len(body) or 1
        for place in range(0, min(end, len(body)), size):
            self.wfile.write(body[place : min(place + size, end)])
            time.sleep(fault.pause if fault else 0)
        if end < len(body):
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)


def _entry(name: str, content: bytes, name_key: str, id_key: str) -> dict[str, object]:
    """Return what the hub's API says of a file."""
    pointer = f"version https://git-lfs.github.com/spec/v1\n{name}".encode()
    large = name.endswith(LARGE)
    entry: dict[str, object] = {
        name_key: name,
        "type": "file",
        "size": len(content),
        id_key: sum_of("", pointer if large else content),
    }
    if large:
        known = sum_of(name, content)
        entry["lfs"] = {"oid": known, "sha256": known, "size": len(content), "pointerSize": 130}
    return entry
