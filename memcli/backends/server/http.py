"""HTTP requests: one JSON text is sent, and one JSON text or a stream of them received.

All text that goes to a server passes here: secrets in it are masked unless the server is on this
machine or trusted by the settings.

Every fault of a server becomes a `BackendError` with its address, in bounded time.
"""

import json
import random
import ssl
import weakref
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import cached_property
from http.cookiejar import CookieJar, DefaultCookiePolicy
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from memcli import __version__
from memcli.backends.server.endpoint import Endpoint
from memcli.backends.server.key_hiding import make_body_hider, make_key_hider
from memcli.backends.server.response import (
    InvalidReplyError,
    describe_error,
    is_json,
    parse_json,
    read_body,
    read_events,
)
from memcli.backends.server.timeouts import run_with_timeout
from memcli.callbacks import NoteCallback, ignore
from memcli.debug import log, time_block
from memcli.errors import BackendError
from memcli.retry import Retries, parse_retry_after
from memcli.text.redaction import redact_json

if TYPE_CHECKING:
    from httpx2 import Client, Response

T = TypeVar("T")
Body = Mapping[str, Any]  # a JSON object

_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)  # statuses that another attempt may not meet
MISSING = (404, 405, 501)  # statuses of an endpoint that does not exist
_KEY_HINT = "check `key_env` or `key_file` of this server in config.toml"


