"""Measure how well `mem` finds the sessions that answer, with no language model.

    python tests/measure.py locomo locomo10.json
    python tests/measure.py locomo locomo10.json --strangers
    python tests/measure.py longmemeval longmemeval_s.json [--pooled]

Everything goes the way it goes for a person: exports on disk, the importers, a database, the
built-in embedder, the first stage. The data sets are not part of this repository:

- LoCoMo: https://github.com/snap-research/locomo (`data/locomo10.json`)
- LongMemEval: https://github.com/xiaowu0162/LongMemEval (`longmemeval_s.json`)
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from math import log2
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from memcli.backends.builtin import WordLlamaEmbedder
from memcli.errors import InputError, MemError
from memcli.formats import Reading, load
from memcli.pipeline.ask import LEAST
from memcli.pipeline.ingest import ingest
from memcli.pipeline.retrieve import retrieve
from memcli.protocols import Embedder
from memcli.store import Filters, Store

DEPTH = 50  # sessions ranked for a question; gold further down counts as not found
ABSTENTION = "abstention"  # questions whose answer is in no session: shown, but not in `all`

# Metrics. A ranking is best first and without repeats; gold is what answers, at least one.


def any_at(k: int, ranking: Sequence[str], gold: AbstractSet[str]) -> float:
    """Return 1 where the first k have any of the gold, else 0.

    Also called hit rate, success@k; what LongMemEval calls recall_any@k.

    Source:
        Wu et al., LongMemEval, ICLR 2025.
    """
    return float(any(_hits(ranking[:k], gold)))


def all_at(k: int, ranking: Sequence[str], gold: AbstractSet[str]) -> float:
    """Return 1 where the first k have all of the gold, else 0; always 0 with more gold than k.

    What LongMemEval calls recall_all@k.

    Source:
        Wu et al., LongMemEval, ICLR 2025.
    """
    return float(sum(_hits(ranking[:k], gold)) == len(gold))


def recall_at(k: int, ranking: Sequence[str], gold: AbstractSet[str]) -> float:
    """Return the share of the gold that is in the first k, in [0, 1].

    With more gold than k it stays below 1.

    Source:
        Manning, Raghavan and Schütze, Introduction to Information Retrieval, 2008, 8.4.
    """
    return sum(_hits(ranking[:k], gold)) / len(gold)


def reciprocal_rank(ranking: Sequence[str], gold: AbstractSet[str]) -> float:
    """Return 1 / rank of the first gold, rank counting from 1; 0 where none is ranked.

    In [0, 1]. Its mean over questions is the MRR.

    Source:
        Voorhees, The TREC-8 Question Answering Track Report, 1999.
    """
    return next((1 / rank for rank, hit in enumerate(_hits(ranking, gold), 1) if hit), 0.0)


def ndcg_at(k: int, ranking: Sequence[str], gold: AbstractSet[str]) -> float:
    """Return the discounted gain of the first k over that of the best ranking there can be.

    Gold at rank r gains 1 / log2(1 + r). The best ranking has all of the gold first, found or
    not, as far as k reaches. In [0, 1], 1 where the gold fills the first places.

    Source:
        Järvelin and Kekäläinen, TOIS 20(4), 2002, with binary gains and the usual log2(1 + r).
    """
    gain = sum(1 / log2(1 + rank) for rank, hit in enumerate(_hits(ranking[:k], gold), 1) if hit)
    ideal = sum(1 / log2(1 + rank) for rank in range(1, min(len(gold), k) + 1))
    return gain / ideal


def _hits(ranking: Sequence[str], gold: AbstractSet[str]) -> list[bool]:
    if not gold:
        raise ValueError("nothing is measured without gold")
    return [session in gold for session in ranking]


METRICS: Mapping[str, Callable[[Sequence[str], AbstractSet[str]], float]] = {
    "any@1": lambda ranking, gold: any_at(1, ranking, gold),
    "any@5": lambda ranking, gold: any_at(5, ranking, gold),
    "all@5": lambda ranking, gold: all_at(5, ranking, gold),
    "R@5": lambda ranking, gold: recall_at(5, ranking, gold),
    "R@10": lambda ranking, gold: recall_at(10, ranking, gold),
    "MRR": reciprocal_rank,
    "NDCG@10": lambda ranking, gold: ndcg_at(10, ranking, gold),
}

# Data sets.


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the conversations whose sessions answer it."""

    text: str
    category: str
    gold: frozenset[str]  # keys, as the importer gives them; some may not be there


@dataclass(frozen=True, slots=True)
class Archive:
    """An export that gets a database of its own, and what is asked of it."""

    format: str
    export: list[dict[str, Any]]  # Any: whatever JSON holds
    questions: tuple[Question, ...]


