"""Questions as a person types them, on the archive of `mem demo`: retrieval never gets worse.

`demo_questions.jsonl` holds a question a line: `gold` sessions answer it, one of `first` should
be ranked first, one of `turns` should be shown with it. No question names a relative date.
`harder_demo_questions.jsonl` was written by four who had read the archive but no other question:
more of its questions use other words, a broader word or another language.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers.mem_process import Mem

import memcli.demo


def read_questions(name):
    lines = Path(__file__).with_name(name).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


QUESTIONS = read_questions("demo_questions.jsonl")
HARDER = read_questions("harder_demo_questions.jsonl")
ARCHIVE = Path(memcli.demo.__file__).parent / "exports"


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares of questions, in [0, 1]."""

    right_first: float  # of the answerable: the session ranked first is a right one
    turn_shown: float  # of the answerable: and one of the turns shown with it answers
    answerable_but_nothing: float  # of the answerable: told that nothing relevant was found
    unrelated_but_found: float  # of the unrelated
    related_but_found: float  # of what is plausible, but was never said


@pytest.fixture(scope="module")
def mem(tmp_path_factory):
    mem = Mem(tmp_path_factory.mktemp("demo"))
    assert mem("ingest", str(ARCHIVE)).code == 0
    return mem


@pytest.fixture(scope="module")
def scores(mem):
    return score(QUESTIONS, {row["id"]: ask(mem, row) for row in QUESTIONS})


@pytest.fixture(scope="module")
def harder(mem):
    return score(HARDER, {row["id"]: ask(mem, row) for row in HARDER})


def ask(mem, row):
    if "previous" in row:
        mem("ask", row["previous"], "--json")
        return mem("ask", "--continue", row["question"], "--json", "-n", "10").json
    return mem("ask", row["question"], "--json", "-n", "10").json


def score(questions, answers):
    answerable = [row for row in questions if row["gold"]]
    found = {id for id, answer in answers.items() if answer["verdict"] == "found"}
    best = {id: answer["sessions"][:1] for id, answer in answers.items()}
    first = {
        row["id"]: best[row["id"]][0]
        for row in answerable
        if best[row["id"]] and best[row["id"]][0]["id"] in row["first"]
    }
    shown = [
        row
        for row in answerable
        if row["id"] in first
        and {quote["turn"] for quote in first[row["id"]]["evidence"]} & set(row["turns"])
    ]

    def found_among(kind):
        rows = [row["id"] for row in questions if row["kind"] == kind]
        return len(found.intersection(rows)) / len(rows)

    return Scores(
        right_first=len(first) / len(answerable),
        turn_shown=len(shown) / len(answerable),
        answerable_but_nothing=sum(row["id"] not in found for row in answerable) / len(answerable),
        unrelated_but_found=found_among("negative_unrelated"),
        related_but_found=found_among("negative_related"),
    )


def test_the_sets_are_whole():
    for questions, least in ((QUESTIONS, 140), (HARDER, 330)):
        assert len({row["id"] for row in questions}) == len(questions) >= least
        assert {bool(row["gold"]) for row in questions if row["verdict"] == "found"} == {True}
    asked = [(row.get("previous"), row["question"].casefold()) for row in QUESTIONS + HARDER]
    assert len(set(asked)) == len(asked)


def test_the_right_session_comes_first(scores, harder):
    assert scores.right_first >= 0.82
    assert harder.right_first >= 0.66


def test_the_turn_that_answers_is_shown(scores, harder):
    assert scores.turn_shown >= 0.79
    assert harder.turn_shown >= 0.58


def test_who_asks_for_what_is_there_is_not_told_that_nothing_is(scores, harder):
    assert scores.answerable_but_nothing <= 0.06
    assert harder.answerable_but_nothing <= 0.09


def test_who_asks_for_what_is_not_there_is_told_so(scores, harder):
    assert scores.unrelated_but_found <= 0.05
    assert scores.related_but_found <= 0.56
    assert harder.unrelated_but_found <= 0.2
