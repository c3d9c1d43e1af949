"""The description of a known model for `mem models show`."""

from collections.abc import Iterator

from memcli.catalog import Manifest
from memcli.cli.models.inventory import human_size
from memcli.weights.recommend import ModelChoice

_GENERATING_ROLES = ("sifter", "reader", "chat")


def describe_model(known: Manifest) -> Iterator[str]:
    """Yield the lines that describe a model: origin, memory, settings with their source, prompt."""
    yield f"{known.name}: {known.role}"
    if known.repository:
        yield f"  repository    {known.repository}, revision {known.revision}"
    if known.licence:
        yield f"  licence       {known.licence}"
    if known.parameters:
        yield f"  parameters    {known.parameters:,}"
    if known.file:
        yield f"  file          {known.file}"
    yield f"  context       {known.context:,} tokens"
    for name, memory in known.quantizations.items():
        yield f"  {name:<12}  {_needs(ModelChoice(known, name))}, the default from {memory:g} GiB"
    if known.role in _GENERATING_ROLES:
        yield from _describe_generation(known)
    for check in known.checks:
        scores = f", published scores {', '.join(map(str, check.scores))}" if check.scores else ""
        yield f'  verified by   "{check.question}": {len(check.passages)} passages{scores}'
    if known.wording_url:
        yield f"  wording       {known.wording_url}"
    for field, text in known.prompt.items():
        yield f"  prompt, {field}:"
        yield from (f"    {line}" for line in text.splitlines())


def _needs(choice: ModelChoice) -> str:
    """Return what a quantization takes of disk and memory."""
    if not choice.manifest.parameters:
        return "of unknown size"
    memory = human_size(choice.running_memory)
    return f"{human_size(choice.size)}, needs {memory} of memory to run"


def _describe_generation(known: Manifest) -> Iterator[str]:
    sampling = known.sampling
    limits = [f"top_p {sampling.top_p:g}"] if sampling.top_p < 1 else []
    limits += [f"top_k {sampling.top_k}"] if sampling.top_k > 0 else []
    settings = ", ".join([f"temperature {sampling.temperature:g}", *limits])
    yield f"  sampling      {settings}{_source(known, 'sampling')}"
    thought = f"at most {known.thought_tokens:,} tokens"
    yield f"  thought       {thought}{_source(known, 'generation')}"


def _source(known: Manifest, table: str) -> str:
    source = known.sources.get(table)
    return f" (source: {source})" if source else " (source: memcli's default)"
