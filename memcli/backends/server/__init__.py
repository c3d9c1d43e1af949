"""Models behind an address: any server that speaks OpenAI's API, and Jina's for reranking.

vLLM, SGLang and llama-server do, and so do the hosts of larger models. Text leaves the machine to
the endpoints that the person configured and to no others. It is sent as the content of messages,
never as a prompt of our own making: a server's template keeps somebody's words apart from markup.
"""

from memcli.backends.server.chat import ServerChat, open_chat
from memcli.backends.server.embedder import ServerEmbedder, open_embedder
from memcli.backends.server.endpoint import Endpoint, Limits, endpoint, once, read_key
from memcli.backends.server.reader import ServerReader, open_reader
from memcli.backends.server.reranker import ServerReranker, open_reranker
from memcli.backends.server.sifter import ServerSifter, open_sifter

__all__ = [
    "Endpoint",
    "Limits",
    "ServerChat",
    "ServerEmbedder",
    "ServerReader",
    "ServerReranker",
    "ServerSifter",
    "endpoint",
    "once",
    "open_chat",
    "open_embedder",
    "open_reader",
    "open_reranker",
    "open_sifter",
    "read_key",
]
