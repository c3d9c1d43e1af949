"""The constraint under which a ranking is generated: each id at most once, and enough of them."""

from collections.abc import Sequence

RANKING_OPEN, RANKING_CLOSE = "<ranking>", "</ranking>"


class RankingConstraint:
    """A list of ids that is generated token by token, each id at most once, with commas between.

    An id may be the beginning of another: after 1, the token 2 makes it 12, and a comma (or, at
    the end of the list, `end`) closes it as 1.
    """

    def __init__(self, ids: Sequence[Sequence[int]], *, count: int, comma: int, end: int) -> None:
        """Begin an empty list.

        Args:
            ids: the tokens of each id, in the order of the ids, none empty, no two the same.
            count: the number of ids that make the list complete.
            comma: the token between two ids.
            end: the token after the last one.
        """
        self.order: list[int] = []
        self._ids = dict(enumerate(map(tuple, ids)))
        self._count = min(count, len(ids))
        self._comma, self._end = comma, end
        self._current: tuple[int, ...] = ()  # the tokens of an id that is not finished

    @property
    def is_complete(self) -> bool:
        """True once the list has enough ids."""
        return len(self.order) == self._count

    def allowed_tokens(self) -> list[int]:
        """Return the tokens that may come next, at least one while the list is incomplete."""
        place = len(self._current)
        tokens = {
            id[place]
            for id in self._ids.values()
            if len(id) > place and id[:place] == self._current
        }
        if self._current in self._ids.values():
            tokens.add(self._separator())
        return sorted(tokens)

    def accept(self, token: int) -> None:
        """Add an allowed token."""
        if token == self._separator() and self._current in self._ids.values():
            self._finish_id()
            return
        self._current += (token,)
        if len(self.order) == self._count - 1 and self._current in self._ids.values():
            others = (id for id in self._ids.values() if id != self._current)
            if not any(id[: len(self._current)] == self._current for id in others):
                self._finish_id()  # this is the last id, and no token could make it longer

    def _separator(self) -> int:
        return self._end if len(self.order) == self._count - 1 else self._comma

    def _finish_id(self) -> None:
        [number] = [number for number, id in self._ids.items() if id == self._current]
        self.order.append(number)
        del self._ids[number]
        self._current = ()
