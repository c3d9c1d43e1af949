"""The servers that memcli was tried against, for mem-models(1)."""

INTRODUCTION = """
A model may be the address of a server and, after a `#`, its name there. A served reranker is
believed only once it has scored pairs rightly whose answers are known. The pairs are those of the
model's manifest, or built-in ones in four languages. They are put to its rerank endpoint, with the
question alone and with the whole prompt that the model was trained on, then to its chat with
log-probabilities, and last to a completion. The first way that gives the right scores is used for a
day; `mem models verify ADDRESS` repeats the trial. If none does, the exit status is 7.

"Real" below means that our tests run the server itself, "replayed" that they replay its answers as
its documentation or its code has them.
"""
SERVERS = {
    "llama-server (llama.cpp)": "Start it with the model's GGUF file and `--jinja`, without"
    " `--reranking`: files of these models have no classifier, so that its rerank endpoint answers"
    " nearly the same to everything. A reranker is asked by chat. Real.",
    "llama-cpp-python's server": "Start it with `logits_all` for a reranker, which is asked by"
    " chat. Real.",
    "vLLM, rerankers": "`vllm serve MODEL --runner pooling --hf_overrides"
    ' \'{"architectures": ["Qwen3ForSequenceClassification"], "classifier_from_token": ["no",'
    ' "yes"], "is_original_qwen3_reranker": true}\'`. It has no prompt of its own: memcli sends'
    " the whole one, instruction included, to `/v1/rerank` or `/v1/score`. Without these options"
    " its chat is asked. Replayed.",
    "vLLM, readers and sifters": "`vllm serve MODEL --enable-auto-tool-choice --tool-call-parser"
    " hermes`. Without a parser memcli reads the calls itself. Replayed.",
    "vLLM, offline class": "memcli does not open it: serve the model as above, or use the weights"
    " as published with `mem models pull NAME --backend torch`.",
    "SGLang": "`python -m sglang.launch_server --model-path MODEL`, with `--tool-call-parser"
    " qwen25` for a reader. `/v1/rerank` needs a chat template for rerankers; otherwise the chat"
    " is asked. Replayed.",
    "Text Embeddings Inference": "Its address has no `/v1`: `http://127.0.0.1:8080#name`."
    " Replayed.",
    "Infinity": "`/rerank`, beside `/v1` or with `--url-prefix /v1` below it. Replayed.",
    "LM Studio, Ollama": "Neither reranks; the chat is asked. Ollama sends log-probabilities from"
    " 0.12.11 on. LM Studio's errors with status 200 are recognized. Replayed.",
    "Memos Rerank API": "`memos-reranker-0.6b` and `memos-reranker-4b`, with the key in"
    " `MEMOS_API_KEY`. At most 8,000 tokens of documents are sent in a request. Replayed.",
    "Other OpenAI-compatible servers": "The chat has to send `logprobs` with `top_logprobs` for a"
    " reranker; sifters, readers and chats need only `/v1/chat/completions`. Replayed.",
    "transformers, sentence-transformers": "No server: `mem models pull NAME --backend torch` uses"
    " the weights as published, and p(yes) is the sigmoid of what `CrossEncoder.predict` returns."
    " Real, with random weights.",
}
