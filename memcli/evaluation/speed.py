"""How fast a model is here, and what our way of reranking makes of it.

Other programs run at the same time, and machines grow hot: two ways of doing the same are measured
in turns, a few passages at a time, and compared turn by turn. Beside the seconds on the clock
stand those of the processor, which other programs disturb less.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter, process_time

from memcli.protocols import Embedder, RerankPrompt

LENGTHS = (64, 128, 256)  # tokens of a passage
HEAD = 60  # tokens before a passage, about
ROUND = 6  # passages judged in a turn: of 64 tokens they fill a batch
SECONDS = 20.0  # after which no new turn begins, where no number of passages was asked for

# The same for every model, so that their figures can be compared.
PROMPT = RerankPrompt(
    prefix="<|im_start|>user\n",
    body="{query}\n{document}",
    suffix="<|im_end|>\n<|im_start|>assistant\n",
    instruction="",
    context=1024,
)
_TICK = 1e-6  # seconds; what a coarse clock did not see took some time, too
_AROUND = 4  # tokens of the head that are not the question's
_WORDS = (
    "in May we flew to Lisbon and met Ann, who had lived there for nine years; she showed us the"
    " old town, paid for the fish, told us which tram to take, and asked when we would come back"
).split()

OURS, PLAIN = 0, 1
Judge = Callable[[str, Sequence[str]], Iterator[tuple[int, float]]]


@dataclass(frozen=True, slots=True)
class Spent:
    """What a piece of work took."""

    seconds: float  # on the clock
    cpu_seconds: float  # of all cores together, user's and system's

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.seconds + other.seconds, self.cpu_seconds + other.cpu_seconds)


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as long the other way took, over the turns."""

    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Contest:
    """Two ways of judging the same passages, in turns."""

    tokens: int  # of each passage
    passages: int  # judged by each
    ours: Spent
    plain: Spent
    times: Ratio
    cpu_times: Ratio
    apart: float  # the most by which two probabilities of the same passage differ


@dataclass(frozen=True, slots=True)
class ModelSpeed:
    """How fast a language model is."""

    name: str
    load: float  # seconds; faster where the system still has the file in memory
    read: float  # tokens of a prompt per second
    write: float  # tokens of a reply per second


@dataclass(frozen=True, slots=True)
class EmbedderSpeed:
    """How fast an embedder is."""

    name: str
    load: float  # seconds, with its library
    texts: float  # of 64 words, per second


class Stopwatch:
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._clock, self._processor = perf_counter(), process_time()

    @property
    def spent(self) -> Spent:
        """What has been spent since."""
        clock, processor = perf_counter() - self._clock, process_time() - self._processor
        return Spent(max(clock, _TICK), max(processor, _TICK))


def rate(work: Callable[[], int], *, repeats: int = 3) -> float:
    """Do something that returns how much it did; return the median of how much per second."""
    rates = []
    for _ in range(repeats):
        began = perf_counter()
        done = work()
        rates.append(done / (perf_counter() - began))
    return median(rates)


def embedder_speed(opened: Callable[[], Embedder]) -> EmbedderSpeed:
    """Open an embedder, and let it embed.

    Raises:
        BackendError: the model failed.
    """
    texts = [text(lambda words: len(words.split()), 64, number) for number in range(32)]
    watch = Stopwatch()
    embedder = opened()
    embedder.embed(["a word"])
    return EmbedderSpeed(
        embedder.name, watch.spent.seconds, texts=rate(lambda: len(embedder.embed(texts)))
    )


def contest(
    ours: Judge,
    plain: Judge,
    count: Callable[[str], int],
    *,
    tokens: int,
    passages: int | None,
) -> Contest:
    """Let two ways judge passages of one length, in turns, each beginning every second turn.

    Args:
        ours: the way that is measured. It is asked the same question in every turn.
        plain: what it is compared with.
        count: how many tokens a text takes.
        tokens: length of the passages.
        passages: how many of them; None is 32, or as many as there is time for.
    """
    question = text(count, HEAD - _AROUND, 0)
    documents = [text(count, tokens, number) for number in range(1, (passages or 32) + 1)]
    turns: list[tuple[Spent, Spent]] = []
    ways = (ours, plain)
    answers: tuple[list[float], list[float]] = ([], [])
    for judge in ways:
        list(judge("warm up", documents[:1]))  # what is made once is made before the first turn
    began = perf_counter()
    for first in range(0, len(documents), ROUND):
        if passages is None and turns and perf_counter() - began > SECONDS:
            break
        part = documents[first : first + ROUND]
        took = {}
        for way in (OURS, PLAIN) if len(turns) % 2 else (PLAIN, OURS):
            clock = Stopwatch()
            answers[way].extend(answer for _, answer in sorted(ways[way](question, part)))
            took[way] = clock.spent
        turns.append((took[OURS], took[PLAIN]))
    return _outcome(tokens, turns, *answers)


def text(count: Callable[[str], int], tokens: int, number: int) -> str:
    """Return a text of so many tokens, or hardly more: the same for the same number."""
    start = number * 7 % len(_WORDS)
    words = [f"{number}:", *_WORDS[start:], *_WORDS[:start]] * (tokens // len(_WORDS) + 1)
    enough = bisect_left(range(len(words)), tokens, key=lambda size: count(" ".join(words[:size])))
    return " ".join(words[:enough])


def _outcome(
    tokens: int, turns: Sequence[tuple[Spent, Spent]], ours: list[float], plain: list[float]
) -> Contest:
    return Contest(
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
