"""A ranking that comes out whole: which tokens may follow while ids are written."""

from collections.abc import Sequence


class Permutation:
    """Ids on their way to the paper, token by token, each at most once, with commas between.

    An id may be the beginning of another: after 1, the token 2 makes it 12, and a comma (or, at
    the end of the list, `end`) says that it was 1.
    """

    def __init__(self, ids: Sequence[Sequence[int]], *, ranked: int, comma: int, end: int) -> None:
        """Begin an empty list.

        Args:
            ids: the tokens of each id, in the order of the ids, none empty, no two the same.
            ranked: how many ids make the list complete.
            comma: the token between two ids.
            end: the token after the last one.
        """
        self.order: list[int] = []
        self._ids = dict(enumerate(map(tuple, ids)))
        self._ranked = min(ranked, len(ids))
        self._comma, self._end = comma, end
        self._written: tuple[int, ...] = ()  # of the id at work

    @property
    def complete(self) -> bool:
        """Whether enough ids have come."""
        return len(self.order) == self._ranked

    def allowed(self) -> list[int]:
        """Return the tokens that may come next, at least one while the list is incomplete."""
        place = len(self._written)
        tokens = {
            id[place]
            for id in self._ids.values()
            if len(id) > place and id[:place] == self._written
        }
        if self._written in self._ids.values():
            tokens.add(self._after())
        return sorted(tokens)

    def take(self, token: int) -> None:
        """Write an allowed token."""
        if token == self._after() and self._written in self._ids.values():
            self._finish()
            return
        self._written += (token,)
        if len(self.order) == self._ranked - 1 and self._written in self._ids.values():
            others = (id for id in self._ids.values() if id != self._written)
            if not any(id[: len(self._written)] == self._written for id in others):
                self._finish()  # the last id, and nothing could make it longer

    def _after(self) -> int:
        return self._end if len(self.order) == self._ranked - 1 else self._comma

    def _finish(self) -> None:
        [number] = [number for number, id in self._ids.items() if id == self._written]
        self.order.append(number)
        del self._ids[number]
        self._written = ()
