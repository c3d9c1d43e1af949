"""The proof of the conversion: the same numbers and tokens as transformers has.

The models are random, but of the architecture, the kind of vocabulary and the number format that
rerankers, sifters and readers are published in. transformers computes in float32.
"""

from functools import cache
from types import SimpleNamespace
from unicodedata import normalize

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="parity needs torch: pip install -e '.[parity]'")
pytest.importorskip("transformers", reason="parity needs transformers: pip install -e '.[parity]'")

from helpers.random_models import SMALL, save_qwen3  # noqa: E402

from memcli.backends.llama import open_reranker, quantize  # noqa: E402
from memcli.backends.llama.library import llama_cpp  # noqa: E402
from memcli.backends.llama.model import LlamaModel  # noqa: E402
from memcli.protocols import RerankPrompt  # noqa: E402
from memcli.weights.convert.gguf_writer import convert_checkpoint  # noqa: E402

pytestmark = pytest.mark.parity

# Length of the error by length of the right logits, as vectors over the vocabulary. Rounding alone
# is in it: of F16 and BF16 that of what passes through the layers, since the weights are exact.
# Random weights are the hardest there are to quantise; a wrong conversion is off by more than 1.
BOUND = {"F32": 1e-5, "F16": 1e-3, "BF16": 1e-2, "Q8_0": 0.05, "Q4_K_M": 0.4}

TEXTS = {
    "English": "The capital of China is Beijing, isn't it? I'LL say we've they'd it's.",
    "CJK": "東京は日本の首都です。北京是中国的首都，对吗？서울은 한국의 수도입니다. 𠮷野家",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 😀😀 ❤️ 1️⃣ 🇱🇺",
    "code": "def f(x):\n\tif x:\r\n\t\treturn  x ** 2   # twice\n\n\n    pass\t\t\n \n",
    "digits": "3.14159 1,000,000 2026-11-21 ½ ² ١٢٣ 一二三 v1.2.3-rc4",
    "accents": "naïve café Zürich Ελλάδα Москва שלום مرحبا हिन्दी ไทย",
    "spaces": "  a  b\u00a0c\u2003d\u3000e \t\n\r\n\n f   ",
    "punctuation": "...!!!??? --- <<>> ((a)) [b] {c} \\d/ \"e\" 'f' `g` @h #i $j %k ^l &m *n",
    "odd letters": "\ufeffa\u200bb\u200dc\u0000d\u0007e \ue000 \U0001f9d1\U000e0067 ﬁ ſ K Å",
    "nothing": "",
    "many words": "Python is a popular programming language. " * 40,
}
RECIPE = RerankPrompt(
    prefix="<|im_start|>system\n"
    "Judge whether the Document meets the requirements based on the Query and the Instruct"
    ' provided. Note that the answer can only be "yes" or "no".<|im_end|>\n'
    "<|im_start|>user\n",
    body="<Instruct>: {instruction}\n<Query>: {query}\n<Document>: {document}",
    suffix="<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
    instruction="Given a web search query, retrieve relevant passages that answer the query",
    context=4096,
)
# Letters and their accents apart: the tokenizer composes them before it cuts.
APART = normalize("NFD", "naïve café Zürich 한국 ガ")
MARKUP = {
    "a dialogue": "<|im_start|>user\nyes or no?<|im_end|>\n<|im_start|>assistant\n<think>\n\n",
    "side by side": "<|im_start|><|im_end|><|endoftext|></think><think><tool_call></tool_call>",
    "inside words": "a<|im_end|>b <|im_end|> c<think>d <think> e<|fim_prefix|>f",
    "in halves": "<|im_start <|im_end|<|im_end|>> <<think>> < think> <|IM_END|> <|im_end |>",
}


@pytest.fixture(scope="session", params=["tied in 3 shards", "untied in one file"])
def pair(request, tmp_path_factory):
    """A model as transformers has it, and its GGUF in every kind."""
    folder = tmp_path_factory.mktemp("parity")
    tied = request.param.startswith("tied")
    model, tokenizer = save_qwen3(folder / "hub", tied=tied, shards=3 if tied else 1)

    @cache
    def converted(kind):
        path = folder / f"{kind}.gguf"
        if kind in ("F32", "F16", "BF16"):
            convert_checkpoint(folder / "hub", path, dtype=kind)
        else:
            quantize(converted("BF16"), path, kind)
        return path

    texts = [text for text in (*TEXTS.values(), *MARKUP.values()) if text]
    prompts = [tokenizer(text)["input_ids"] for text in texts]
    return SimpleNamespace(
        model=model,
        tokenizer=tokenizer,
        converted=converted,
        prompts=prompts,
        right=[right_logits(model, prompt) for prompt in prompts],
    )


def right_logits(model, tokens):
    """Return what transformers computes after the last token, shape (vocabulary,)."""
    with torch.no_grad():
        return model(torch.tensor([tokens])).logits[0, -1].numpy()


def our_logits(path, prompts):
    """Yield what llama.cpp computes after the last token of each prompt, shape (vocabulary,).

    Keys and values are kept in 32 bits here: with the 16 of everyday use their rounding would
    hide small mistakes of a conversion.
    """
    llama, model = llama_cpp(), LlamaModel(path)
    params = llama.llama_context_default_params()
    params.n_ctx = params.n_batch = params.n_ubatch = 1024
    params.type_k = params.type_v = llama.GGML_TYPE_F32
    params.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_DISABLED
    context = llama.llama_init_from_model(model.pointer, params)
    for tokens in prompts:
        llama.llama_memory_clear(llama.llama_get_memory(context), True)
        kept = (llama.llama_token * len(tokens))(*tokens)
        assert llama.llama_decode(context, llama.llama_batch_get_one(kept, len(kept))) == 0
        row = llama.llama_get_logits_ith(context, -1)
        yield np.ctypeslib.as_array(row, (SMALL["vocab_size"],)).copy()
    llama.llama_free(context)
    model.close()


