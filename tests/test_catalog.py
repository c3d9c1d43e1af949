"""The manifests of known models: prompts are compared byte by byte."""

import os
from contextlib import suppress
from pathlib import Path
from time import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.catalog import ROLES, TORCH, Catalog, ReferenceRanking
from memcli.errors import InputError, MemError, ModelNotFoundError, UsageError

NOWHERE = Path("/nowhere")
OURS = Catalog(NOWHERE, NOWHERE).manifests
RERANKERS = [name for name, each in OURS.items() if each.role == "reranker"]
SIFTERS = [name for name, each in OURS.items() if each.role == "sifter"]


@pytest.fixture
def catalog(tmp_path):
    """Return a catalog over an empty folder of models, with these manifests of the person's."""
    (tmp_path / "models").mkdir()
    (tmp_path / "own").mkdir()

    def catalog(**manifests):
        for name, text in manifests.items():
            (tmp_path / "own" / f"{name}.toml").write_text(text, "utf-8")
        return Catalog(tmp_path / "models", tmp_path / "own")

    return catalog


@pytest.mark.parametrize("name", RERANKERS)
def test_a_reranker_is_asked_as_it_was_taught(name):
    prompt = OURS[name].rerank_prompt()

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
    known = OURS[name]
    message = known.prompt["message"]

    assert (message.count("{history}"), message.count("{current}")) == (1, 1)
    assert message.index("{history}") < message.index("{current}")
    assert "<think>" in message
    assert "<ranking>" in message
    assert known.context == 32_768
    assert known.sampling.temperature == 0.6


@pytest.mark.parametrize("role", ROLES[:4])
def test_there_is_a_model_for_every_role(role):
    assert role in {each.role for each in OURS.values()}


@pytest.mark.parametrize("name", OURS)
def test_a_manifest_says_what_pulling_and_verifying_need(name):
    known = OURS[name]

    assert known.name == name
    assert known.repository or known.gguf
    assert known.licence
    assert known.parameters > 1e8
    assert known.quantizations
    assert known.expected_header.architecture
    assert known.expected_header.blocks
    assert known.expected_header.dimensions
    assert known.checks or known.special
    assert all(len(each.sha256) == 64 for each in known.gguf.values())


def test_memreranker_is_held_to_the_scores_its_authors_published():
    first, *_ = OURS["memreranker-4b"].checks

    assert first == ReferenceRanking(
        "What is the capital of China?",
        (
            "The capital of China is Beijing.",
            "Beijing has been the capital of various Chinese dynasties.",
            "Python is a popular programming language.",
        ),
        (2.969, 1.328, -3.141),
        0.5,
    )
    assert OURS["memreranker-4b"].revision == "22890bb4adff85b83b2181ed91e940ffb5a4ec45"


@pytest.mark.parametrize(
    ("gibibytes", "best"),
    [
        (4, None),
        (8, None),
        (11, None),
        (11.6, "Q4_K_M"),  # sold as 12
        (16, "Q4_K_M"),
        (23.5, "Q8_0"),  # sold as 24
        (24, "Q8_0"),
    ],
)
def test_more_memory_gets_a_better_quantization(gibibytes, best):
    assert OURS["memreranker-4b"].quantization_for(gibibytes) == best


def test_of_two_models_the_best_known_is_the_installed_one(catalog):
    assert catalog().installed_name("reranker") is None

    (catalog().folder / "qwen3-reranker-0.6b.gguf").touch()
    assert catalog().installed_name("reranker") == "qwen3-reranker-0.6b"

    (catalog().folder / "memreranker-4b-Q4_K_M.gguf").touch()
    assert catalog().installed_name("reranker") == "memreranker-4b"


def test_of_two_quantizations_the_newer_file_is_used_unless_it_is_named(catalog):
    for age, name in ((20, "memsifter-4b-Q8_0"), (10, "memsifter-4b-Q4_K_M")):
        (catalog().folder / f"{name}.gguf").touch()
        os.utime(catalog().folder / f"{name}.gguf", (time() - age, time() - age))

    assert catalog().locate("memsifter-4b", "sifter").quantization == "Q4_K_M"
    assert catalog().locate("memsifter-4b-Q8_0", "sifter").quantization == "Q8_0"


def test_a_folder_of_safetensors_is_for_torch(catalog):
    folder = catalog().folder / f"memsifter-4b-{TORCH}"
    folder.mkdir()
    assert catalog().installed_name("sifter") is None

    (folder / "config.json").write_text("{}")

    found = catalog().locate("memsifter-4b", "sifter")
    assert (found.path, found.is_torch, found.quantization) == (folder, True, TORCH)


def test_a_file_belongs_to_the_longest_name_it_begins_with(catalog):
    mine = 'name = "memsifter-4b-mine"\nlike = "memsifter-4b"\n'
    (catalog().folder / "memsifter-4b-mine-Q8_0.gguf").touch()
    (catalog().folder / "memsifter-4bis.gguf").touch()

    found = catalog(mine=mine).locate("memsifter-4b-mine", "sifter")

    assert found.quantization == "Q8_0"
    with pytest.raises(ModelNotFoundError, match="memsifter-4b is not on this machine"):
        catalog().locate("memsifter-4b", "sifter")


