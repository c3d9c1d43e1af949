"""Measures how fast a model runs on this machine, and how much our way of reranking gains.

Other programs run at the same time, and machines grow hot: two ways of doing the same are measured
in turns, a few passages at a time, and compared turn by turn. Beside the seconds on the clock
stand those of the processor, which other programs disturb less.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from time import perf_counter, process_time
from typing import Annotated

from memcli.lazy_dataclasses import dataclass
from memcli.protocols import Embedder, RerankPrompt

LENGTHS = (64, 128, 256)  # tokens of a passage
HEAD = 60  # tokens before a passage, about
ROUND = 6  # passages judged in a turn: of 64 tokens they fill a batch
SECONDS = 20.0  # after which no new turn begins, where no number of passages is given

# The prompt is the same for every model, so that their figures can be compared.
PROMPT = RerankPrompt(
    prefix="<|im_start|>user\n",
    body="{query}\n{document}",
    suffix="<|im_end|>\n<|im_start|>assistant\n",
    instruction="",
    context=1024,
)
_TICK = 1e-6  # seconds; work that a coarse clock did not see took some time, too
_TEMPLATE_TOKENS = 4  # tokens of the head that are not the question's
_WORDS = (
    "in May we flew to Lisbon and met Ann, who had lived there for nine years; she showed us the"
    " old town, paid for the fish, told us which tram to take, and asked when we would come back"
).split()

OURS, PLAIN = 0, 1
JudgePassages = Callable[[str, Sequence[str]], Iterator[tuple[int, float]]]


@dataclass(frozen=True, slots=True)
class ElapsedTime:
    """The time that a piece of work took."""

    seconds: float  # on the clock
    cpu_seconds: float  # of all cores together, user's and system's

    def __add__(self, other: "ElapsedTime") -> "ElapsedTime":
        return ElapsedTime(self.seconds + other.seconds, self.cpu_seconds + other.cpu_seconds)


@dataclass(frozen=True, slots=True)
class Ratio:
    """The time of the other way, as a multiple of ours, over all turns."""

    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class RerankComparison:
    """Two ways of judging the same passages, in turns."""

    tokens: int  # of each passage
    passages: int  # judged by each
    ours: ElapsedTime
    plain: ElapsedTime
    times: Ratio
    cpu_times: Ratio
    apart: float  # the largest difference between two probabilities of the same passage


@dataclass(frozen=True, slots=True)
class ModelSpeed:
    """The speed of a language model."""

    name: str
    load: float  # seconds; faster where the system still has the file in memory
    read: float  # tokens of a prompt per second
    write: float  # tokens of a reply per second


@dataclass(frozen=True, slots=True)
class EmbedderSpeed:
    """The speed of the embedder."""

    name: str
    load: Annotated[float, "Seconds, with its library."]
    texts: Annotated[float, "Of 64 words, per second."]


@dataclass(frozen=True, slots=True)
class WorkComparison:
    """The same work done in our way and in another one, in turns."""

    model: str
    name: str  # of the other way
    times: Ratio
    cpu_times: Ratio


class Stopwatch:
    """A clock that runs from when it is made."""

    def __init__(self) -> None:
        self._clock, self._processor = perf_counter(), process_time()

    @property
    def elapsed(self) -> ElapsedTime:
        """The time since the stopwatch was made."""
        clock, processor = perf_counter() - self._clock, process_time() - self._processor
        return ElapsedTime(max(clock, _TICK), max(processor, _TICK))


def measure_rate(work: Callable[[], int], *, repeats: int = 3) -> float:
    """Return the median of units of work per second.

    Args:
        work: does some work and returns how many units it did.
        repeats: runs of it.
    """
    rates = []
    for _ in range(repeats):
        began = perf_counter()
        done = work()
        rates.append(done / (perf_counter() - began))
    return median(rates)


def measure_embedder(open_embedder: Callable[[], Embedder]) -> EmbedderSpeed:
    """Open an embedder, and let it embed.

    Raises:
        BackendError: the model failed.
    """
    texts = [make_text(lambda words: len(words.split()), 64, number) for number in range(32)]
    watch = Stopwatch()
    embedder = open_embedder()
    embedder.embed(["a word"])
    load = watch.elapsed.seconds
    return EmbedderSpeed(
        name=embedder.name, load=load, texts=measure_rate(lambda: len(embedder.embed(texts)))
    )


def compare_reranking(
    ours: JudgePassages,
    plain: JudgePassages,
    count: Callable[[str], int],
    *,
    tokens: int,
    passages: int | None,
) -> RerankComparison:
    """Let two ways judge passages of one length, in turns, each beginning every second turn.

    Args:
        ours: the way that is measured. It gets the same question in every turn.
        plain: the way that it is compared with.
        count: returns the number of tokens of a text.
        tokens: length of the passages.
        passages: number of passages; None is 32, or as many as there is time for.
    """
    question = make_text(count, HEAD - _TEMPLATE_TOKENS, 0)
    documents = [make_text(count, tokens, number) for number in range(1, (passages or 32) + 1)]
    turns: list[tuple[ElapsedTime, ElapsedTime]] = []
    ways = (ours, plain)
    answers: tuple[list[float], list[float]] = ([], [])
    for judge in ways:
        list(judge("warm up", documents[:1]))  # caches are filled before the first turn
    began = perf_counter()
    for first in range(0, len(documents), ROUND):
        if passages is None and turns and perf_counter() - began > SECONDS:
            break
        part = documents[first : first + ROUND]
        took = {}
        for way in (OURS, PLAIN) if len(turns) % 2 else (PLAIN, OURS):
            clock = Stopwatch()
            answers[way].extend(answer for _, answer in sorted(ways[way](question, part)))
            took[way] = clock.elapsed
        turns.append((took[OURS], took[PLAIN]))
    return _summarize_turns(tokens, turns, *answers)


def compare_work(
    model: str,
    name: str,
    ours: Callable[[], object],
    other: Callable[[], object],
    *,
    turns: int = 5,
) -> WorkComparison:
    """Do the same work in two ways, in turns, each beginning every second turn.

    Args:
        model: name of the model that works.
        name: of the other way.
        ours: our way.
        other: the way that it is compared with.
        turns: most turns; no new one begins after SECONDS.
    """
    for work in (ours, other):
        work()  # caches are filled before the first turn
    done: list[tuple[ElapsedTime, ElapsedTime]] = []
    began = perf_counter()
    while not done or (len(done) < turns and perf_counter() - began < SECONDS):
        took = {}
        for way in (OURS, PLAIN) if len(done) % 2 else (PLAIN, OURS):
            clock = Stopwatch()
            (ours, other)[way]()
            took[way] = clock.elapsed
        done.append((took[OURS], took[PLAIN]))
    return WorkComparison(
        model,
        name,
        _ratio([other.seconds / one.seconds for one, other in done]),
        _ratio([other.cpu_seconds / one.cpu_seconds for one, other in done]),
    )


def make_text(count: Callable[[str], int], tokens: int, number: int) -> str:
    """Return a text of so many tokens, or hardly more: the same for the same number."""
    start = number * 7 % len(_WORDS)
    words = [f"{number}:", *_WORDS[start:], *_WORDS[:start]] * (tokens // len(_WORDS) + 1)
    enough = bisect_left(range(len(words)), tokens, key=lambda size: count(" ".join(words[:size])))
    return " ".join(words[:enough])


def _summarize_turns(
    tokens: int,
    turns: Sequence[tuple[ElapsedTime, ElapsedTime]],
    ours: list[float],
    plain: list[float],
) -> RerankComparison:
    return RerankComparison(
        tokens=tokens,
        passages=len(ours),
        ours=sum((one for one, _ in turns[1:]), turns[0][0]),
        plain=sum((other for _, other in turns[1:]), turns[0][1]),
        times=_ratio([other.seconds / one.seconds for one, other in turns]),
        cpu_times=_ratio([other.cpu_seconds / one.cpu_seconds for one, other in turns]),
        apart=max(abs(one - other) for one, other in zip(ours, plain, strict=True)),
    )


def _ratio(ratios: Sequence[float]) -> Ratio:
    return Ratio(median(ratios), min(ratios), max(ratios))