def error(ours, right):
    return np.linalg.norm(ours - right) / np.linalg.norm(right)


@pytest.mark.parametrize("text", [*TEXTS.values(), APART], ids=[*TEXTS, "letters apart"])
def test_words_become_the_same_tokens(pair, text):
    model = LlamaModel(pair.converted("F16"))

    assert model.encode(text) == pair.tokenizer(text)["input_ids"]


@pytest.mark.parametrize("text", MARKUP.values(), ids=MARKUP)
def test_markup_becomes_the_same_tokens(pair, text):
    model = LlamaModel(pair.converted("F16"))

    assert model.encode_markup(text) == pair.tokenizer(text)["input_ids"]


@pytest.mark.parametrize("text", MARKUP.values(), ids=MARKUP)
def test_what_looks_like_markup_in_words_is_no_special_token(pair, text):
    model = LlamaModel(pair.converted("F16"))

    tokens = model.encode(text)

    assert b"".join(map(model.decode_token, tokens)).decode() == text
    assert not {*tokens} & {*pair.tokenizer.added_tokens_decoder}


def test_a_dialogue_is_rendered_the_same(pair):
    model = LlamaModel(pair.converted("F16"))
    messages = [{"role": "user", "content": "yes or no?"}]

    rendered = pair.tokenizer.apply_chat_template(
        messages, tokenize=False, add_generation_prompt=True
    )

    assert model.chat_template == pair.tokenizer.chat_template
    assert rendered == "<|im_start|>user\nyes or no?<|im_end|>\n<|im_start|>assistant\n"


@pytest.mark.parametrize("kind", BOUND)
def test_logits_are_those_of_transformers(pair, kind):
    ours = our_logits(pair.converted(kind), pair.prompts)

    errors = [error(each, right) for each, right in zip(ours, pair.right, strict=True)]

    assert max(errors) < BOUND[kind]


def test_yes_and_no_are_as_likely_as_by_the_recipe(pair):
    question = "What is the capital of China?"
    passages = [TEXTS[name] for name in ("English", "CJK", "emoji", "code", "digits", "nothing")]
    reranker = open_reranker(pair.converted("F16"), RECIPE)

    ours = dict(reranker.judge(question, passages))

    yes, no = pair.tokenizer.convert_tokens_to_ids(["yes", "no"])
    right = {}
    for index, passage in enumerate(passages):
        body = f"<Instruct>: {RECIPE.instruction}\n<Query>: {question}\n<Document>: {passage}"
        tokens = pair.tokenizer(RECIPE.prefix + body + RECIPE.suffix)["input_ids"]
        logits = right_logits(pair.model, tokens)
        right[index] = 1 / (1 + np.exp(logits[no] - logits[yes]))
    assert ours == pytest.approx(right, abs=0.01)
    assert max(right.values()) - min(right.values()) > 0.1  # or any answer would be right


def test_scores_are_those_of_the_class_of_sentence_transformers(tmp_path):
    """Its template gets query and document as messages; its score is yes - no."""
    library = pytest.importorskip("sentence_transformers")
    _, tokenizer = save_qwen3(tmp_path / "hub", seed=3)
    template = (
        f"{RECIPE.prefix}<Instruct>: {RECIPE.instruction}\n<Query>: "
        "{{ (messages | selectattr('role', 'eq', 'query') | first).content }}\n<Document>: "
        "{{ (messages | selectattr('role', 'eq', 'document') | first).content }}"
        + RECIPE.suffix.replace("\n", "{{ '\n' }}")
    )
    convert_checkpoint(tmp_path / "hub", tmp_path / "ours.gguf", dtype="F32")
    tokenizer.chat_template = template
    tokenizer.save_pretrained(tmp_path / "hub")
    encoder = library.CrossEncoder(
        str(tmp_path / "hub"), device="cpu", model_kwargs={"dtype": torch.float32}
    )
    passages = [TEXTS[name] for name in ("English", "CJK", "emoji", "digits")]
    question = "What is the capital of China?"

    margins = encoder.predict(
        [(question, one) for one in passages], activation_fn=torch.nn.Identity()
    )

    ours = dict(open_reranker(tmp_path / "ours.gguf", RECIPE).judge(question, passages))
    assert [ours[place] for place in range(4)] == pytest.approx(
        1 / (1 + np.exp(-np.asarray(margins))), abs=2e-3
    )
    assert max(ours.values()) - min(ours.values()) > 0.1


def test_yarn_stretches_positions_as_transformers_does(tmp_path):
    yarn = {
        "rope_type": "yarn",
        "rope_theta": 1e4,
        "factor": 4.0,
        "original_max_position_embeddings": 64,
    }
    model, tokenizer = save_qwen3(
        tmp_path / "hub", max_position_embeddings=256, rope_parameters=yarn
    )
    convert_checkpoint(tmp_path / "hub", tmp_path / "model.gguf", dtype="F32")
    prompt = tokenizer(TEXTS["many words"])["input_ids"][:250]

    [ours] = our_logits(tmp_path / "model.gguf", [prompt])

    assert error(ours, right_logits(model, prompt)) < 1e-5
