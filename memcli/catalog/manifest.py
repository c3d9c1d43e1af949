"""What is known of one model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from memcli.protocols import RerankPrompt, Sampling

ModelRole = Literal["embedder", "reranker", "sifter", "reader", "chat"]
Pooling = Literal["cls", "mean", "last"]
ROLES: tuple[ModelRole, ...] = get_args(ModelRole)

CHECKPOINT = (  # what is needed of a repository of safetensors
    "*.safetensors",
    "*.safetensors.index.json",
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "chat_template.jinja",
    "modules.json",
    "1_Pooling/config.json",
)


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A GGUF file on a hub."""

    repository: str
    revision: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Shape:
    """What the header of the weights must say; None and empty leave it open."""

    architecture: str = ""  # as GGUF calls it
    blocks: int | None = None
    dimensions: int | None = None  # of a token's vector
    tied: bool | None = None  # whether the output matrix is the one of the embeddings


@dataclass(frozen=True, slots=True)
class Check:
    """A question, and passages from the best to the worst answer to it."""

    question: str
    passages: tuple[str, ...]
    # Published, one a passage: yes - no of a reranker, in logits; cosine of an embedder.
    scores: tuple[float, ...] = ()
    apart: float = 0.0  # least distance of the first and the last, in probability or cosine


@dataclass(frozen=True, slots=True)
class Embedding:
    """How an embedder makes one vector of a text."""

    pooling: Pooling
    question_prefix: str = ""
    passage_prefix: str = ""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file of the model's authors that is used instead of our wording, where it is present."""

    url: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A known model. `prompt` holds the wire format of its role."""

    name: str
    role: ModelRole
    context: int  # tokens
    repository: str = ""
    revision: str = "main"
    files: tuple[str, ...] = CHECKPOINT  # patterns
    licence: str = ""
    parameters: int = 0
    file: str = ""  # a path: the person's own weights, wherever they are
    prompt: Mapping[str, str] = field(default_factory=dict)
    sampling: Sampling = field(default_factory=Sampling)
    # Offered ones, each with the memory in GiB from which it is the default; best last.
    quantizations: Mapping[str, float] = field(default_factory=dict)
    gguf: Mapping[str, PublishedFile] = field(default_factory=dict)  # by quantization
    shape: Shape = Shape()
    special: tuple[str, ...] = ()  # tokens that its vocabulary must have
    embedding: Embedding | None = None
    checks: tuple[Check, ...] = ()
    artefact: Artefact | None = None

    def quantization_for(self, memory: float) -> str | None:
        """Return the best quantization for so many GiB of memory, None where all need more."""
        fitting = [name for name, least in self.quantizations.items() if least <= memory]
        return max(fitting, key=lambda name: self.quantizations[name], default=None)

    def rerank_prompt(self) -> RerankPrompt:
        """Return how a reranker is asked."""
        return RerankPrompt(**self.prompt, context=self.context)
