"""GGUF models through llama.cpp, on the CPU or whatever its build offloads to.

A file is checked when it is opened and loaded when there is first something to do, so scores and
rankings that are remembered from earlier runs cost no loading.
"""

from memcli.backends.llama.embedder import LlamaEmbedder, open_embedder
from memcli.backends.llama.quantize import quantize
from memcli.backends.llama.reranker import LlamaReranker, open_reranker
from memcli.backends.llama.writer import LlamaChat, LlamaReader, LlamaSifter

open_chat, open_reader, open_sifter = LlamaChat, LlamaReader, LlamaSifter

__all__ = [
    "LlamaChat",
    "LlamaEmbedder",
    "LlamaReader",
    "LlamaReranker",
    "LlamaSifter",
    "open_chat",
    "open_embedder",
    "open_reader",
    "open_reranker",
    "open_sifter",
    "quantize",
]
