"""Reads data sets with questions: LoCoMo, LongMemEval, and others laid out as they are.

The content of a file tells its layout; files are read element by element, and are not part of
memcli:

- LoCoMo, Maharana et al., ACL 2024: https://github.com/snap-research/locomo
- LongMemEval, Wu et al., ICLR 2025: https://github.com/xiaowu0162/LongMemEval
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any, Literal

from memcli.errors import InputError
from memcli.formats import Document, ParseOptions
from memcli.formats.parsing.json_stream import read_elements
from memcli.formats.parsing.values import localize, mapping, sequence, string
from memcli.formats.sources import find_sources
from memcli.lazy_dataclasses import dataclass

Layout = Literal["locomo", "longmemeval"]  # the format that imports the haystacks
Element = Mapping[str, Any]  # Any: as JSON has it
TurnKey = tuple[str, str]  # keys of a conversation, and of a turn in it

LOCOMO_CATEGORIES = {  # the paper's names; the numbers stand in the file
    "1": "multi-hop",
    "2": "temporal",
    "3": "open-domain",
    "4": "single-hop",
    "5": "adversarial",
}
_EVIDENCE = re.compile(r"D:?(\d+):(\d+)")  # "D1:3", "D8:6; D9:17", and by a slip "D:11:26"
_SESSION = re.compile(r"session_\d{1,9}")


@dataclass(frozen=True, slots=True)
class DatasetQuestion:
    """A question, and the places of its answer, by the keys that the importer gives."""

    id: str  # unique in the data set
    text: str
    category: str
    sessions: frozenset[str]  # keys of the conversations that answer; some may not be there
    turns: frozenset[TurnKey]  # the same of turns; empty where the data set does not say
    answer: str = ""  # "" where there is none
    asked_at: datetime | None = None  # aware; None where the data set does not say
    abstention: bool = False  # True if nothing answers; `sessions` are those that seem to


@dataclass(frozen=True, slots=True)
class Observation:
    """A note about one session that the data set's authors had a model write: LoCoMo has some."""

    person: str  # the person it is about
    text: str
    session: str  # the key of its conversation
    turns: frozenset[str]  # the keys of those it came from


@dataclass(frozen=True, slots=True)
class DatasetArchive:
    """An export that gets a database of its own."""

    export: list[Element]
    questions: tuple[DatasetQuestion, ...]

    def observations(self) -> Iterator[Observation]:
        """Yield the observations of its sessions."""
        return (each for element in self.export for each in _observations(element))


@dataclass(frozen=True, slots=True)
class Dataset:
    """A file of questions and haystacks."""

    document: Document
    layout: Layout
    digest: str  # of the file's bytes
    pooled: bool
    observed: bool  # True if there are observations
    questions: tuple[tuple[DatasetQuestion, ...], ...]  # by archive

    def archives(self) -> Iterator[DatasetArchive]:
        """Read the file again, an archive at a time; of pooled ones there is but one."""
        exports = (
            _with_name(self.layout, number, each) for number, each in _elements(self.document)
        )
        if not self.pooled:
            for export, questions in zip(exports, self.questions, strict=True):
                yield DatasetArchive([export], questions)
        elif self.layout == "locomo":
            yield DatasetArchive(list(exports), self.questions[0])
        else:
            yield DatasetArchive(list(_pool_haystacks(exports)), self.questions[0])


def read_dataset(path: Path, *, pooled: bool = False) -> Dataset:
    """Read the questions of a data set.

    Args:
        path: of the file, or of a zip with it.
        pooled: ask all questions of one archive that has all sessions, each once, in place of an
            archive for each conversation of LoCoMo and for each question of LongMemEval.

    Raises:
        InputError: it cannot be read, or its layout is unknown.
    """
    document = _document(path)
    layout: Layout | None = None
    questions: list[tuple[DatasetQuestion, ...]] = []
    observed = False
    for number, element in _elements(document):
        found = _recognize_layout(element)
        if found is None or layout not in (None, found):
            raise InputError(
                f"element {number} of {document.name} has no questions as LoCoMo's and"
                " LongMemEval's are"
            )
        layout = found
        element = _with_name(layout, number, element)
        observed = observed or any(_observations(element))
        home = "pooled" if pooled else string(element.get("question_id"))
        questions.append(
            _locomo_questions(element, number)
            if layout == "locomo"
            else (_longmemeval_question(element, number, home),)
        )
    if layout is None or not any(questions):
        raise InputError(f"{document.name} has no question")
    if pooled:
        questions = [tuple(chain.from_iterable(questions))]
    return Dataset(
        document=document,
        layout=layout,
        digest=_digest(document),
        pooled=pooled,
        observed=observed,
        questions=tuple(questions),
    )


def choose_sample(dataset: Dataset, limit: int) -> frozenset[str]:
    """Choose about the same share of each category's questions, always the same ones.

    Returns:
        Ids: `limit` of them, or all where there are no more.
    """
    random = Random(0)
    by_category: dict[str, list[str]] = {}
    for question in chain.from_iterable(dataset.questions):
        by_category.setdefault(question.category, []).append(question.id)
    # Spread evenly over 0 to 1, each category's questions fall below any share in proportion.
    ranked: list[tuple[float, str]] = []
    for ids in by_category.values():
        random.shuffle(ids)
        ranked += [((at + 0.5) / len(ids), each) for at, each in enumerate(ids)]
    return frozenset(each for _, each in sorted(ranked)[:limit])


