"""`mem memories import`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

from memcli.cli.input_text import read_text_input
from memcli.cli.json_output.fact_reader import read_facts
from memcli.cli.json_output.memory_documents import MemoryImportJson
from memcli.cli.models.open import open_embedder
from memcli.cli.option_groups import ResultOptions, WritableDatabaseOptions
from memcli.cli.output.console import write_line
from memcli.cli.output.progress import resume_hint
from memcli.cli.parsing.parameters import Argument
from memcli.ingest.own_facts import MemoryImportCounts, OwnFacts

File = Annotated[
    Path,
    Argument(
        metavar="FILE", help="JSON as `mem memories export` writes it; `-` for standard input."
    ),
]


def import_memories(
    file: File, *, output: ResultOptions, database: WritableDatabaseOptions
) -> None:
    """Import exported memories, or facts that you write yourself.

    A fact is written as `{"key": ..., "value": ...}`.

    A memory is linked to its sources again if their sessions are in this database; without any of
    them, it counts as written by you. A memory that was forgotten is not imported again.
    """
    found = read_facts(read_text_input(file), str(file))
    with (
        resume_hint("nothing was imported"),
        database.open() as store,
    ):
        restored = OwnFacts(store, open_embedder(store)).import_memories(
            found, datetime.now().astimezone()
        )
    output.print_result(
        lambda: MemoryImportJson(
            schema="mem.memories-import/1",
            new=restored.new,
            known=restored.known,
            forgotten=restored.forgotten,
        ),
        lambda: write_line(_describe(restored)),
    )


def _describe(restored: MemoryImportCounts) -> str:
    parts = [f"{restored.new} new"]
    if restored.known:
        parts.append(f"{restored.known} already known")
    if restored.forgotten:
        parts.append(f"{restored.forgotten} forgotten earlier and not imported")
    return ", ".join(parts)
