"""Comparison of a GGUF file's header and tensors with the model that it should be.

Nothing here runs the model. `backends.gguf_check` must have found the file whole before: a header
can promise more than the file has.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from memcli.errors import BackendError
from memcli.lazy_dataclasses import dataclass

# Tensors that every block needs, by architecture; without `.weight`.
_BLOCK_TENSORS = {
    "qwen3": "attn_norm attn_q attn_k attn_v attn_output attn_q_norm attn_k_norm"
    " ffn_norm ffn_gate ffn_up ffn_down",
    "bert": "attn_output attn_output_norm ffn_up ffn_down layer_output_norm",
    "nomic-bert": "attn_output attn_output_norm ffn_gate ffn_up ffn_down layer_output_norm",
}
_MODEL_TENSORS = {  # tensors that the model needs once
    "qwen3": "token_embd output_norm",
    "bert": "token_embd token_embd_norm",
    "nomic-bert": "token_embd token_embd_norm",
}


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """The facts in the header of a GGUF file, and its table of tensors."""

    architecture: str
    blocks: int
    dimensions: int
    tokens: frozenset[str]
    vocabulary: int  # number of tokens, repeated ones included
    has_template: bool
    tensors: Mapping[str, tuple[int, ...]]  # shapes by name, innermost dimension first, as in GGUF


def read_header(path: Path) -> GgufHeader:
    """Return the header's facts and the table of tensors.

    Raises:
        BackendError: the file is not a GGUF file that the `gguf` package can read.
    """
    from gguf import GGUFReader

    try:
        reader = GGUFReader(path)
        architecture = str(_value(reader, "general.architecture", ""))
        tokens = _value(reader, "tokenizer.ggml.tokens", [])
        return GgufHeader(
            architecture=architecture,
            blocks=int(_value(reader, f"{architecture}.block_count", 0)),
            dimensions=int(_value(reader, f"{architecture}.embedding_length", 0)),
            tokens=frozenset(tokens),
            vocabulary=len(tokens),
            has_template=bool(_value(reader, "tokenizer.chat_template", "")),
            tensors={one.name: tuple(map(int, one.shape)) for one in reader.tensors},
        )
    # The reader trusts the header: a wrong one makes it fail in these ways.
    except (ValueError, TypeError, LookupError, OverflowError, OSError) as error:
        raise BackendError(f"the header of {path} cannot be read: {error}") from error


def find_faults(
    header: GgufHeader,
    *,
    architecture: str = "",
    blocks: int | None = None,
    dimensions: int | None = None,
    tied: bool | None = None,
    special: tuple[str, ...] = (),
    template: bool = False,
) -> list[str]:
    """Return the faults of a file, one sentence each.

    Args:
        header: the header of the file.
        architecture: the name in GGUF that it must have; empty allows any.
        blocks: the number of blocks that it must have; None allows any.
        dimensions: the length of a token's vector; None allows any.
        tied: True if it must have no output matrix of its own, False if it must have one.
        special: tokens that its vocabulary must have.
        template: whether it must have a chat template.
    """
    found = []
    for name, actual, expected in (
        ("architecture", header.architecture, architecture or None),
        ("number of blocks", header.blocks, blocks),
        ("width", header.dimensions, dimensions),
    ):
        if expected is not None and actual != expected:
            found.append(f"its {name} is {actual}, not {expected}")
    if tied is not None and tied == ("output.weight" in header.tensors):
        found.append(f"it has {'an' if tied else 'no'} output matrix of its own")
    found += [f"its vocabulary has no {token}" for token in special if token not in header.tokens]
    if template and not header.has_template:
        found.append("it has no chat template")
    return found + list(_tensor_faults(header))


def _tensor_faults(header: GgufHeader) -> Iterator[str]:
    """Yield the tensors that are missing or have a shape that contradicts another tensor.

    Only architectures whose blocks are known to be alike are checked.
    """
    if header.architecture not in _BLOCK_TENSORS:
        return
    missing = [
        f"{name}.weight"
        for name in _MODEL_TENSORS[header.architecture].split()
        if f"{name}.weight" not in header.tensors
    ]
    blocks: dict[int, dict[str, tuple[int, ...]]] = defaultdict(dict)
    for name, shape in header.tensors.items():
        place, _, rest = name.removeprefix("blk.").partition(".")
        if name.startswith("blk.") and place.isdigit():
            blocks[int(place)][rest] = shape
    needed = {f"{name}.weight" for name in _BLOCK_TENSORS[header.architecture].split()}
    needed |= set(blocks[0])
    # A damaged count can be billions: it is enough to miss one block more than there are.
    for block in range(min(header.blocks, len(blocks) + 1)):
        missing += [f"blk.{block}.{name}" for name in sorted(needed - set(blocks[block]))]
        yield from (
            f"blk.{block}.{name} is {_sides(shape)}, that of block 0 {_sides(blocks[0][name])}"
            for name, shape in blocks[block].items()
            if shape != blocks[0].get(name, shape)
        )
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        yield f"tensors are missing: {', '.join(missing[:3])}{more}"
    expected = (header.dimensions, header.vocabulary)
    table = header.tensors.get("token_embd.weight", expected)
    if table != expected:
        yield f"token_embd.weight is {_sides(table)}, and its vocabulary needs {_sides(expected)}"


def _sides(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _value(reader: Any, key: str, default: Any) -> Any:  # Any: a header holds any type
    field = reader.get_field(key)
    return default if field is None else field.contents()
