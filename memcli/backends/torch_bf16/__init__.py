"""Models as a hub publishes them, safetensors in BF16, through torch: CPU, CUDA or MPS.

A folder is checked when it is opened and loaded when there is first something to do. This package
never uses the network, and never runs a program that came with a model. Read `causal_lm` first.

causal_lm      a language model, and the sequence that it reads and generates
tokenizer      text to tokens and back
generators     sifter, reader and chat
benchmark      speed, for `mem bench --speed`
reranker       yes or no about passages
embedder       vectors of texts, through sentence-transformers
model_folder   checks that a folder holds a whole model
torch_imports  the libraries: imported late, silent, their errors translated
"""

from memcli.backends.torch_bf16.embedder import TorchEmbedder
from memcli.backends.torch_bf16.generators import TorchChat, TorchReader, TorchSifter
from memcli.backends.torch_bf16.reranker import TorchReranker

__all__ = [
    "TorchChat",
    "TorchEmbedder",
    "TorchReader",
    "TorchReranker",
    "TorchSifter",
]

# Every backend package has these five: its caller chooses the package, and then the role.
open_chat, open_reader, open_sifter = TorchChat, TorchReader, TorchSifter
open_embedder, open_reranker = TorchEmbedder, TorchReranker