Layout = Callable[[Iterable[dict[str, Any]]], Iterator[Archive]]

LOCOMO_CATEGORIES = {  # the paper's names; the numbers stand in the file
    1: "multi-hop",
    2: "temporal",
    3: "open-domain",
    4: "single-hop",
    5: "adversarial",
}
_EVIDENCE = re.compile(r"D:?(\d+):\d")  # "D1:3", "D8:6; D9:17", and by a slip "D:11:26"


def locomo(samples: Iterable[dict[str, Any]]) -> Iterator[Archive]:
    """Yield each sample of LoCoMo as an archive: its sessions are told apart from one another."""
    for sample in samples:
        questions = tuple(
            Question(
                row["question"],
                LOCOMO_CATEGORIES.get(row["category"], str(row["category"])),
                frozenset(
                    f"{sample['sample_id']}/session_{int(session)}"
                    for evidence in row["evidence"]
                    for session in _EVIDENCE.findall(evidence)
                ),
            )
            for row in sample["qa"]
        )
        yield Archive("locomo", [sample], questions)


def longmemeval(elements: Iterable[dict[str, Any]]) -> Iterator[Archive]:
    """Yield each question of LongMemEval with its own haystack as an archive."""
    for element in elements:
        yield Archive("longmemeval", [element], (_question(element, element["question_id"]),))


def pooled(elements: Iterable[dict[str, Any]]) -> Iterator[Archive]:
    """Yield one archive of all haystacks of LongMemEval, each session once, the first time."""
    seen: dict[str, tuple[str, object]] = {}
    questions = []
    for element in elements:
        dated = zip(element["haystack_dates"], element["haystack_sessions"], strict=True)
        for session, said in zip(element["haystack_session_ids"], dated, strict=True):
            seen.setdefault(session, said)
        questions.append(_question(element, "pooled"))
    haystack = {
        "question_id": "pooled",
        "haystack_session_ids": list(seen),
        "haystack_dates": [date for date, _ in seen.values()],
        "haystack_sessions": [session for _, session in seen.values()],
    }
    yield Archive("longmemeval", [haystack], tuple(questions))


def _question(element: Mapping[str, Any], haystack: str) -> Question:
    abstains = element["question_id"].endswith("_abs")
    return Question(
        element["question"],
        ABSTENTION if abstains else element["question_type"],
        frozenset(f"{haystack}/{session}" for session in element["answer_session_ids"]),
    )


# Measuring.


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found for a question, as public ids of sessions."""

    category: str
    ranking: tuple[str, ...]
    gold: frozenset[str]
    seconds: float


@dataclass(slots=True)
class Measured:
    """What came out for all the questions of a data set."""

    outcomes: list[Outcome] = field(default_factory=list)
    without_gold: int = 0  # questions left out: no session that answers them is there
    build_seconds: float = 0.0

    def by_category(self) -> dict[str, list[Outcome]]:
        """Return the outcomes of each category, then `all` but abstentions, then those."""
        names = sorted({one.category for one in self.outcomes} - {ABSTENTION})
        groups = {name: [one for one in self.outcomes if one.category == name] for name in names}
        groups["all"] = [one for one in self.outcomes if one.category != ABSTENTION]
        groups[ABSTENTION] = [one for one in self.outcomes if one.category == ABSTENTION]
        return {name: outcomes for name, outcomes in groups.items() if outcomes}

    @property
    def median_milliseconds(self) -> float:
        """How long half of the questions took at most."""
        return 1000 * median(one.seconds for one in self.outcomes)


def measure(archives: Iterable[Archive], embedder: Embedder) -> Measured:
    """Ingest every archive into a database of its own and ask it its questions."""
    embedder.embed(["loads the model"])
    measured = Measured()
    for archive in archives:
        with TemporaryDirectory() as folder, Store(Path(folder, "mem.db")) as store:
            began = perf_counter()
            _fill(store, archive, Path(folder, "export.json"), embedder)
            measured.build_seconds += perf_counter() - began
            for question in archive.questions:
                if gold := _answering(store, archive.format, question):
                    measured.outcomes.append(_asked(question, gold, store, embedder))
                else:
                    measured.without_gold += 1
    return measured


def scores(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return the mean of every metric, by name."""
    return {
        name: fmean(metric(one.ranking, one.gold) for one in outcomes)
        for name, metric in METRICS.items()
    }


def _fill(store: Store, archive: Archive, path: Path, embedder: Embedder) -> None:
    path.write_text(json.dumps(archive.export), encoding="utf-8")
    [report] = ingest([path], store, embedder, Reading(), forced=load(archive.format))
    if report.damaged:
        raise InputError(f"the {archive.format} data is damaged: {report.warnings[0]}")


