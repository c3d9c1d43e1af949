"""`mem index`."""

from pathlib import Path
from typing import Annotated

import typer

from memcli.cli.completion import values
from memcli.cli.json_output.store_documents import IndexedJson
from memcli.cli.models.open import model_loader
from memcli.cli.models.resolve import ModelResolver, is_address
from memcli.cli.options import Database, GpuLayers, Json, Quiet, Wait, words
from memcli.cli.output.console import note, print_json
from memcli.cli.output.progress import bars, resumable
from memcli.ingest.reindex import reindex
from memcli.settings import database_path
from memcli.store import Store

WAIT = 600.0  # seconds: an import may take that long over a batch

Named = Annotated[
    str | None,
    typer.Option(
        "--embedder",
        parser=words,
        autocompletion=values.embedders,
        metavar="MODEL",
        show_default=False,
        help="Model to embed everything with from now on: a name such as `bge-m3`, a file, the"
        " address of a served one, or `builtin`.",
    ),
]
Rebuild = Annotated[
    bool, typer.Option("--rebuild", help="Make all words and vectors again, from the turns.")
]


def index(
    embedder: Named = None,
    rebuild: Rebuild = False,
    gpu_layers: GpuLayers = None,
    as_json: Json = False,
    quiet: Quiet = False,
    database: Database = None,
    wait: Wait = WAIT,
) -> None:
    """Complete or rebuild the index, or take another embedder.

    The old vectors serve until the new ones are complete; ask and import meanwhile as ever.
    Whatever stops it, `mem index` goes on where it stopped.
    """
    with (
        Store.existing(database or database_path(), wait=wait) as store,
        resumable("`mem index` goes on where it stopped, and until then nothing changes"),
        bars(quiet=quiet or as_json) as progress,
    ):
        resolver = ModelResolver()
        settled = resolver.configured.get("embedder")
        known = (embedder, store.vectors.unfinished(), settled, store.vectors.recorded())
        named = _lasting(next(filter(None, known), None))
        model = model_loader(gpu_layers).open_embedder(resolver.find("embedder", named))
        made = reindex(store, model, embedder_name=named, rebuild=rebuild, progress=progress)
    if embedder and settled and settled != embedder:
        note(f"the settings name another embedder: `mem config set models.embedder {named}`")
    if as_json:
        document = IndexedJson(
            schema="mem.index/1",
            embedder=made.embedder,
            sessions=made.sessions,
            vectors=made.vectors,
        )
        print_json(document)
    elif not quiet:
        again = f"{made.sessions:,} sessions and " if rebuild else ""
        typer.echo(f"{again}{made.vectors:,} vectors made, of {made.embedder}")


def _lasting(named: str | None) -> str | None:
    """Return a name that means the same in every folder."""
    if named is None or is_address(named) or not Path(named).expanduser().exists():
        return named
    return str(Path(named).expanduser().resolve())
