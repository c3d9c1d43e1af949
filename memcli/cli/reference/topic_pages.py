"""Writes the topics of `help/topics` in roff: as pages of their own, or as a section of a page."""

from collections.abc import Iterator

from memcli import RELEASED, __version__
from memcli.cli.help.topics import TopicBlock, read_blocks, topic_markdown, topic_title
from memcli.cli.reference import roff

SECTIONS = {"settings": 5}  # sections of the manual; 7, for things in general, of all others


def topic_file(name: str) -> str:
    """Return the place of a topic's page in the manual: `man7/mem-trust.7`."""
    section = SECTIONS.get(name, 7)
    return f"man{section}/mem-{name}.{section}"


def topic_reference(name: str) -> str:
    """Return a topic's page as other pages name it: `mem-trust(7)`."""
    return f"mem-{name}({SECTIONS.get(name, 7)})"


def topic_page(name: str) -> str:
    """Return the page of a topic."""
    title = topic_title(name)
    heading = f"mem-{name} - {title[:1].lower()}{title[1:]}"
    lines = [".SH NAME", *roff.paragraph_lines(heading), ".SH DESCRIPTION"]
    lines += topic_lines(name)
    lines += [".SH SEE ALSO", *roff.page_references("mem(1)")]
    version = f"memcli {__version__}"
    return roff.manual_page(f"mem-{name}", SECTIONS.get(name, 7), RELEASED, version, lines)


def topic_section(name: str) -> Iterator[str]:
    """Yield a topic as a section of the page of a command."""
    yield f".SH {roff.escape(topic_title(name).upper())}"
    yield from topic_lines(name)


def topic_lines(name: str) -> Iterator[str]:
    """Yield the blocks of a topic after its title; its headings divide a section."""
    _, *blocks = read_blocks(topic_markdown(name))
    begins = True  # a section begins without an empty line
    for block in blocks:
        lines = list(_block_lines(block))  # a list begins with a gap of its own
        if not begins and block.kind != "heading" and lines[:1] != [".TP"]:
            yield ".PP"
        yield from lines
        begins = block.kind == "heading"


def _block_lines(block: TopicBlock) -> Iterator[str]:
    if block.kind == "heading":
        yield f".SS {roff.escape(block.text)}"
    elif block.kind == "code":
        yield from roff.code_lines(block.text.splitlines())
    elif block.kind != "table":
        yield from roff.paragraph_lines(block.text)
    elif rows := block.aligned:
        yield from roff.code_lines([row.replace("`", "") for row in rows])
    else:
        terms = {term.replace("`", ""): text for term, text in block.definitions.items()}
        yield from roff.definition_list(terms)