def _answering(store: Store, source: str, question: Question) -> frozenset[str]:
    heads = (store.conversations.get(source, key) for key in question.gold)
    return frozenset(
        session.id
        for head in heads
        if head is not None
        for session in store.sessions.near(head.number, None, None)
    )


def _asked(question: Question, gold: frozenset[str], store: Store, embedder: Embedder) -> Outcome:
    began = perf_counter()
    found = retrieve(question.text, store, embedder, Filters(), limit=DEPTH)
    seconds = perf_counter() - began
    return Outcome(question.category, tuple(one.session.id for one in found), gold, seconds)


def strangers(archives: Sequence[Archive], embedder: Embedder) -> list[tuple[float, float, float]]:
    """Put every question to its own archive, and to the next one, which knows nothing of it.

    Returns:
        (score, own, strangers'): the share of questions for which the best session has this
        score or more, for scores from .1 to .5; LEAST is the one `mem ask` goes by.
    """
    own: list[float] = []
    others: list[float] = []
    for archive, other in zip(archives, [*archives[1:], archives[0]], strict=True):
        with TemporaryDirectory() as folder, Store(Path(folder, "mem.db")) as store:
            _fill(store, archive, Path(folder, "export.json"), embedder)
            for scored, asked in ((own, archive.questions), (others, other.questions)):
                for question in asked:
                    found = retrieve(question.text, store, embedder, Filters(), limit=1)
                    scored.append(found[0].score if found else 0.0)
    return [
        (least, fmean(one >= least for one in own), fmean(one >= least for one in others))
        for least in sorted({0.1, 0.15, 0.25, 0.3, 0.4, 0.5, LEAST})
    ]


# The program.


def table(measured: Measured) -> str:
    """Return the scores as text: a line a category, columns of METRICS."""
    groups = measured.by_category()
    width = max(map(len, groups))
    lines = [f"{'':{width}}  {'n':>5}" + "".join(f"  {name:>7}" for name in METRICS)]
    for name, outcomes in groups.items():
        means = "".join(f"  {score:7.3f}" for score in scores(outcomes).values())
        lines.append(f"{name:{width}}  {len(outcomes):5}{means}")
    lines.append(
        f"{measured.median_milliseconds:.1f} ms a question (median),"
        f" {measured.build_seconds:.1f} s to build,"
        f" {measured.without_gold} questions left out, no session answers them"
    )
    return "\n".join(lines)


def as_json(measured: Measured) -> str:
    """Return the same facts as `table`, unrounded, as one line of JSON."""
    return json.dumps(
        {
            "categories": {
                name: {"n": len(outcomes), **scores(outcomes)}
                for name, outcomes in measured.by_category().items()
            },
            "query_ms_median": measured.median_milliseconds,
            "build_seconds": measured.build_seconds,
            "left_out": measured.without_gold,
        }
    )


def read(path: Path, layout: Layout) -> list[Archive]:
    """Return the archives of a data set.

    Raises:
        InputError: the file is not there, not JSON, or not laid out so.
    """
    try:
        return list(layout(json.loads(path.read_bytes())))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} is another data set: {error!r}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    parser = argparse.ArgumentParser(prog="measure.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dataset", choices=["locomo", "longmemeval"])
    parser.add_argument("path", type=Path, help="the data set, as it was published")
    parser.add_argument(
        "--pooled",
        action="store_true",
        help="LongMemEval: all haystacks in one database, instead of one a question",
    )
    parser.add_argument(
        "--strangers",
        action="store_true",
        help="LoCoMo: how the best score tells own questions from those of other people",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    if options.pooled and options.dataset == "locomo":
        parser.error("--pooled is for longmemeval")
    if options.strangers and options.dataset != "locomo":
        parser.error("--strangers is for locomo")
    layout = locomo if options.dataset == "locomo" else pooled if options.pooled else longmemeval
    try:
        if options.strangers:
            sys.stdout.write("score  own questions  others' questions\n")
            for row in strangers(read(options.path, layout), WordLlamaEmbedder()):
                sys.stdout.write("{:5.2f}  {:13.3f}  {:17.3f}\n".format(*row))
            return 0
        measured = measure(read(options.path, layout), WordLlamaEmbedder())
        if not measured.outcomes:
            raise InputError(f"{options.path} has no question that something in it answers")
    except MemError as error:
        sys.stderr.write(f"measure.py: {error}\n")
        return error.exit_code
    sys.stdout.write((as_json if options.json else table)(measured) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
