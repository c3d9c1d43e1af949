"""From what a person names to models that are ready."""

from dataclasses import replace

from memcli.pipeline.ask import Models
from memcli.protocols import Embedder

NO_MODEL = "none"


def open_embedder() -> Embedder:
    """Open the embedder that needs no download."""
    from memcli.backends.builtin import WordLlamaEmbedder

    return WordLlamaEmbedder()


def open_models(
    reranker: str | None, sifter: str | None, *, gpu_layers: int | None, think: int
) -> Models:
    """Open the models a question is put to.

    Args:
        reranker: name or path; None takes the one in the models folder, if there is one, and
            NO_MODEL leaves the stage out.
        sifter: the same.
        gpu_layers: layers to run on the GPU; None for all that fit.
        think: most tokens the sifter thinks.

    Raises:
        ModelNotFoundError: a file is not on this machine.
        BackendError: a file is damaged.
    """
    from memcli.catalog import installed, locate
    from memcli.settings import models_folder

    folder = models_folder()
    reranker = reranker or installed("reranker", folder)
    sifter = sifter or installed("sifter", folder)
    models = Models(embedder=open_embedder(), thought_tokens=think)
    if reranker and reranker != NO_MODEL:
        from memcli.backends.llama import open_reranker

        weights = locate(reranker, "reranker", folder)
        prompt = weights.manifest.rerank_prompt()
        judge = open_reranker(weights.path, prompt, gpu_layers=gpu_layers)
        models = replace(models, reranker=judge)
    if sifter and sifter != NO_MODEL:
        from memcli.backends.llama import open_sifter

        weights = locate(sifter, "sifter", folder)
        known = weights.manifest
        reader = open_sifter(
            weights.path, context=known.context, sampling=known.sampling, gpu_layers=gpu_layers
        )
        models = replace(models, sifter=reader, sift_wording=known.prompt["message"])
    return models
