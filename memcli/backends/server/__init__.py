"""Models behind an address: any server that speaks OpenAI's API, and Jina's for reranking.

vLLM, SGLang and llama-server do, and so do the hosts of larger models. Text leaves the machine to
the endpoints that the person configured and to no others. Names of special tokens inside it are
broken up first: a server's template keeps messages apart, but not such names.
Read `endpoint` and `http` first, then `reranking`.

endpoint          an address, its limits and its key
http              requests, their retries and their errors
response          bounded reading of replies: JSON, or server-sent events
timeouts          slow work in threads, with time limits
chat              chat completions, and the chat role
thinking_reply    a whole reply of a model that thinks first
thought_splitter  the end of a thought in a stream of text
tool_calls        tool calls: found in a text, and checked against their schema
reader            a thought and a tool call
sifter            a thought and a ranking
reranking/        yes or no about passages, from servers that passed a trial
plain_text        people's text without special tokens
embedder          vectors of texts
token_estimate    estimated numbers of tokens
"""

from memcli.backends.server.chat import ServerChat
from memcli.backends.server.embedder import ServerEmbedder
from memcli.backends.server.endpoint import Endpoint, Limits, note_once, parse_endpoint, read_key
from memcli.backends.server.reader import ServerReader
from memcli.backends.server.reranking.reranker import ServerReranker
from memcli.backends.server.sifter import ServerSifter

__all__ = [
    "Endpoint",
    "Limits",
    "ServerChat",
    "ServerEmbedder",
    "ServerReader",
    "ServerReranker",
    "ServerSifter",
    "note_once",
    "parse_endpoint",
    "read_key",
]

# Every backend package has these five: its caller chooses the package, and then the role.
open_chat, open_reader, open_sifter = ServerChat, ServerReader, ServerSifter
open_embedder, open_reranker = ServerEmbedder, ServerReranker
