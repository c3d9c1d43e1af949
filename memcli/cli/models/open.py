"""Opening of the models that commands need; see `resolve` for the names of models."""

from pathlib import Path

from memcli.backends.model_loader import ModelLoader, ModelSource, ServedModel
from memcli.cli.models.gguf_cache import check_cached
from memcli.cli.models.resolve import ModelResolver, is_address, sift_wording
from memcli.cli.output.console import note
from memcli.cli.typed_values import ALL_LAYERS
from memcli.errors import BackendError
from memcli.protocols import DEFAULT_THOUGHT_TOKENS, Chat, Embedder, Reader
from memcli.search.stages import RankingModels
from memcli.settings import load_settings, state_folder
from memcli.store import Store


def model_loader(gpu_layers: int | None = None) -> ModelLoader:
    """Return the loader of a command: it prints a note about a model that runs unusually.

    Args:
        gpu_layers: layers to run on the GPU; None for as many as the settings say.
    """

    def note_server(sentence: str) -> None:
        from memcli.backends.server.endpoint import note_once

        note_once(note, state_folder())(sentence)

    return ModelLoader(
        choose_layers(gpu_layers),
        note=note,
        note_server=note_server,
        check=check_cached,
        verdicts=verdicts_path(),
        refusals=state_folder() / "refused.json",
    )


def choose_layers(gpu_layers: int | None) -> int | None:
    """Return the layers to run on the GPU, as models take them: None for all that fit.

    Args:
        gpu_layers: as the command line gives them; None for as many as the settings say.
    """
    chosen = load_settings().gpu_layers if gpu_layers is None else gpu_layers
    return None if chosen == ALL_LAYERS else chosen


def verdicts_path() -> Path:
    """Return the path of the file that remembers which served models passed their trial."""
    return state_folder() / "served.json"


def open_models(
    reranker: str | None,
    sifter: str | None,
    *,
    gpu_layers: int | None,
    thought_tokens: int | None,
    in_a_hurry: bool = False,
    database: Path | Store | None = None,
) -> RankingModels:
    """Open the models that rank sessions for a question.

    Args:
        reranker: its name; None for that of the settings, or the one in the models folder if
            there is one, and NO_MODEL to leave the stage out.
        sifter: the same.
        gpu_layers: layers to run on the GPU; None for as many as the settings say.
        thought_tokens: tokens that a model may think; None for as many as its authors published.
        in_a_hurry: whether there is a time budget, so that a sifter on a CPU thinks less.
        database: as for `open_embedder`.

    Raises:
        ModelNotFoundError: a file is not on this machine.
        BackendError: a file is damaged, or did not pass its verification.
    """
    resolver, loader = ModelResolver(), model_loader(gpu_layers)
    embedder = resolver.find("embedder", fallback=_recorded_embedder(database))
    judge, sift = resolver.find("reranker", reranker), resolver.find("sifter", sifter)
    return RankingModels(
        embedder=loader.open_embedder(embedder),
        reranker=loader.open_reranker(judge) if judge else None,
        sifter=loader.open_sifter(sift) if sift else None,
        sift_wording=sift_wording(sift) if sift else "",
        thought_tokens=_published_thought(sift, in_a_hurry=in_a_hurry)
        if thought_tokens is None
        else thought_tokens,
        answer_thought_tokens=DEFAULT_THOUGHT_TOKENS if thought_tokens is None else thought_tokens,
        names=load_settings().people_with_names,
    )


def _published_thought(sifter: "ModelSource | None", *, in_a_hurry: bool) -> int:
    """Return the most tokens that a sifter thinks by default, at most a quarter of its context."""
    if sifter is None:
        return DEFAULT_THOUGHT_TOKENS
    published = min(sifter.manifest.thought_tokens, sifter.manifest.context // 4)
    if in_a_hurry and not isinstance(sifter, ServedModel) and not _has_gpu():
        return min(published, DEFAULT_THOUGHT_TOKENS)
    return published


def _has_gpu() -> bool:
    from memcli.backends.llama.host import list_accelerators

    try:
        return bool(list_accelerators())
    except BackendError:  # it is reported when the model is opened
        return False


def open_first_stage(database: Path | Store) -> RankingModels:
    """Open what the first stage alone needs: the embedder, and the names of people.

    Args:
        database: as for `open_embedder`.
    """
    return RankingModels(open_embedder(database), names=load_settings().people_with_names)


def open_embedder(database: Path | Store | None = None) -> Embedder:
    """Open the embedder of the settings, else the database's own, else the built-in one.

    Args:
        database: the database whose vectors will be compared; None for none, as in a benchmark.
    """
    source = ModelResolver().find("embedder", fallback=_recorded_embedder(database))
    return model_loader().open_embedder(source)


def _recorded_embedder(database: Path | Store | None) -> str | None:
    """Return the name that `mem index` was given for a database's embedder, None if it was not."""
    if isinstance(database, Store):
        return database.vector_sets.active_embedder_name()
    if database is None or not database.exists():
        return None
    with Store(database) as store:
        return store.vector_sets.active_embedder_name()


def open_reader(name: str | None = None, *, gpu_layers: int | None = None) -> Reader:
    """Open the model that turns sessions into memories.

    Args:
        name: its name; None for that of the settings, or the one in the models folder.
        gpu_layers: layers to run on the GPU; None for as many as the settings say.

    Raises:
        ModelNotFoundError: there is none on this machine.
        BackendError: a file is damaged, or did not pass its verification.
    """
    return model_loader(gpu_layers).open_reader(ModelResolver().require("reader", name))


def is_reader_served(reader: str | None) -> bool:
    """Return whether the model that reads is behind an address; see `open_reader`."""
    return is_address(ModelResolver().select("reader", reader) or "")


def open_chat(name: str | None = None, *, gpu_layers: int | None = None) -> Chat:
    """Open the model that answers in words; arguments and errors are those of `open_reader`."""
    return model_loader(gpu_layers).open_chat(ModelResolver().require("chat", name))
