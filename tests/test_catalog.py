"""The manifests of known models: what a model was taught is held to the byte."""

import pytest

from memcli.catalog import installed, locate, manifests
from memcli.errors import ModelNotFoundError, UsageError

RERANKERS = [name for name, each in manifests().items() if each.role == "reranker"]
SIFTERS = [name for name, each in manifests().items() if each.role == "sifter"]


@pytest.mark.parametrize("name", RERANKERS)
def test_a_reranker_is_asked_as_it_was_taught(name):
    prompt = manifests()[name].rerank_prompt()

    assert prompt.prefix == (
        "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query "
        'and the Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n'
        "<|im_start|>user\n"
    )
    assert prompt.body == "<Instruct>: {instruction}\n<Query>: {query}\n<Document>: {document}"
    assert prompt.suffix == "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    assert prompt.instruction == (
        "Given a web search query, retrieve relevant passages that answer the query"
    )
    assert prompt.context == 8192


@pytest.mark.parametrize("name", SIFTERS)
def test_a_sifter_is_shown_the_history_before_the_question(name):
    known = manifests()[name]
    message = known.prompt["message"]

    assert (message.count("{history}"), message.count("{current}")) == (1, 1)
    assert message.index("{history}") < message.index("{current}")
    assert "<think>" in message
    assert "<ranking>" in message
    assert known.context == 32_768
    assert known.sampling.temperature == 0.6


def test_of_two_models_the_best_known_is_the_installed_one(tmp_path):
    assert installed("reranker", tmp_path) is None

    (tmp_path / "qwen3-reranker-0.6b.gguf").touch()
    assert installed("reranker", tmp_path) == "qwen3-reranker-0.6b"

    (tmp_path / "memreranker-4b-Q4_K_M.gguf").touch()
    assert installed("reranker", tmp_path) == "memreranker-4b"


def test_a_file_without_a_manifest_is_spoken_to_as_the_best_known_of_its_role(tmp_path):
    (tmp_path / "mine.gguf").touch()

    found = locate(str(tmp_path / "mine.gguf"), "sifter", tmp_path)

    assert (found.path, found.manifest.name) == (tmp_path / "mine.gguf", "memsifter-4b")


def test_a_model_in_another_role_or_nowhere_is_refused(tmp_path):
    with pytest.raises(UsageError, match="`memsifter-4b` is a sifter, not a reranker"):
        locate("memsifter-4b", "reranker", tmp_path)
    with pytest.raises(ModelNotFoundError, match="memsifter-4b is not on this machine"):
        locate("memsifter-4b", "sifter", tmp_path)
