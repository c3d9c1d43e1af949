"""`mem index`."""

from pathlib import Path
from typing import Annotated

from memcli.cli.completion import values
from memcli.cli.json_output.store_documents import IndexedJson
from memcli.cli.models.open import model_loader
from memcli.cli.models.resolve import ModelResolver, is_address
from memcli.cli.option_groups import WritableDatabaseOptions
from memcli.cli.options import Gpu, GpuLayers, Json, Quiet, Wait
from memcli.cli.output.console import note, print_json, write_line
from memcli.cli.output.numbers import pluralize
from memcli.cli.output.progress import progress_bars, resume_hint
from memcli.cli.parsing.parameters import Option
from memcli.cli.typed_values import parse_text
from memcli.ingest.reindex import reindex
from memcli.lazy_dataclasses import dataclass

EmbedderName = Annotated[
    str | None,
    Option(
        "--embedder",
        parser=parse_text,
        autocompletion=values.offer_embedders,
        metavar="MODEL",
        show_default=False,
        help="Use this embedder from now on: a name such as `bge-m3`, a file, the address of a"
        " served model, or `builtin`.",
    ),
]
Rebuild = Annotated[
    bool, Option("--rebuild", help="Rebuild the whole index from the stored turns.")
]


@dataclass(frozen=True, slots=True)
class PatientDatabaseOptions(WritableDatabaseOptions):
    """The database of a command that runs long, and waits longer for another one that writes."""

    wait: Wait = 600.0  # an import may take that long over a batch


def index(
    *,
    embedder: EmbedderName = None,
    rebuild: Rebuild = False,
    gpu_layers: GpuLayers = None,
    gpu: Gpu = None,  # noqa: ARG001  # its parser has chosen it
    as_json: Json = False,
    quiet: Quiet = False,
    database: PatientDatabaseOptions,
) -> None:
    """Complete or rebuild the index, or change the embedder.

    The old vectors are used until the new ones are complete; `mem ask` and `mem ingest` work in
    the meantime. If it is interrupted, `mem index` continues where it stopped.
    """
    with (
        database.open_existing() as store,
        resume_hint("`mem index` continues where it stopped; until it is done, nothing changes"),
        progress_bars(quiet=quiet or as_json) as progress,
    ):
        resolver = ModelResolver()
        settled = resolver.configured.get("embedder")
        known = (
            embedder,
            store.vector_sets.incomplete_embedder_name(),
            settled,
            store.vector_sets.active_embedder_name(),
        )
        named = _absolute_name(next(filter(None, known), None))
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
        sessions = f"{pluralize(made.sessions, 'session')} and " if rebuild else ""
        vectors = pluralize(made.vectors, "vector")
        write_line(f"indexed {sessions}{vectors} with the embedder {made.embedder}")


def _absolute_name(name: str | None) -> str | None:
    """Return the name of an embedder; a path becomes one that holds in every folder."""
    if name is None or is_address(name) or not Path(name).expanduser().exists():
        return name
    return str(Path(name).expanduser().resolve())
