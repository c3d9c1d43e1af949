"""HTTP, all of it that we use: one JSON sent, one JSON or a stream of them received.

Everything a server does wrong ends as a `BackendError` that has its address in it, in bounded time.
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
from memcli.backends.server.endpoint import Endpoint, Note, unsaid
from memcli.backends.server.response import NonsenseError, events, parsed, reason, whole
from memcli.backends.server.timeouts import awaited
from memcli.errors import BackendError
from memcli.retry import Retries, parse_retry_after

if TYPE_CHECKING:
    from httpx2 import Client, Response

T = TypeVar("T")
Body = Mapping[str, Any]  # of JSON

_BUSY = (408, 425, 429, 500, 502, 503, 504)  # trying again may help
_KEY_HINT = "check `key_env` or `key_file` of this server in config.toml"


class RefusedError(BackendError):
    """A server answered with an error; `status` says which."""

    def __init__(self, message: str, status: int, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class _BusyError(RefusedError):
    """An error that may pass; `pause` is how long the server wants us to wait, in seconds."""

    pause: float = 0.0


class Server:
    """One endpoint, spoken to."""

    def __init__(self, endpoint: Endpoint, note: Note = unsaid) -> None:
        self.endpoint = endpoint
        self._note: Note | None = None if endpoint.local else note

    def close(self) -> None:
        """Close its connections."""
        if "_client" in self.__dict__:
            self._client.close()

    def post(self, path: str, body: Body, understand: Callable[[Any], T]) -> T:
        """Return what is understood of an answer.

        Args:
            path: behind the endpoint's address.
            body: to send, as JSON has it.
            understand: makes something of JSON, or raises a `NonsenseError`.

        Raises:
            RefusedError: the server answers with an error.
            BackendError: it cannot be reached, takes too long, or answers nonsense.
        """
        [(_, answer)] = self.post_each(path, [body], understand)
        return answer

    def post_each(
        self, path: str, bodies: Sequence[Body], understand: Callable[[Any], T]
    ) -> Iterator[tuple[int, T]]:
        """Yield (index of the body, what is understood) as answers come, to a few at a time.

        Raises:
            BackendError: as `post`; what is still under way is given up.
        """
        waiting = deque(enumerate(bodies))

        def read(response: "Response") -> Iterator[T]:
            yield understand(parsed(whole(response, self.endpoint.limits.reply)))

        def work() -> Generator[tuple[int, T]]:
            while waiting:
                try:
                    index, body = waiting.popleft()
                except IndexError:  # another thread was faster
                    return
                for answer in self._attempts(path, body, read):
                    yield index, answer

        together = min(self.endpoint.limits.together, len(bodies))
        yield from self._awaited([work() for _ in range(together)])

    def stream(self, path: str, body: Body, understand: Callable[[Any], T]) -> Iterator[T]:
        """Yield what is understood of an answer piece by piece; one in one piece is one piece.

        Raises:
            RefusedError: the server answers with an error.
            BackendError: it cannot be reached, takes too long, or answers nonsense.
        """
        limits = self.endpoint.limits

        def read(response: "Response") -> Iterator[T]:
            return map(understand, events(response, most=limits.reply, line=limits.line))

        return self._awaited([self._attempts(path, body, read)])

    def _awaited(self, works: Sequence[Generator[T]]) -> Iterator[T]:
        limits, url = self.endpoint.limits, self.endpoint.url
        self._say_where_text_goes()
        try:
            yield from awaited(works, silence=limits.silence, whole=limits.whole)
        except TimeoutError as error:
            raise BackendError(f"{url} did not answer within {error.args[0]:g} s") from error
        except NonsenseError as error:  # not its cause: that would show what is hidden here
            raise BackendError(f"{url} {self._hidden(str(error))}", hint=error.hint) from None

    def _say_where_text_goes(self) -> None:
        """Say it before the first byte leaves the machine."""
        note, self._note = self._note, None
        if note:
            plainly = "" if self.endpoint.url.startswith("https:") else ", unencrypted"
            note(f"text goes to {self.endpoint.url} ({self.endpoint.model}){plainly}")

    def _attempts(
        self, path: str, body: Body, read: Callable[["Response"], Iterator[T]]
    ) -> Generator[T]:
        """Send a request until it is answered or another attempt makes no sense."""
        limits = self.endpoint.limits
        pauses = [
            limits.pause * 2**number * random.uniform(0.5, 1)
            for number in range(limits.attempts - 1)
        ]
        retries = Retries(pauses, longest_pause=limits.longest_pause)
        for attempt in count(1):
            begun = False
            try:
                for item in self._exchange(path, body, read):
                    begun = True
                    yield item
                return
            except (_BusyError, _BrokenError) as error:
                hopeless = error.status == 500 and attempt > 1  # few such errors pass
                if begun or hopeless or not retries.wait(error.pause):
                    raise

    def _exchange(
        self, path: str, body: Body, read: Callable[["Response"], Iterator[T]]
    ) -> Iterator[T]:
        import httpx2

        # Lone surrogates become question marks: no server can read them.
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        url = f"{self.endpoint.url}/{path}"
        try:
            with self._client.stream("POST", url, content=content) as response:
                self._check(response, path)
                yield from read(response)
        except httpx2.TimeoutException as error:
            kind = type(error).__name__.removesuffix("Timeout").lower()
            raise BackendError(f"{self.endpoint.url} is too slow to {kind}") from error
        # UnicodeError is what Python says about the name of an impossible host.
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError, OSError) as error:
            told = self._hidden(str(error) or type(error).__name__)
            raise _BrokenError(f"{self.endpoint.url} cannot be reached: {told}") from None

    def _check(self, response: "Response", path: str) -> None:
        """Raise what stands for an error."""
        status, url = response.status_code, self.endpoint.url
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            elsewhere = self._hidden(response.headers.get("location", "nowhere"))
            raise RefusedError(
                f"{url} wants text sent elsewhere ({elsewhere})",
                status,
                hint="if that is right, make it the address",
            )
        why = self._hidden(reason(response, self.endpoint.limits.reply))
        message = f"{url}/{path} answers {status}{': ' if why else ''}{why}"
        if status == 500 and "validation error" in why:
            status = 422  # llama-cpp-python's server means that
        if status in _BUSY:
            busy = _BusyError(message, status)
            busy.pause = parse_retry_after(response.headers.get("retry-after", ""))
            raise busy
        raise RefusedError(message, status, hint=_KEY_HINT if status in (401, 403) else None)

    def _hidden(self, text: str) -> str:
        """Return a server's words on one line, printable, and without our key."""
        if self.endpoint.key:
            text = text.replace(self.endpoint.key, "[key]")
        shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return shown if len(shown) <= 200 else f"{shown[:200]}…"

    def _certificates(self) -> ssl.SSLContext:
        """Return who is trusted. Reading the list takes longer than most local requests."""
        import httpx2

        if self.endpoint.local and self.endpoint.url.startswith("http:"):
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # nobody: nothing is encrypted
        return httpx2.create_ssl_context()

    @cached_property
    def _client(self) -> "Client":
        import httpx2

        limits, key = self.endpoint.limits, self.endpoint.key
        headers = {
            "accept-encoding": "identity",  # or a small reply could become a large one
            "content-type": "application/json",
            "user-agent": f"memcli/{__version__}",
        }
        if key:
            headers["authorization"] = f"{self.endpoint.scheme} {key}"
        try:
            client = httpx2.Client(
                headers=headers,
                timeout=httpx2.Timeout(limits.silence, connect=limits.connect),
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # keep none
                verify=self._certificates(),
                trust_env=not self.endpoint.local,  # what stays on the machine meets no proxy
                follow_redirects=False,
            )
        except (ImportError, ValueError, OSError) as error:
            raise BackendError(
                f"{self.endpoint.url} cannot be reached: {self._hidden(str(error))}",
                hint="check the proxy and the certificates that the environment names",
            ) from error
        weakref.finalize(self, client.close)
        return client


class _BrokenError(BackendError):
    """The connection failed or broke."""

    status, pause = 0, 0.0
