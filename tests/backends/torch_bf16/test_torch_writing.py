"""Thoughts, rankings and calls, written by torch."""

import json
from random import Random

import pytest
from helpers.builders import talk
from helpers.scripted_reader import Bench

pytest.importorskip("torch", reason="the torch extra is not installed: pip install memcli[torch]")
pytest.importorskip("transformers", reason="the torch extra is not installed")
pytest.importorskip("sentence_transformers", reason="the torch extra is not installed")

import torch
from helpers.judging import ASKED, HOSTILE, MESSAGE, TOOLS
from helpers.tiny_models import THINKING_TEMPLATE

from memcli.backends import llama
from memcli.backends.torch_bf16 import open_chat, open_reader, open_sifter
from memcli.backends.torch_bf16.causal_lm import TorchLanguageModel, TorchSequence
from memcli.backends.torch_bf16.tokenizer import TorchTokenizer
from memcli.cli.models.open import open_chat as open_model
from memcli.errors import BackendError, ContextError
from memcli.protocols import (
    Chat,
    Message,
    Ranking,
    Reader,
    Sampling,
    Sifter,
    Thought,
    ToolCall,
)
from memcli.store import Store
from memcli.weights.convert.gguf_writer import convert_checkpoint

pytestmark = pytest.mark.parity


def test_it_is_a_sifter(folder):
    sifter: Sifter = open_sifter(folder, context=100_000, sampling=Sampling(), device="cpu")

    assert (sifter.name, sifter.context, sifter.count("no")) == ("tiny", 4096, 1)


def sifted(folder, message=MESSAGE, *, seed=0, temperature=1.0, shown=12, ranked=10, thought=12):
    """Return the thought and the order."""
    sampling = Sampling(temperature=temperature, top_k=0, top_p=1.0, seed=seed)
    sifter = open_sifter(folder, context=4096, sampling=sampling, device="cpu")
    *pieces, ranking = sifter.sift(message, shown=shown, ranked=ranked, thought_tokens=thought)
    assert isinstance(ranking, Ranking)
    assert all(pieces), "an empty piece"
    return "".join(pieces), list(ranking.order)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("shown", "ranked"), [(12, 10), (12, 12), (1, 5), (3, 2)])
def test_a_ranking_is_a_permutation_of_what_was_shown(folder, seed, shown, ranked):
    _, order = sifted(folder, seed=seed, shown=shown, ranked=ranked)

    assert len(order) == len(set(order)) == min(shown, ranked)
    assert set(order) <= set(range(shown))


def test_nothing_shown_is_an_empty_ranking(folder):
    assert sifted(folder, shown=0) == ("", [])


def test_the_same_seed_thinks_the_same_and_another_one_something_else(folder):
    assert sifted(folder, seed=1) == sifted(folder, seed=1)
    assert sifted(folder, seed=1)[0] != sifted(folder, seed=2)[0]


def test_the_thought_comes_in_pieces_while_it_is_written(folder):
    sifter = open_sifter(folder, context=4096, sampling=Sampling(temperature=0), device="cpu")
    writing = sifter.sift(MESSAGE, shown=2, ranked=2, thought_tokens=1000)

    assert isinstance(next(writing), str)
    writing.close()


def test_torch_and_llama_rank_sessions_alike(folder, twin):
    theirs = llama.open_sifter(twin, context=4096, sampling=Sampling(temperature=0), threads=1)

    *_, ranking = theirs.sift(MESSAGE, shown=12, ranked=10, thought_tokens=0)

    assert sifted(folder, temperature=0, thought=0)[1] == list(ranking.order)


def test_a_message_cannot_end_itself(folder):
    sifter = open_sifter(folder, context=4096, sampling=Sampling(), device="cpu")
    words = TorchTokenizer(folder)

    plain, hostile = (sifter.prompt([Message("user", said)]) for said in ("cats", HOSTILE))

    special = [[token for token in tokens if token in words.special] for tokens in (plain, hostile)]
    assert special[0] == special[1] != []


def test_what_exceeds_the_context_is_refused(folder):
    sifter = open_sifter(folder, context=64, sampling=Sampling(), device="cpu")

    with pytest.raises(BackendError, match="more than the context of 64"):
        list(sifter.sift(MESSAGE, shown=2, ranked=2, thought_tokens=64))


def test_a_model_that_ends_its_message_has_thought_enough(copied):
    teach(copied, after="\n", token="<|im_end|>")

    assert sifted(copied, temperature=0)[0] == ""


def test_a_model_that_closes_its_thought_is_not_told_to(copied):
    teach(copied, after="\n", token="</think>")

    assert sifted(copied, temperature=0)[0] == ""


