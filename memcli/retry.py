"""Retrying a request: the pauses between attempts, which every HTTP client of memcli shares."""

import time
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime

from memcli.debug import log


class Retries:
    """The attempts that one request has left.

    A loop calls `wait` after each failure that another attempt may not meet, and gives up when it
    returns False. Without progress there are `len(pauses) + 1` attempts in all.

    Args:
        pauses: seconds before the second attempt, the third and so on.
        longest_pause: seconds; a server that asks for more is asked again after so many.
    """

    def __init__(self, pauses: Sequence[float], *, longest_pause: float = 60.0) -> None:
        self._pauses = pauses
        self._longest_pause = longest_pause
        self.reset()

    def reset(self) -> None:
        """Grant all attempts anew, because the last one brought something."""
        self._remaining: Iterator[float] = iter(self._pauses)

    def wait(self, requested_pause: float = 0.0) -> bool:
        """Sleep before the next attempt; return False at once if there is none left.

        Args:
            requested_pause: seconds that the server asks for, at least; see `parse_retry_after`.
        """
        pause = next(self._remaining, None)
        if pause is None:
            return False
        pause = min(max(pause, requested_pause), self._longest_pause)
        log("retry", pause=f"{pause:.2f}")
        time.sleep(pause)
        return True


def parse_retry_after(header: str) -> float:
    """Return the seconds, 0 or more, that an HTTP `Retry-After` header asks for; 0 if invalid.

    Source: RFC 9110, 10.2.3: a number of seconds or a date.
    """
    try:
        return max(float(header), 0.0)
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(header).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return 0.0