def _document(path: Path) -> Document:
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a data set: name the file")
    for place in find_sources(path):
        for document in place.documents():
            return document
    raise InputError(f"no file in {path}")


def _elements(document: Document) -> Iterator[tuple[int, Element]]:
    """Yield the elements of a list, or the lone object, with numbers from 1.

    Raises:
        InputError: one is no JSON, or no object.
    """
    for number, element in enumerate(read_elements(document, ""), start=1):
        if element == []:  # the whole of an empty list
            return
        if not isinstance(element, dict):
            raise InputError(f"element {number} of {document.name} is not a JSON object")
        yield number, element


def _recognize_layout(element: Element) -> Layout | None:
    if isinstance(element.get("haystack_sessions"), list) and string(element.get("question")):
        return "longmemeval"
    conversation = mapping(element.get("conversation")) or element
    if isinstance(element.get("qa"), list) and any(map(_SESSION.fullmatch, conversation)):
        return "locomo"
    return None


def _with_name(layout: Layout, number: int, element: Element) -> Element:
    """Return an element with a name, which the importer builds its keys from."""
    name = "sample_id" if layout == "locomo" else "question_id"
    return {**element, name: string(element.get(name)) or str(number)}


def _locomo_questions(element: Element, number: int) -> tuple[DatasetQuestion, ...]:
    return tuple(
        _locomo_question(mapping(row), f"{element['sample_id']}/session_", f"{number}.{at}")
        for at, row in enumerate(sequence(element.get("qa")), start=1)
    )


def _locomo_question(row: Element, sessions: str, number: str) -> DatasetQuestion:
    text = string(row.get("question"))
    if not text.strip():
        raise InputError(f"question {number} is empty")
    category = string(row.get("category"))
    found = _EVIDENCE.findall(" ".join(map(string, sequence(row.get("evidence")))))
    evidence = [(int(session), int(turn)) for session, turn in found]
    return DatasetQuestion(
        number,
        text,
        LOCOMO_CATEGORIES.get(category, category or "all questions"),
        frozenset(f"{sessions}{session}" for session, _ in evidence),
        frozenset((f"{sessions}{session}", f"D{session}:{turn}") for session, turn in evidence),
        string(row.get("answer")),
    )


def _observations(element: Element) -> Iterator[Observation]:
    for name, people in mapping(element.get("observation")).items():
        session = f"{element.get('sample_id')}/{name.removesuffix('_observation')}"
        for person, rows in mapping(people).items():
            for text, *turns in filter(None, map(sequence, sequence(rows))):
                found = _EVIDENCE.findall(str(turns))
                yield Observation(
                    str(person),
                    string(text),
                    session,
                    frozenset(f"D{int(number)}:{int(turn)}" for number, turn in found),
                )


def _longmemeval_question(element: Element, number: int, home: str) -> DatasetQuestion:
    ids = [string(each) for each in sequence(element.get("haystack_session_ids"))]
    answer_ids = {string(each) for each in sequence(element.get("answer_session_ids"))}
    turns = (
        (f"{home}/{session}", str(position))
        for session, rows in zip(ids, sequence(element["haystack_sessions"]), strict=False)
        for position, row in enumerate(map(mapping, sequence(rows)), start=1)
        if row.get("has_answer") is True
    )
    return DatasetQuestion(
        str(number),
        string(element["question"]),
        string(element.get("question_type")) or "all questions",
        frozenset(f"{home}/{session}" for session in answer_ids),
        frozenset(turns),
        string(element.get("answer")),
        _question_time(string(element.get("question_date"))),
        abstention=string(element["question_id"]).endswith("_abs"),
    )


def _question_time(text: str) -> datetime | None:
    """Parse "2023/05/20 (Sat) 02:21" in the time zone that the importer uses for sessions."""
    try:
        naive = datetime.strptime(text[:10] + text[-5:], "%Y/%m/%d%H:%M")
        return localize(naive, ParseOptions().timezone)
    except ValueError:
        return None


def _pool_haystacks(elements: Iterator[Element]) -> Iterator[Element]:
    """Put all haystacks together, each session once, as it is the first time.

    Each haystack becomes an element with its new sessions: one element for all of LongMemEval
    would be larger than the importer allows.
    """
    seen: set[str] = set()
    for element in elements:
        dates = sequence(element.get("haystack_dates"))
        ids = sequence(element.get("haystack_session_ids"))
        new: dict[str, tuple[object, object]] = {}
        for at, session in enumerate(sequence(element.get("haystack_sessions"))):
            own = string(ids[at]) if at < len(ids) else f"{element['question_id']}/{at + 1}"
            if own not in seen:
                new.setdefault(own, (dates[at] if at < len(dates) else None, session))
        seen |= new.keys()
        yield {
            "question_id": "pooled",
            "haystack_session_ids": list(new),
            "haystack_dates": [date for date, _ in new.values()],
            "haystack_sessions": [session for _, session in new.values()],
        }


def _digest(document: Document) -> str:
    digest = blake2b(digest_size=16)
    with document.open() as stream:
        while part := stream.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()
