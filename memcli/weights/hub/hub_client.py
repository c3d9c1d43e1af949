"""huggingface-hub: silenced, without telemetry, its errors translated to ours."""

import errno
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from logging import CRITICAL, getLogger
from types import ModuleType
from typing import TypeVar

import memcli
from memcli.errors import ModelNotFoundError
from memcli.retry import Retries, parse_retry_after

T = TypeVar("T")

HEADERS = {"user-agent": f"memcli/{memcli.__version__}"}  # it tells nothing about the machine
PAUSES = (1.0, 2.0, 4.0, 8.0)  # seconds between attempts without progress
AGAIN = "run this again: it continues where it stopped"

_TRANSIENT = {408, 429, 500, 502, 503, 504}  # HTTP statuses that another attempt may not get
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@cache
def import_library() -> ModuleType:
    """Import huggingface-hub and silence it.

    Xet, its other way of transferring files, is switched off: it keeps nothing of an interrupted
    file.

    Raises:
        ModelNotFoundError: HF_* or proxy variables keep it from starting, or the token is invalid.
    """
    for name in ("TELEMETRY", "XET", "PROGRESS_BARS"):
        os.environ[f"HF_HUB_DISABLE_{name}"] = "1"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import huggingface_hub

            huggingface_hub.get_session()
    except (ValueError, ImportError, OSError) as error:  # invalid HF_* variables or proxy settings
        raise ModelNotFoundError(
            f"huggingface-hub cannot start: {error}",
            hint="check the HF_ and proxy variables: `env | grep -i -e hf_ -e proxy`",
        ) from error
    getLogger("huggingface_hub").setLevel(CRITICAL + 1)
    token = huggingface_hub.get_token() or ""
    if not token.isascii() or not token.isprintable():  # the HTTP client would print it
        raise ModelNotFoundError(
            "the hub's token has characters that no token can have",
            hint="check HF_TOKEN, or run `hf auth login` again",
        )
    return huggingface_hub


def transport_error_type() -> type[Exception]:
    """Return the base class of the HTTP client's errors: httpx in hub 1.x, httpx2 in 2.x."""
    from huggingface_hub.errors import HfHubHTTPError

    base: type[Exception] = HfHubHTTPError.__mro__[1]
    return base


def with_retries(request: Callable[[], T]) -> T:
    """Return the result of a request, repeated a few times while the hub is busy or broken."""
    retries = Retries(PAUSES)
    while True:
        try:
            return request()
        except transport_error_type() as error:
            if http_status(error) not in _TRANSIENT or not retries.wait(requested_pause(error)):
                raise


def http_status(error: Exception) -> int | None:
    """Return the HTTP status of the hub's response, None if there was none."""
    response = getattr(error, "response", None)
    return None if response is None else int(response.status_code)


def is_transient(error: Exception) -> bool:
    """Return whether another attempt may succeed."""
    return http_status(error) is None or http_status(error) in _TRANSIENT


def requested_pause(error: Exception | None) -> float:
    """Return the seconds that the hub asks a client to wait, 0 if it asks for nothing."""
    response = getattr(error, "response", None)
    return 0.0 if response is None else parse_retry_after(response.headers.get("retry-after", ""))


def not_a_hub_error() -> ModelNotFoundError:
    """Return the error about an endpoint that is no model hub."""
    return ModelNotFoundError(
        f"{import_library().constants.ENDPOINT} does not answer like a model hub",
        hint="check HF_ENDPOINT, and whether a proxy or a login page is in between",
    )


@contextmanager
def translate_errors(repository: str, item: str) -> Iterator[None]:
    """Turn every failure between the hub and the disk into an error that a person can act on.

    Args:
        repository: "owner/name".
        item: the thing that is requested, in words.
    """
    hub = import_library()
    try:
        yield
    except hub.errors.OfflineModeIsEnabled as error:
        raise ModelNotFoundError(
            f"{item} is not on this machine, and HF_HUB_OFFLINE is set",
            hint="unset HF_HUB_OFFLINE, and run this again",
        ) from error
    except hub.errors.HFValidationError as error:
        raise ModelNotFoundError(f"`{repository}` is not a repository name") from error
    except transport_error_type() as error:
        raise _translate_refusal(error, repository, item) from error
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise ModelNotFoundError(
                f"the disk is full: only a part of {item} was saved", hint=f"make room, and {AGAIN}"
            ) from error
        place = error.filename or hub.constants.HF_HUB_CACHE
        raise ModelNotFoundError(
            f"{item} cannot be saved in {place}: {error.strerror or error}"
        ) from error


def _translate_refusal(error: Exception, repository: str, item: str) -> ModelNotFoundError:
    """Return the error that says why the hub refuses a request."""
    errors, endpoint = import_library().errors, import_library().constants.ENDPOINT
    status = http_status(error)
    if isinstance(error, errors.GatedRepoError):
        return ModelNotFoundError(
            f"{repository} is only for users whom its authors granted access",
            hint=f"ask for access at {endpoint}/{repository}, then `hf auth login`",
        )
    if isinstance(error, errors.RevisionNotFoundError | errors.EntryNotFoundError):
        return ModelNotFoundError(f"the hub has no {item}")
    if isinstance(error, errors.RepositoryNotFoundError) or status in (401, 403):
        return ModelNotFoundError(
            f"{endpoint} has no repository {repository}, or you have no access to it",
            hint="check its name; if it is private, `hf auth login`",
        )
    if status is not None:
        return ModelNotFoundError(f"{endpoint} answers {status} for {item}", hint=AGAIN)
    return ModelNotFoundError(f"{endpoint} cannot be reached: {error}", hint=AGAIN)
