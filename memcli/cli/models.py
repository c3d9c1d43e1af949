"""From what a person names to models that are ready."""

from dataclasses import replace

from memcli.pipeline.ask import Models
from memcli.protocols import Embedder


def open_embedder() -> Embedder:
    """Open the embedder that needs no download."""
    from memcli.backends.builtin import WordLlamaEmbedder

    return WordLlamaEmbedder()


def open_models(
    reranker: str | None, sifter: str | None, *, gpu_layers: int | None, think: int
) -> Models:
    """Open the models a question is put to.

    Args:
        reranker: name or path; None leaves the stage out.
        sifter: name or path; None leaves the stage out.
        gpu_layers: layers to run on the GPU; None for all that fit.
        think: most tokens the sifter thinks.

    Raises:
        ModelNotFoundError: a file is not on this machine.
        BackendError: a file is damaged.
    """
    from memcli.catalog import locate
    from memcli.settings import models_folder

    models = Models(embedder=open_embedder(), thought_tokens=think)
    if reranker:
        from memcli.backends.llama import open_reranker

        weights = locate(reranker, "reranker", models_folder())
        prompt = weights.manifest.rerank_prompt()
        judge = open_reranker(weights.path, prompt, gpu_layers=gpu_layers)
        models = replace(models, reranker=judge)
    if sifter:
        from memcli.backends.llama import open_sifter

        weights = locate(sifter, "sifter", models_folder())
        known = weights.manifest
        reader = open_sifter(
            weights.path, context=known.context, sampling=known.sampling, gpu_layers=gpu_layers
        )
        models = replace(models, sifter=reader, sift_wording=known.prompt["message"])
    return models
