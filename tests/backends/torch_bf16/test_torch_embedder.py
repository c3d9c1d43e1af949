"""Embedders through sentence-transformers."""

import json
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("torch", reason="the torch extra is not installed: pip install memcli[torch]")
pytest.importorskip("transformers", reason="the torch extra is not installed")
pytest.importorskip("sentence_transformers", reason="the torch extra is not installed")

import torch

from memcli.backends.torch_bf16 import open_embedder
from memcli.errors import BackendError
from memcli.protocols import (
    Embedder,
)

pytestmark = pytest.mark.parity


@pytest.fixture(scope="session")
def encoder(tmp_path_factory):
    """A random BERT as sentence-transformers keeps it."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("encoder")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz[]", "北"]
    words += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    BertTokenizerFast(vocab={word: place for place, word in enumerate(words)}).save_pretrained(
        folder
    )
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    BertModel(config).save_pretrained(folder)
    parts = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
    modules = [
        {
            "idx": place,
            "name": str(place),
            "path": path,
            "type": f"sentence_transformers.models.{part}",
        }
        for place, (part, path) in enumerate(parts.items())
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 128}')
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": 32, "pooling_mode_cls_token": True}
    pooling |= {"pooling_mode_mean_tokens": False}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    return folder


def embedder_of(folder, **options):
    given = {"name": "tiny", "revision": "1", "context": 64, "device": "cpu"}
    return open_embedder(folder, **{**given, **options})


def test_texts_become_unit_vectors_in_their_order(encoder):
    embedder: Embedder = embedder_of(encoder)
    texts = ["cat", "", "dog " * 500, "北", "a b", "\ud800"] * 9

    vectors = embedder.embed(texts)

    assert (vectors.dtype, vectors.shape) == (np.float32, (54, embedder.dimensions))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    for place in range(6):
        alone = embedder.embed([texts[place]])[0]
        assert float(alone @ vectors[place]) > 0.999
        assert float(alone @ vectors[place + 6]) > 0.999


def test_no_text_no_vector(encoder):
    assert embedder_of(encoder).embed([]).shape == (0, 32)


def test_questions_and_passages_are_told_apart(encoder):
    embedder = embedder_of(encoder, question_prefix="ask ", passage_prefix="tell ")
    plain = embedder_of(encoder)

    assert np.allclose(embedder.embed(["cat"], questions=True), plain.embed(["ask cat"]), atol=0.01)
    assert np.allclose(embedder.embed(["cat"]), plain.embed(["tell cat"]), atol=0.01)
    assert embedder.fingerprint != plain.fingerprint


def test_no_text_spells_a_special_token(encoder):
    embedder = embedder_of(encoder)
    tokenizer = embedder._model.tokenizer

    seen = embedder._model.preprocess(["a [SEP] [CLS]"])["input_ids"][0].tolist()

    assert seen[0] == tokenizer.cls_token_id
    assert seen[-1] == tokenizer.sep_token_id
    assert not {tokenizer.cls_token_id, tokenizer.sep_token_id} & set(seen[1:-1])


def test_an_embedder_with_a_program_of_its_own_is_refused(encoder, tmp_path):
    for path in encoder.rglob("*"):
        if path.is_file():
            target = tmp_path / path.relative_to(encoder)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes())
    modules = json.loads((tmp_path / "modules.json").read_text())
    modules[0]["type"] = "evil.Transformer"
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    (tmp_path / "evil.py").write_text("raise SystemExit('the program was run')")

    with pytest.raises(BackendError, match=r"needs to run `evil\.Transformer`"):
        embedder_of(tmp_path)


OFFLINE = """
import sys
def forbid(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        print("NETWORK", event, arguments, file=sys.stderr)
        raise RuntimeError(f"{event} {arguments}")
sys.addaudithook(forbid)
from pathlib import Path
from memcli.backends.torch_bf16 import open_embedder, open_sifter
from memcli.protocols import Sampling
language, encoder = map(Path, sys.argv[1:])
sifter = open_sifter(language, context=4096, sampling=Sampling(), device="cpu")
*_, ranking = sifter.sift("x", shown=2, ranked=2, thought_tokens=2)
print(sorted(ranking.order))
embedder = open_embedder(encoder, name="tiny", revision="1", context=64, device="cpu")
print(embedder.embed(["cat"]).shape)
"""


def test_nothing_is_fetched_and_nothing_said(folder, encoder):
    ran = subprocess.run(
        [sys.executable, "-c", OFFLINE, folder, encoder],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "[0, 1]\n(1, 32)\n", "")
