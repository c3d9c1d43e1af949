"""GGUF models through llama.cpp, on the CPU or on the accelerator that its build offloads to.

A file is checked when it is opened and loaded when there is first something to do, so scores and
rankings that are stored from earlier runs cost no loading. Read `model` and `context` first, then
`reranker`.

model              the weights and the vocabulary of one file
context            the memory of one job over a model: tokens in, logits or a sampled token out
sequence           the one sequence of a context that generates
generators         sifter, reader and chat
reranker           yes or no about passages, with one shared beginning
embedder           vectors of texts; `embedding_context` is its low-level half
wordpiece          BERT's tokenizer
batches            groups of sequences that are computed together
sampler            the sampling of the next token
gpu_offload        layers on the GPU, and the type of the cache of keys and values
quantize           smaller weights
benchmark          speed, for `mem bench --speed`
host               the accelerators, cores and memory of this machine
library, abort     llama.cpp itself, and stopping it
"""

from memcli.backends.llama.embedder import LlamaEmbedder
from memcli.backends.llama.generators import LlamaChat, LlamaReader, LlamaSifter
from memcli.backends.llama.quantize import quantize
from memcli.backends.llama.reranker import LlamaReranker

__all__ = [
    "LlamaChat",
    "LlamaEmbedder",
    "LlamaReader",
    "LlamaReranker",
    "LlamaSifter",
    "quantize",
]

# Every backend package has these five: its caller chooses the package, and then the role.
open_chat, open_reader, open_sifter = LlamaChat, LlamaReader, LlamaSifter
open_embedder, open_reranker = LlamaEmbedder, LlamaReranker
