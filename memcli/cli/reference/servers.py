"""The ways to run models that memcli was tried against, for mem-models(1)."""

from typing import Literal

from memcli.lazy_dataclasses import dataclass

INTRODUCTION = """
A model runs on this machine, or is the address of a server and, after a `#`, its name there. A
served reranker is believed only once it has scored pairs rightly whose answers are known. The pairs
are those of the model's manifest, or built-in ones in four languages. They are put to its rerank
endpoint, with the question alone and with the whole prompt that the model was trained on, then to
its chat with log-probabilities, and last to a completion. The first way that gives the right scores
is used for a day; `mem models verify ADDRESS` repeats the trial. If none does, the exit status is
7. Fields of requests that a server refuses are not sent again for a day.

"Real" below means that our tests run the software itself, "replayed" that they replay its answers
as its documentation or its code has them. vLLM and SGLang are replayed because the wheels on the
package index are built for GPUs, and Ollama, LM Studio and Text Embeddings Inference because no
package brings their programs.
"""


@dataclass(frozen=True, slots=True)
class EngineRow:
    """One way to run models: a row of the table of mem-models(1)."""

    name: str
    route: str  # by which models are asked, by role
    verified: Literal["real", "replayed"]
    against: str  # the software, the model or the documentation that it was verified against
    start: str  # whole sentences about what it needs to be started with
    tests: tuple[str, ...]  # files and names of tests, as pytest has them

    @property
    def text(self) -> str:
        """The row in words."""
        verified = "Real" if self.verified == "real" else "Replayed"
        return f"{self.start} Route: {self.route}. {verified}: {self.against}."


_SCORED = "tests/backends/test_served_rerankers.py::"
_REAL = "tests/backends/test_server_real.py::"
_REPLAYED = "tests/backends/test_server_replays.py::"
_READER = "tests/backends/test_server_reader.py::"