class RefusedError(BackendError):
    """An error that a server answered with; `status` is its HTTP status."""

    def __init__(self, message: str, status: int, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class UnusableReplyError(BackendError):
    """An answer of a server that does not follow the API."""


class _TransientError(RefusedError):
    """An error that may pass; `pause` is the time that the server asks us to wait, in seconds."""

    pause: float = 0.0


class EndpointClient:
    """An HTTP client of one endpoint."""

    def __init__(self, endpoint: Endpoint, note: NoteCallback = ignore) -> None:
        self.endpoint = endpoint
        self._note: NoteCallback | None = None if endpoint.is_local else note

    def close(self) -> None:
        """Close its connections."""
        if "_client" in self.__dict__:
            self._client.close()

    def post(self, path: str, body: Body, parse: Callable[[Any], T]) -> T:
        """Send one request and return its parsed reply.

        Args:
            path: continues the endpoint's address.
            body: the JSON to send.
            parse: parses the JSON of the reply, or raises an `InvalidReplyError`.

        Raises:
            RefusedError: the server answers with an error.
            BackendError: it cannot be reached, takes too long, or its reply is invalid.
        """
        [(_, reply)] = self.post_each(path, [body], parse)
        return reply

    def post_each(
        self, path: str, bodies: Sequence[Body], parse: Callable[[Any], T]
    ) -> Iterator[tuple[int, T]]:
        """Send several requests, a few at a time; yield (index of the body, parsed reply).

        Replies come in any order.

        Raises:
            BackendError: as in `post`; the other requests are abandoned.
        """
        waiting = deque(enumerate(bodies))

        def read(response: "Response") -> Iterator[T]:
            body = read_body(response, self.endpoint.limits.max_reply_bytes)
            reply = parse_json(make_body_hider(self.endpoint.key)(body))
            self._check_error(reply, path)
            yield parse(reply)

        def work() -> Generator[tuple[int, T]]:
            while waiting:
                try:
                    index, body = waiting.popleft()
                except IndexError:  # another thread took the last one
                    return
                for reply in self._request_with_retries(path, body, read):
                    yield index, reply

        threads = min(self.endpoint.limits.parallel_requests, len(bodies))
        yield from self._run([work() for _ in range(threads)])

    def stream(self, path: str, body: Body, parse: Callable[[Any], T]) -> Iterator[T]:
        """Send one request and yield the parsed pieces of its reply; a plain reply is one piece.

        Raises:
            RefusedError: the server answers with an error.
            BackendError: it cannot be reached, takes too long, or its reply is invalid.
        """
        limits = self.endpoint.limits

        def read(response: "Response") -> Iterator[T]:
            events = read_events(
                response,
                make_body_hider(self.endpoint.key),
                max_bytes=limits.max_reply_bytes,
                max_line_bytes=limits.max_line_bytes,
            )
            for event in events:
                if is_json(response):  # no stream
                    self._check_error(event, path)
                yield parse(event)

        return self._run([self._request_with_retries(path, body, read)])

    def _run(self, works: Sequence[Generator[T]]) -> Iterator[T]:
        """Run requests in threads, within the time limits."""
        limits, url = self.endpoint.limits, self.endpoint.url
        self._note_destination()
        try:
            yield from run_with_timeout(
                works, idle_timeout=limits.idle_timeout, total_timeout=limits.total_timeout
            )
        except TimeoutError as error:
            raise BackendError(f"{url} did not answer within {error.args[0]:g} s") from error
        except InvalidReplyError as error:  # its cause may hold our key
            raise UnusableReplyError(
                f"{url} {self._sanitize(str(error))}", hint=error.hint
            ) from None

    def _note_destination(self) -> None:
        """Tell the person, before the first byte leaves the machine, where text is sent."""
        note, self._note = self._note, None
        if note:
            security = "" if self.endpoint.url.startswith("https:") else ", unencrypted"
            masked = "" if self.endpoint.masks_secrets else ", secrets included"
            note(f"text goes to {self.endpoint.url} ({self.endpoint.model}){security}{masked}")

    def _request_with_retries(
        self, path: str, body: Body, read: Callable[["Response"], Iterator[T]]
    ) -> Generator[T]:
        """Send a request until it is answered or another attempt makes no sense."""
        limits = self.endpoint.limits
        pauses = [
            limits.first_pause * 2**number * random.uniform(0.5, 1)
            for number in range(limits.attempts - 1)
        ]
        retries = Retries(pauses, longest_pause=limits.longest_pause)
        for attempt in count(1):
            begun = False
            try:
                for item in self._request(path, body, read):
                    begun = True
                    yield item
                return
            except (_TransientError, _ConnectionError) as error:
                hopeless = error.status == 500 and attempt > 1  # few such errors pass
                if begun or hopeless or not retries.wait(error.pause):
                    raise

    def _request(
        self, path: str, body: Body, read: Callable[["Response"], Iterator[T]]
    ) -> Iterator[T]:
        import httpx2

        if self.endpoint.masks_secrets:
            body = {**redact_json(body), "model": self.endpoint.model}
        # Lone surrogates become question marks: no server can read them.
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        base = self.endpoint.url
        if path.startswith("/"):  # beside the version, not below it
            base, path = base.removesuffix("/v1"), path[1:]
        url = f"{base}/{path}"
        try:
            with (
                time_block("request", url=url, bytes=len(content)),
                self._client.stream("POST", url, content=content) as response,
            ):
                log("response", url=url, status=response.status_code)
                self._check_status(response, path)
                yield from read(response)
        except httpx2.TimeoutException as error:
            kind = type(error).__name__.removesuffix("Timeout").lower()
            raise BackendError(f"{self.endpoint.url} is too slow to {kind}") from error
        # Python raises a UnicodeError for an impossible name of a host.
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError, OSError) as error:
            reason = self._sanitize(str(error) or type(error).__name__)
            raise _ConnectionError(f"{self.endpoint.url} cannot be reached: {reason}") from None

    def _check_status(self, response: "Response", path: str) -> None:
        """Raise the error that a status stands for."""
        status, url = response.status_code, self.endpoint.url
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            elsewhere = self._sanitize(response.headers.get("location", "nowhere"))
            raise RefusedError(
                f"{url} redirects elsewhere ({elsewhere})",
                status,
                hint="if that is right, configure it as the address",
            )
        why = self._sanitize(describe_error(response, self.endpoint.limits.max_reply_bytes))
        message = f"{url}/{path} answers {status}{': ' if why else ''}{why}"
        if status == 500 and "validation error" in why:
            status = 422  # the meaning in llama-cpp-python's server
        if status in _TRANSIENT:
            error = _TransientError(message, status)
            error.pause = parse_retry_after(response.headers.get("retry-after", ""))
            raise error
        raise RefusedError(message, status, hint=_KEY_HINT if status in (401, 403) else None)

    def _check_error(self, reply: object, path: str) -> None:
        """Raise the error that a reply of status 200 has inside: LM Studio sends such replies."""
        if not isinstance(reply, dict) or not reply.get("error"):
            return
        if any(reply.get(name) for name in ("choices", "results", "data")):
            return
        error = reply["error"]
        message = error.get("message") if isinstance(error, dict) else error
        why = self._sanitize(str(message))
        status = 404 if "unexpected endpoint" in why.lower() else 400
        raise RefusedError(f"{self.endpoint.url}/{path} answers with an error: {why}", status)

    def _sanitize(self, text: str) -> str:
        """Return a server's text on one line, printable, and without our key."""
        text = make_key_hider(self.endpoint.key)(text)
        shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return shown if len(shown) <= 200 else f"{shown[:200]}…"

    def _tls_context(self) -> ssl.SSLContext:
        """Return the trusted certificates; reading them takes longer than most local requests."""
        import httpx2

        if self.endpoint.is_local and self.endpoint.url.startswith("http:"):
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # none: the connection is not encrypted
        return httpx2.create_ssl_context()

    @cached_property
    def _client(self) -> "Client":
        import httpx2

        limits, key = self.endpoint.limits, self.endpoint.key
        headers = {
            "accept-encoding": "identity",  # a small compressed reply could become a large one
            "content-type": "application/json",
            "user-agent": f"memcli/{__version__}",
        }
        if key:
            headers["authorization"] = f"{self.endpoint.scheme} {key}"
        try:
            client = httpx2.Client(
                headers=headers,
                timeout=httpx2.Timeout(limits.idle_timeout, connect=limits.connect_timeout),
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # keep no cookies
                verify=self._tls_context(),
                trust_env=not self.endpoint.is_local,  # local requests go through no proxy
                follow_redirects=False,
            )
        except (ImportError, ValueError, OSError) as error:
            raise BackendError(
                f"{self.endpoint.url} cannot be reached: {self._sanitize(str(error))}",
                hint="check the proxy and the certificates that the environment names",
            ) from error
        weakref.finalize(self, client.close)
        return client


class _ConnectionError(BackendError):
    """A connection that failed or broke."""

    status, pause = 0, 0.0