def test_a_file_without_a_manifest_is_spoken_to_as_the_best_known_of_its_role(tmp_path, catalog):
    (tmp_path / "mine-q8_0.gguf").touch()

    found = catalog().locate(str(tmp_path / "mine-q8_0.gguf"), "sifter")

    assert (found.path, found.quantization) == (tmp_path / "mine-q8_0.gguf", "Q8_0")
    assert found.manifest.prompt == OURS["memsifter-4b"].prompt
    assert found.manifest.repository == ""


def test_a_model_in_another_role_or_nowhere_is_refused(catalog):
    with pytest.raises(UsageError, match="`memsifter-4b` is a sifter, not a reranker"):
        catalog().locate("memsifter-4b", "reranker")
    with pytest.raises(ModelNotFoundError, match="memsifter-4b is not on this machine") as missing:
        catalog().locate("memsifter-4b", "sifter")
    assert missing.value.hint == "`mem models pull memsifter-4b`"


def test_a_persons_manifest_adds_a_model(catalog):
    known = catalog(
        mine='name = "mine"\nrole = "reranker"\nlike = "memreranker-4b"\nrepository = "ann/mine"\n'
    ).manifests["mine"]

    assert (known.repository, known.revision, known.wording_url) == ("ann/mine", "main", "")
    assert known.prompt == OURS["memreranker-4b"].prompt
    assert [check.scores for check in known.checks] == [(), ()]  # those are of other weights
    assert set(OURS) < set(catalog().manifests)


def test_manifests_of_a_person_may_be_like_each_other_in_any_order(catalog):
    first = 'name = "a"\nlike = "b"\n'
    second = WHOLE.replace("mine", "b")

    assert catalog(a=first, b=second).manifests["a"].embedding.pooling == "mean"


def test_a_persons_manifest_changes_one_of_ours(catalog):
    known = catalog(
        memsifter='name = "memsifter-4b"\nlike = "memsifter-4b"\ncontext = 8192\n'
    ).manifests["memsifter-4b"]

    assert known.context == 8192
    assert known.repository == OURS["memsifter-4b"].repository


def test_a_persons_own_file_is_found_by_its_name_and_by_its_path(tmp_path, catalog):
    path = tmp_path / "elsewhere.gguf"
    path.touch()
    text = f'name = "mine"\nrole = "sifter"\nlike = "memsifter-4b"\nfile = "{path}"\n'

    assert catalog(mine=text).locate("mine", "sifter").path == path
    assert catalog().locate(str(path), "sifter").manifest.name == "mine"

    path.unlink()
    with pytest.raises(ModelNotFoundError, match="mine is not on this machine"):
        catalog().locate("mine", "sifter")


WHOLE = 'name = "mine"\nrole = "embedder"\ncontext = 512\n[embedding]\npooling = "mean"\n'


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (WHOLE.replace("context", "contxt"), "`context` is missing", None),
        ("licens = 3\n" + WHOLE, "unknown key `licens`", "did you mean `licence`"),
        (WHOLE.replace("512", '"512"'), "`context` is '512', not a whole number", None),
        (WHOLE.replace("512", "true"), "`context` is True, not a whole number", None),
        (WHOLE.replace("mean", "max"), "`pooling` is 'max', not one of cls, mean, last", None),
        (WHOLE.replace("embedder", "judge"), "`role` is 'judge', not one of", None),
        (WHOLE.replace('"mine"', '"../mine"'), "which cannot begin a file's name", None),
        (WHOLE.replace('"embedder"', '"sifter"'), r"a sifter needs \[prompt\] with message", None),
        (WHOLE + '[[checks]]\nquestion = "?"\npassages = ["a"]\n', "fewer than two", None),
        (WHOLE + "[gguf]\nQ8_0 = 3\n", "`Q8_0` is 3, not a table", None),
        ('like = "gone"\n' + WHOLE, "`like` names 'gone', which no manifest describes", None),
        ("name = \n", "is not valid TOML: .*line 1", None),
    ],
)
def test_a_manifest_that_makes_no_sense_is_an_error_with_file_and_key(catalog, text, message, hint):
    with pytest.raises(InputError, match=message) as wrong:
        _ = catalog(mine=text).manifests

    assert "/own/mine.toml" in str(wrong.value)
    assert (wrong.value.hint or "").startswith(hint or "")


@given(text=st.text(max_size=60), place=st.integers(0, len(WHOLE)))
def test_no_manifest_ends_in_anything_but_an_error_of_ours(tmp_path_factory, text, place):
    own = tmp_path_factory.mktemp("own")
    (own / "any.toml").write_text(WHOLE[:place] + text + WHOLE[place:], "utf-8", newline="\n")

    with suppress(MemError):
        _ = Catalog(NOWHERE, own).manifests