ENGINES = (
    EngineRow(
        "llama.cpp, on this machine",
        "the logits of yes and no; a thought and a constrained answer",
        "real",
        "random and small real models, beside transformers on the same weights",
        "`mem models pull NAME`, with the extra `llama`.",
        (
            "tests/weights/test_parity_qwen3.py::test_logits_are_those_of_transformers",
            "tests/weights/test_parity_qwen3.py::test_yes_and_no_are_as_likely_as_by_the_recipe",
        ),
    ),
    EngineRow(
        "transformers",
        "the logits of yes and no; a thought and a constrained answer",
        "real",
        "random models, beside llama.cpp on the same weights",
        "`mem models pull NAME --backend torch` uses the weights as published, with the extra"
        " `torch`.",
        (
            "tests/backends/torch_bf16/test_torch_reranker.py::test_torch_and_llama_rank_alike",
            "tests/backends/torch_bf16/test_torch_writing.py"
            "::test_torch_and_llama_rank_sessions_alike",
        ),
    ),
    EngineRow(
        "sentence-transformers",
        "p(yes), the sigmoid of what `CrossEncoder.predict` returns",
        "real",
        "random models, beside its own CrossEncoder",
        "As for transformers; memcli does not open its class.",
        (
            "tests/weights/test_parity_qwen3.py"
            "::test_scores_are_those_of_the_class_of_sentence_transformers",
        ),
    ),
    EngineRow(
        "vLLM, offline class",
        "the prompts of the model card, token by token",
        "real",
        "the prompts that transformers' tokenizer and template make; the class itself needs a GPU",
        "memcli does not open the class: serve the model as below, or pull it with `--backend"
        " torch`.",
        (
            "tests/weights/test_parity_qwen3.py::test_a_dialogue_is_rendered_the_same",
            "tests/weights/test_parity_qwen3.py::test_markup_becomes_the_same_tokens",
        ),
    ),
    EngineRow(
        "vLLM, rerankers",
        "`/v1/rerank` or `/v1/score`, with the whole prompt where it has no template",
        "replayed",
        "its documentation",
        "`vllm serve MODEL --runner pooling --hf_overrides"
        ' \'{"architectures": ["Qwen3ForSequenceClassification"], "classifier_from_token": ["no",'
        ' "yes"], "is_original_qwen3_reranker": true}\'`. Without these options its chat is asked.',
        (
            f"{_SCORED}test_a_server_without_a_template_gets_the_prompt_that_the_model_was_trained_on",
            f"{_REPLAYED}test_an_old_vllm_with_score_alone_gets_the_whole_prompt",
        ),
    ),
    EngineRow(
        "vLLM, readers and sifters",
        "`/v1/chat/completions`",
        "replayed",
        "its documentation",
        "`vllm serve MODEL --enable-auto-tool-choice --tool-call-parser hermes`. Without a parser"
        " memcli reads the calls itself.",
        (
            f"{_READER}"
            "test_a_server_without_a_parser_of_calls_keeps_its_thought_and_is_not_asked_in_vain_again",
        ),
    ),
    EngineRow(
        "SGLang",
        "`/v1/rerank`, else the chat",
        "replayed",
        "its documentation and its code",
        "`python -m sglang.launch_server --model-path MODEL`, with `--chat-template"
        " qwen3_reranker.jinja` for a reranker and `--tool-call-parser qwen25` for a reader.",
        (
            f"{_SCORED}test_every_rerank_endpoint_is_found_and_read[sglang]",
            f"{_REPLAYED}test_the_instruction_arrives_where_the_server_fills_the_template",
        ),
    ),
    EngineRow(
        "llama-server (llama.cpp)",
        "the chat; its rerank endpoint only if that scores rightly",
        "real",
        "the server in the package xllamacpp",
        "Start it with the model's GGUF file and `--jinja`, without `--reranking`: files of these"
        " models have no classifier, so that its rerank endpoint answers nearly the same to"
        " everything, which memcli notices and names.",
        (
            f"{_REAL}test_a_real_reranker_is_asked_by_a_way_on_which_it_is_right",
            f"{_REPLAYED}test_a_llama_server_with_reranking_is_asked_by_chat_and_the_flag_is_named_once",
        ),
    ),
    EngineRow(
        "llama-cpp-python's server",
        "the chat",
        "real",
        "the server in the package llama-cpp-python",
        "Start it with `logits_all` for a reranker.",
        (
            f"{_REAL}test_a_real_reranker_passes_its_trial_at_llama_cpp_pythons_server",
            f"{_REAL}test_yes_or_no_is_what_the_model_itself_would_say",
            f"{_REAL}test_a_model_that_never_learned_to_call_a_tool_calls_one_all_the_same",
        ),
    ),
    EngineRow(
        "transformers serve",
        "the chat, for sifters, readers and chats",
        "real",
        "the server in the package transformers",
        "`transformers serve MODEL`, with `accelerate`. It sends no log-probabilities, so it serves"
        " no reranker.",
        (f"{_REAL}test_transformers_serve_gets_every_field_but_the_one_that_it_refuses",),
    ),
    EngineRow(
        "Ollama",
        "the chat; `/v1/embeddings`",
        "replayed",
        "its code",
        "It sends log-probabilities, which a reranker needs, from 0.12.11 on. It cuts prompts that"
        " exceed its context, 4,096 tokens by default, so start it with"
        " `OLLAMA_CONTEXT_LENGTH=32768`. A reader's Modelfile needs a TEMPLATE with tools.",
        (
            f"{_REPLAYED}test_ollama_judges_by_chat",
            f"{_REPLAYED}test_ollama_thinks_and_ranks",
            f"{_REPLAYED}test_ollama_thinks_and_calls",
            f"{_REPLAYED}test_a_server_that_read_far_less_than_it_was_sent_is_named",
        ),
    ),
    EngineRow(
        "LM Studio",
        "the chat",
        "replayed",
        "its answers as seen, with errors inside status 200",
        "Nothing special.",
        (f"{_SCORED}test_every_server_without_one_is_asked_by_chat[lm_studio]",),
    ),
    EngineRow(
        "Text Embeddings Inference",
        "`/rerank` with `texts`",
        "replayed",
        "its documentation",
        "Its address has no `/v1`: `http://127.0.0.1:8080#name`.",
        (f"{_SCORED}test_every_rerank_endpoint_is_found_and_read[tei]",),
    ),
    EngineRow(
        "Infinity",
        "`/rerank` and `/embeddings`, beside `/v1` or with `--url-prefix /v1` below it",
        "real",
        "the server in the package infinity-emb 0.0.78, with a cross-encoder and an embedder",
        "`infinity_emb v2 --model-id MODEL`, from an environment of its own: its dependencies"
        " exclude those of memcli.",
        (
            f"{_REAL}test_a_real_cross_encoder_is_verified_at_infinity_and_behind_litellm",
            f"{_REAL}test_vectors_come_from_infinity_and_from_behind_litellm",
            f"{_SCORED}test_every_rerank_endpoint_is_found_and_read[infinity]",
        ),
    ),
    EngineRow(
        "LiteLLM's proxy",
        "`/v1/rerank`, `/v1/embeddings`, passed on to the server behind it",
        "real",
        "the proxy in the package litellm 1.108.7 before Infinity",
        "The server behind it is what is verified: put it into the proxy's `model_list` as"
        " `infinity/NAME` for a reranker, as `openai/NAME` otherwise.",
        (f"{_REAL}test_a_real_cross_encoder_is_verified_at_infinity_and_behind_litellm",),
    ),
    EngineRow(
        "Memos Rerank API",
        "`/rerank`",
        "replayed",
        "its documentation",
        "`memos-reranker-0.6b` and `memos-reranker-4b`, with the key in `MEMOS_API_KEY`. At most"
        " 8,000 tokens of documents are sent in a request.",
        (
            f"{_SCORED}test_every_rerank_endpoint_is_found_and_read[memos]",
            f"{_SCORED}test_all_documents_of_a_request_stay_within_the_limit_of_the_memos_api",
        ),
    ),
    EngineRow(
        "Other OpenAI-compatible servers",
        "`/v1/chat/completions`, `/v1/rerank`, `/v1/embeddings`",
        "replayed",
        "OpenAI's and Jina's documentation",
        "For a reranker without a rerank endpoint, the chat has to send `logprobs` with"
        " `top_logprobs`.",
        (
            f"{_SCORED}test_every_rerank_endpoint_is_found_and_read[strict]",
            f"{_REPLAYED}test_refused_fields_are_remembered_across_runs_for_a_day",
        ),
    ),
)
