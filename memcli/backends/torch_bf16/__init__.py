"""Models as a hub publishes them, safetensors in BF16, through torch: CPU, CUDA or MPS.

A folder is checked when it is opened and loaded when there is first something to do. Nothing here
uses the network, and no program that came with a model is run.
"""

from memcli.backends.torch_bf16.embedder import TorchEmbedder, open_embedder
from memcli.backends.torch_bf16.reranker import TorchReranker, open_reranker
from memcli.backends.torch_bf16.writer import TorchChat, TorchReader, TorchSifter

open_chat, open_reader, open_sifter = TorchChat, TorchReader, TorchSifter

__all__ = [
    "TorchChat",
    "TorchEmbedder",
    "TorchReader",
    "TorchReranker",
    "TorchSifter",
    "open_chat",
    "open_embedder",
    "open_reader",
    "open_reranker",
    "open_sifter",
]
