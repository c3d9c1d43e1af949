"""HTML read as a stream of small trees, one for each element that holds a message."""

import re
from collections.abc import Callable, Iterator, Mapping

from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_events import EndTag, StartTag, parse_html
from memcli.formats.parsing.html_text import HtmlTextBuilder
from memcli.lazy_dataclasses import dataclass, field

VOID_TAGS = frozenset({"br", "img", "meta", "link", "input", "hr", "wbr", "source", "use"})

_MOST_NODES = 20_000  # of one tree; its further content is left out
_MOST_CHARACTERS = 1 << 20  # of one tree
_DEEPEST = 100  # open elements in a tree
_EMOJI = re.compile(r"emoji", re.IGNORECASE)


@dataclass(slots=True)
class Element:
    """An element and its content."""

    tag: str
    attributes: Mapping[str, str]
    classes: frozenset[str]
    children: list["Element | str"] = field(default_factory=list)
    is_cut: bool = False  # True if some of its content was left out

    def walk(self, *excluded: str) -> Iterator["Element"]:
        """Yield the elements inside, without those that have an excluded class."""
        for child in self.children:
            if isinstance(child, Element) and not child.classes & set(excluded):
                yield child
                yield from child.walk(*excluded)

    def find_all(self, *classes: str) -> list["Element"]:
        """Return the elements inside that have one of these classes."""
        return [each for each in self.walk() if each.classes & set(classes)]

    def find(self, *classes: str) -> "Element | None":
        """Return the first element inside that has one of these classes."""
        return next((each for each in self.walk() if each.classes & set(classes)), None)

    def text(self, *excluded: str, preserved: frozenset[str] = frozenset()) -> str:
        """Return the text inside, a line for each block, without elements of excluded classes.

        A picture of an emoji stands for the emoji.

        Args:
            excluded: classes of elements to leave out.
            preserved: classes of elements in which the page shows line breaks as they are.
        """
        builder = HtmlTextBuilder()
        self._add_to(builder, frozenset(excluded), preserved, is_preserved=False)
        return "\n".join(builder.lines())

    def file_names(self, *excluded: str) -> list[str]:
        """Return the names of the pictures, sounds, films and files inside, each once."""
        names: dict[str, None] = {}
        for element in self.walk(*excluded):
            source = element.attributes.get("src", "")
            if element.tag == "a":
                source = element.attributes.get("href", "")
            if source and not (element.tag == "img" and _is_emoji(element)):
                path = source.partition("?")[0].replace("\\", "/")
                names["" if source.startswith("data:") else path.rstrip("/").rpartition("/")[2]] = (
                    None
                )
        return list(names)

    def _add_to(
        self,
        builder: HtmlTextBuilder,
        excluded: frozenset[str],
        preserved: frozenset[str],
        *,
        is_preserved: bool,
    ) -> None:
        is_preserved = is_preserved or bool(self.classes & preserved)
        builder.add(StartTag(self.tag, self.attributes))
        if self.tag == "img" and _is_emoji(self):
            builder.add(self.attributes.get("alt", ""))
        for child in self.children:
            if isinstance(child, str):
                first, *others = child.split("\n") if is_preserved else [child]
                builder.add(first)
                for line in others:
                    builder.add(StartTag("br"))
                    builder.add(line)
            elif not child.classes & excluded:
                child._add_to(builder, excluded, preserved, is_preserved=is_preserved)
        builder.add(EndTag(self.tag))


def _last_part(link: str) -> str:
    """Return the name of the file that a link leads to, "" for a file inside the page."""
    path = link.partition("?")[0].replace("\\", "/").rstrip("/")
    return "" if link.startswith("data:") else path.rpartition("/")[2]


def _is_emoji(element: Element) -> bool:
    return _EMOJI.search(element.attributes.get("class", "")) is not None


def read_html_elements(
    document: Document,
    is_root: Callable[[StartTag], bool],
    *,
    is_outside_root: Callable[[StartTag], bool] = lambda _: False,
    nested_in: str = "",
) -> Iterator[Element]:
    """Yield each element that is a root, with all its content.

    Memory is bounded for any content: of a larger element some content is left out.

    Args:
        document: HTML.
        is_root: whether an opening tag begins a tree.
        is_outside_root: whether an opening tag begins a tree if it lies in no other.
        nested_in: class of the elements in which a root may lie inside another one. Elsewhere a
            root ends the one before it, whose end is missing.

    Raises:
        InputError: a tag has no end.
    """
    reader = _TreeReader(is_root, is_outside_root, nested_in)
    for token in parse_html(document):
        yield from reader.add(token)
    yield from reader.finish()


class _TreeReader:
    def __init__(
        self,
        is_root: Callable[[StartTag], bool],
        is_outside_root: Callable[[StartTag], bool],
        nested_in: str,
    ) -> None:
        self._is_root, self._is_outside_root = is_root, is_outside_root
        self._nested_in = nested_in
        self._open: list[Element] = []  # from the root inwards; empty outside of a tree
        self._nodes = self._characters = 0

    def add(self, token: StartTag | EndTag | str) -> Iterator[Element]:
        """Add a token; yield the tree that it ends."""
        if isinstance(token, StartTag):
            if (self._is_root(token) and not self._may_nest()) or (
                not self._open and self._is_outside_root(token)
            ):
                yield from self.finish()
                self._nodes = self._characters = 0
                self._push(token)
                if token.tag in VOID_TAGS:
                    yield from self.finish()
            elif self._open:
                self._push(token)
        elif not self._open:
            return
        elif isinstance(token, str):
            self._characters += len(token)
            if self._characters <= _MOST_CHARACTERS:
                self._open[-1].children.append(token)
            else:
                self._open[0].is_cut = True
        else:
            yield from self._close(token.tag)

    def finish(self) -> Iterator[Element]:
        """Yield the tree that is open."""
        if self._open:
            yield self._open[0]
        self._open = []

    def _may_nest(self) -> bool:
        return any(self._nested_in in element.classes for element in self._open)

    def _push(self, token: StartTag) -> None:
        element = Element(token.tag, token.attributes, token.classes)
        self._nodes += 1
        if self._open:
            if self._nodes > _MOST_NODES or len(self._open) >= _DEEPEST:
                self._open[0].is_cut = True
                return
            self._open[-1].children.append(element)
            if token.tag in VOID_TAGS:
                return
        self._open.append(element)

    def _close(self, tag: str) -> Iterator[Element]:
        """Close the innermost open element of this tag; yield the tree if it was the root."""
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at].tag == tag:
                if at == 0:
                    yield from self.finish()
                else:
                    del self._open[at:]
                return
