"""huggingface-hub as we use it: quiet, without telemetry, its errors in our words."""

import errno
import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from logging import CRITICAL, getLogger
from types import ModuleType
from typing import TypeVar

import memcli
from memcli.errors import ModelNotFoundError

T = TypeVar("T")

HEADERS = {"user-agent": f"memcli/{memcli.__version__}"}  # and nothing about the machine
PAUSES = (1.0, 2.0, 4.0, 8.0)  # seconds, between attempts that bring nothing
AGAIN = "run this again: it goes on where it stopped"

_LONGEST_PAUSE = 60.0  # seconds, whatever a hub asks for
_PASSING = {408, 429, 500, 502, 503, 504}  # statuses that another attempt may not meet
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@cache
def library() -> ModuleType:
    """Import huggingface-hub and silence it.

    Xet, its other way of moving bytes, is switched off: it keeps nothing of an interrupted file.

    Raises:
        ModelNotFoundError: the environment makes that impossible.
    """
    for name in ("TELEMETRY", "XET", "PROGRESS_BARS"):
        os.environ[f"HF_HUB_DISABLE_{name}"] = "1"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import huggingface_hub

            huggingface_hub.get_session()
    except (ValueError, ImportError, OSError) as error:  # HF_* of no sense, or a proxy's settings
        raise ModelNotFoundError(
            f"huggingface-hub cannot start: {error}",
            hint="look at the HF_ and proxy variables: `env | grep -i -e hf_ -e proxy`",
        ) from error
    getLogger("huggingface_hub").setLevel(CRITICAL + 1)
    token = huggingface_hub.get_token() or ""
    if not token.isascii() or not token.isprintable():  # the HTTP client would print it
        raise ModelNotFoundError(
            "the token for the hub has characters that no token has",
            hint="look at HF_TOKEN, or `hf auth login` again",
        )
    return huggingface_hub


def transport_error() -> type[Exception]:
    """Return the base of all that the HTTP client raises: it is httpx in 1.x and httpx2 in 2.x."""
    from huggingface_hub.errors import HfHubHTTPError

    base: type[Exception] = HfHubHTTPError.__mro__[1]
    return base


def patiently(ask: Callable[[], T]) -> T:
    """Ask again, a few times, while the hub says that it is busy or broken."""
    for pause in PAUSES:
        try:
            return ask()
        except transport_error() as error:
            if status(error) not in _PASSING:
                raise
            time.sleep(pause_after(error, pause))
    return ask()


def status(error: Exception) -> int | None:
    """Return the HTTP status a hub answered with; None where it did not answer."""
    response = getattr(error, "response", None)
    return None if response is None else int(response.status_code)


def passing(error: Exception) -> bool:
    """Return whether another attempt may succeed."""
    return status(error) is None or status(error) in _PASSING


def pause_after(failure: Exception | None, pause: float) -> float:
    """Return how long to wait: so many seconds, or longer, within reason, if the hub says so."""
    response = getattr(failure, "response", None)
    asked = "" if response is None else response.headers.get("retry-after", "")
    return max(pause, min(float(asked), _LONGEST_PAUSE)) if asked.isdecimal() else pause


def not_a_hub() -> ModelNotFoundError:
    """Say that something else than a hub answers."""
    return ModelNotFoundError(
        f"{library().constants.ENDPOINT} does not answer as a model hub does",
        hint="look at HF_ENDPOINT, or for a proxy or a login page in between",
    )


@contextmanager
def explained(repository: str, what: str) -> Iterator[None]:
    """Turn what fails on the way from the hub to the disk into one error a person can act on.

    Args:
        repository: "owner/name".
        what: is wanted of it, in words.
    """
    hub = library()
    try:
        yield
    except hub.errors.OfflineModeIsEnabled as error:
        raise ModelNotFoundError(
            f"{what} is not on this machine, and HF_HUB_OFFLINE is set",
            hint="unset HF_HUB_OFFLINE, and run this again",
        ) from error
    except hub.errors.HFValidationError as error:
        raise ModelNotFoundError(f"`{repository}` is not the name of a repository") from error
    except transport_error() as error:
        raise _refusal(error, repository, what) from error
    except OSError as error:
        if error.errno in _FULL:
            raise ModelNotFoundError(
                f"the disk is full: {what} is there in part", hint=f"make room, and {AGAIN}"
            ) from error
        place = error.filename or hub.constants.HF_HUB_CACHE
        raise ModelNotFoundError(
            f"{what} cannot be kept in {place}: {error.strerror or error}"
        ) from error


def _refusal(error: Exception, repository: str, what: str) -> ModelNotFoundError:
    """Say why the hub gives nothing."""
    errors, endpoint = library().errors, library().constants.ENDPOINT
    number = status(error)
    if isinstance(error, errors.GatedRepoError):
        return ModelNotFoundError(
            f"{repository} is given only to those who were granted it",
            hint=f"ask for it at {endpoint}/{repository}, then `hf auth login`",
        )
    if isinstance(error, errors.RevisionNotFoundError | errors.EntryNotFoundError):
        return ModelNotFoundError(f"the hub has no {what}")
    if isinstance(error, errors.RepositoryNotFoundError) or number in (401, 403):
        return ModelNotFoundError(
            f"{endpoint} shows nobody, or not to you, {repository}",
            hint="look at its name; if it is private, `hf auth login`",
        )
    if number is not None:
        return ModelNotFoundError(f"{endpoint} answers {number} for {what}", hint=AGAIN)
    return ModelNotFoundError(f"{endpoint} cannot be reached: {error}", hint=AGAIN)
