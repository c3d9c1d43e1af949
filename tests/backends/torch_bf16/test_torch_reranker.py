"""Safetensors through torch and transformers, beside the same weights through llama.cpp."""

from itertools import combinations

import pytest

pytest.importorskip("torch", reason="the torch extra is not installed: pip install memcli[torch]")
pytest.importorskip("transformers", reason="the torch extra is not installed")
pytest.importorskip("sentence_transformers", reason="the torch extra is not installed")

import torch
from helpers.judging import HOSTILE, PASSAGES, PROMPT, QUESTION, judged

from memcli.backends import llama
from memcli.backends.llama.model import LlamaModel
from memcli.backends.torch_bf16 import open_reranker
from memcli.backends.torch_bf16.causal_lm import TorchLanguageModel
from memcli.backends.torch_bf16.tokenizer import TorchTokenizer
from memcli.errors import BackendError
from memcli.protocols import (
    Reranker,
)

pytestmark = pytest.mark.parity


def differ(scores, one, other):
    """Return whether two scores are further apart than rounding could move them."""
    return abs(scores[one] - scores[other]) > 0.01


def test_it_is_a_reranker(reranker, folder):
    typed: Reranker = reranker

    assert (typed.name, typed.count("no")) == ("tiny", 1)
    assert list(typed.judge(QUESTION, [])) == []
    assert open_reranker(folder, PROMPT).fingerprint == typed.fingerprint


def test_torch_and_llama_rank_alike(reranker, twin):
    ours, theirs = judged(reranker), judged(llama.open_reranker(twin, PROMPT, threads=1))

    assert ours == pytest.approx(theirs, abs=0.01)
    apart = [pair for pair in combinations(range(len(ours)), 2) if differ(theirs, *pair)]
    assert len(apart) > 20, "all alike: nothing was compared"
    assert [ours[one] > ours[other] for one, other in apart] == [
        theirs[one] > theirs[other] for one, other in apart
    ]


def test_the_probability_is_that_of_the_whole_prompt_read_by_itself(folder, reranker):
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    words = TorchTokenizer(folder)
    expected = []
    for prompt in reranker.encode_prompts(QUESTION, PASSAGES):
        with torch.no_grad():
            logits = model(torch.tensor([prompt])).logits[0, -1]
        expected.append(
            float(
                (logits[words.encode_single("yes")] - logits[words.encode_single("no")]).sigmoid()
            )
        )

    assert judged(reranker) == pytest.approx(expected, abs=0.01)


def test_company_changes_nothing(reranker):
    alone = [judged(reranker, [passage])[0] for passage in PASSAGES]

    assert judged(reranker) == pytest.approx(alone, abs=0.01)


def test_the_question_may_be_read_apart_or_with_the_first_words(reranker):
    """Passages that begin alike share more than the question."""
    passages = ["The capital of China is Beijing.", "The capital of China is Python."]
    alone = [judged(reranker, [passage])[0] for passage in passages]

    assert judged(reranker, passages) == pytest.approx(alone, abs=0.01)


def test_a_long_passage_is_cut_and_the_suffix_kept(reranker):
    words = reranker.model.tokenizer

    [prompt] = reranker.encode_prompts(QUESTION, ["Beijing " * 5000])

    assert len(prompt) == PROMPT.context
    assert prompt[-5:] == words.encode_markup(PROMPT.suffix)[-5:]


def test_a_question_without_room_is_refused(reranker):
    with pytest.raises(BackendError, match="leaves none for a passage"):
        judged(reranker, question="why " * 3000)


def test_a_batch_that_does_not_fit_the_memory_is_made_smaller(folder, monkeypatch):
    reranker = open_reranker(folder, PROMPT, device="cpu")
    expected = judged(reranker)
    read, sizes = TorchLanguageModel.read, []

    def small(self, rows, cache=None):
        sizes.append(len(rows))
        if len(rows) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return read(self, rows, cache)

    monkeypatch.setattr(TorchLanguageModel, "read", small)

    assert judged(reranker) == pytest.approx(expected, abs=0.01)
    assert max(sizes) > 2


def test_memory_for_not_even_one_passage_is_an_error_with_a_hint(folder, monkeypatch):
    reranker = open_reranker(folder, PROMPT, device="cpu")

    def none(self, rows, cache=None):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes")

    monkeypatch.setattr(TorchLanguageModel, "read", none)

    with pytest.raises(BackendError, match="tiny does not fit the memory") as caught:
        judged(reranker)

    assert "smaller model" in caught.value.hint


@pytest.mark.parametrize("text", [*PASSAGES, HOSTILE, "a<|im_end|", "\ud800", "<<think>think>"])
def test_text_becomes_the_tokens_that_llama_makes_of_it(folder, twin, text):
    words = TorchTokenizer(folder)
    model = LlamaModel(twin)

    assert words.encode(text) == model.encode(text)
    assert words.encode_markup(text.encode("utf-8", "replace").decode()) == model.encode_markup(
        text
    )
    assert not words.special_tokens & set(words.encode(text))
    assert [words.decode_token(token) for token in words.encode(text)] == [
        model.decode_token(token) for token in model.encode(text)
    ]
    model.close()


def test_a_passage_cannot_end_its_prompt(reranker):
    words = reranker.model.tokenizer
    plain, hostile = reranker.encode_prompts(QUESTION, ["", HOSTILE])

    special = [
        [token for token in tokens if token in words.special_tokens] for tokens in (plain, hostile)
    ]
    assert special[0] == special[1]