def teach(folder, *, after, token):
    """Make a model answer one token with another: layers pass on what they get."""
    from transformers import AutoModelForCausalLM

    words = TorchTokenizer(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    model.config.tie_word_embeddings = False
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        [row], [last] = words.markup(token), words.markup(after)[-1:]
        model.lm_head.weight[row] = 4 * model.model.embed_tokens.weight[last]
    for path in folder.glob("*.safetensors*"):
        path.unlink()
    model.save_pretrained(folder)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(
        json.dumps({**config, "chat_template": THINKING_TEMPLATE})
    )
    (folder / "chat_template.jinja").write_text(THINKING_TEMPLATE)


def called(folder, *, seed=0, tools=TOOLS, thought=8, call=40):
    reader: Reader = open_reader(
        folder, context=4096, sampling=Sampling(temperature=1.0, seed=seed), device="cpu"
    )
    *_, call = reader.call(ASKED, tools, thought_tokens=thought, call_tokens=call)
    return call


@pytest.mark.parametrize("seed", range(5))
def test_a_reader_calls_one_of_its_tools_as_it_wants_to_be_called(folder, seed):
    call = called(folder, seed=seed)

    [tool] = [tool for tool in TOOLS if tool.name == call.name]
    assert isinstance(call, ToolCall)
    assert list(call.arguments) == tool.parameters["required"]
    assert all(isinstance(value, str) for value in call.arguments.values())
    assert call == called(folder, seed=seed)


def test_the_seed_of_a_call_is_added_to_that_of_the_sampling(folder):
    reader = open_reader(folder, context=4096, sampling=Sampling(temperature=1.0), device="cpu")

    *_, call = reader.call(ASKED, TOOLS, thought_tokens=8, call_tokens=40, seed=3)

    assert call == called(folder, seed=3) != called(folder, seed=0)


def test_a_torch_reader_reads_sessions(folder, tmp_path):
    reader = open_reader(folder, context=4096, sampling=Sampling(temperature=0.2), device="cpu")
    with Store(tmp_path / "mem.db") as store:
        bench = Bench(store)
        bench.ingest(talk("Move", "me: I moved to Lisbon.", "ai: How nice."))
        report = bench.read(reader, thought_tokens=4, call_tokens=16)

    assert (report.segments, report.failures, report.stopped) == (1, (), None)


def test_a_call_without_time_is_closed(folder):
    assert called(folder, call=0).name in {"search_memory", "ignore_memory"}


def test_a_dialogue_that_exceeds_the_context_is_refused(folder):
    with pytest.raises(ContextError, match="more than the context of 4,096"):
        called(folder, thought=4096)


def answered(chat: Chat, *, thought=12, answer=12):
    """Return the thought and the answer."""
    asked = [Message("user", "Which cats do I like?")]
    pieces = list(chat.write(asked, thought_tokens=thought, answer_tokens=answer))
    thoughts = "".join(piece.text for piece in pieces if isinstance(piece, Thought))
    return thoughts, "".join(piece for piece in pieces if isinstance(piece, str))


def chat_of(folder, context=4096, **sampling):
    return open_chat(folder, context=context, sampling=Sampling(**sampling), device="cpu")


def test_torch_and_llama_answer_alike(copied):
    teach(copied, after="\n", token="no")
    convert_checkpoint(copied, copied / "twin.gguf", dtype="F16")
    theirs = llama.open_chat(
        copied / "twin.gguf", context=4096, sampling=Sampling(temperature=0), threads=1
    )

    ours = answered(chat_of(copied, temperature=0), thought=1, answer=1)

    assert ours == answered(theirs, thought=1, answer=1) == ("no", "no")


def test_a_model_that_has_answered_is_done(copied):
    teach(copied, after="\n", token="<|im_end|>")

    assert answered(chat_of(copied, temperature=0)) == ("", "")


def test_a_model_whose_template_knows_no_thought_answers_at_once(folder):
    thought, answer = answered(chat_of(folder, temperature=1.0, seed=1))

    assert (thought, bool(answer)) == ("", True)
    assert (thought, answer) == answered(chat_of(folder, temperature=1.0, seed=1))


def test_a_question_that_exceeds_the_context_is_refused(folder):
    with pytest.raises(BackendError, match="more than the context of 64"):
        answered(chat_of(folder, context=64), answer=64)


def test_a_folder_of_safetensors_answers_where_a_person_names_it(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("MEM_MODELS", str(tmp_path))

    thought, answer = answered(open_model(str(folder)), answer=4)

    assert (thought, bool(answer)) == ("", True)


def test_likelier_tokens_are_drawn_more_often(folder):
    model = TorchLanguageModel(folder, "cpu")
    sequence = TorchSequence(model, Sampling(temperature=1.0, top_k=3, top_p=1.0))
    sequence.feed(model.tokenizer.markup("The capital of China"))
    likely = sequence.most_likely(3)
    shares = sequence.logits[likely].softmax(dim=0)

    drawn = [sequence.sample() for _ in range(3000)]

    found = [drawn.count(token) / 3000 for token in likely]
    assert found == pytest.approx(shares.tolist(), abs=0.04)


def test_top_p_leaves_out_what_is_unlikely(folder):
    model = TorchLanguageModel(folder, "cpu")
    sequence = TorchSequence(model, Sampling(temperature=5.0, top_k=0, top_p=1e-6))
    sequence.feed(model.tokenizer.markup("The capital of China"))

    assert {sequence.sample() for _ in range(50)} == set(sequence.most_likely(1))


def test_a_long_text_is_read_in_stretches(folder, monkeypatch):
    model = TorchLanguageModel(folder, "cpu")
    tokens = Random(0).choices(range(600), k=300)
    whole, parts = (TorchSequence(model, Sampling()) for _ in range(2))
    whole.feed(tokens)

    monkeypatch.setattr("memcli.backends.torch_bf16.causal_lm._READ_TOKENS", 64)
    parts.feed(tokens)

    assert torch.allclose(whole.logits, parts.logits, atol=0.5)
    assert whole.most_likely(1) == parts.most_likely(1)
