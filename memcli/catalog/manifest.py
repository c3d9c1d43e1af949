"""The manifest of one model."""

from collections.abc import Mapping
from typing import Literal, get_args

from memcli.lazy_dataclasses import dataclass, field
from memcli.protocols import DEFAULT_THOUGHT_TOKENS, RerankPrompt, Sampling

ModelRole = Literal["embedder", "reranker", "sifter", "reader", "chat"]
Pooling = Literal["cls", "mean", "last"]
ROLES: tuple[ModelRole, ...] = get_args(ModelRole)

VISIBLE_SHARE = 0.94  # the least share of a machine's memory that programs see

CHECKPOINT_FILES = (  # patterns of the files to download from a repository of safetensors
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
class ExpectedHeader:
    """The facts that the header of the weights must have; None and empty allow any."""

    architecture: str = ""  # the name in GGUF
    blocks: int | None = None
    dimensions: int | None = None  # length of a token's vector
    tied: bool | None = None  # whether the embedding is also the output matrix


@dataclass(frozen=True, slots=True)
class ReferenceRanking:
    """A question, and passages from the best to the worst answer to it."""

    question: str
    passages: tuple[str, ...]
    # Published scores of the passages: yes - no of a reranker, in logits; cosine of an embedder.
    scores: tuple[float, ...] = ()
    min_gap: float = 0.0  # between the first and the last, in probability or cosine


@dataclass(frozen=True, slots=True)
class EmbeddingSettings:
    """The way in which an embedder makes one vector of a text."""

    pooling: Pooling
    question_prefix: str = ""
    passage_prefix: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A known model. `prompt` holds the wire format of its role."""

    name: str
    role: ModelRole
    context: int  # tokens
    repository: str = ""
    revision: str = "main"
    files: tuple[str, ...] = CHECKPOINT_FILES  # patterns
    licence: str = ""
    parameters: int = 0
    file: str = ""  # path of the person's own weights, if they are not in the models folder
    prompt: Mapping[str, str] = field(default_factory=dict)
    sampling: Sampling = field(default_factory=Sampling)
    thought_tokens: int = DEFAULT_THOUGHT_TOKENS  # most that it thinks, if there is time
    # The publication that settings are from, by the manifest's table: sampling, generation.
    sources: Mapping[str, str] = field(default_factory=dict)
    # Quantizations with the memory in GiB from which each is the default; best last.
    quantizations: Mapping[str, float] = field(default_factory=dict)
    gguf: Mapping[str, PublishedFile] = field(default_factory=dict)  # by quantization
    expected_header: ExpectedHeader = ExpectedHeader()
    special: tuple[str, ...] = ()  # tokens that the vocabulary must have
    embedding: EmbeddingSettings | None = None
    checks: tuple[ReferenceRanking, ...] = ()
    wording_url: str = ""  # of the authors' own prompt, used instead of ours once it is fetched

    def quantization_for(self, memory: float) -> str | None:
        """Return the best quantization for so many GiB of memory, None if all need more.

        Of a machine that is sold with 8 or 24 GiB, its firmware and graphics keep a part: 7.7 or
        23.5 are visible. The manifests name what is sold.
        """
        sold = memory / VISIBLE_SHARE
        fitting = [name for name, least in self.quantizations.items() if least <= sold]
        return max(fitting, key=lambda name: self.quantizations[name], default=None)

    def rerank_prompt(self) -> RerankPrompt:
        """Return the prompt of a reranker."""
        return RerankPrompt(**self.prompt, context=self.context)
