"""Every question is put to its archive, through the real importer, store and stages."""

import json
from dataclasses import replace
from functools import partial

import pytest
from helpers.keyword_models import WordEmbedder, WordReranker, WordSifter
from helpers.small_datasets import locomo_question, locomo_sample, longmemeval_element, two_people

from memcli.cli.bench.bench_stages import STAGES, StageArchive, fill_archive
from memcli.errors import BackendError
from memcli.evaluation.datasets import read_dataset
from memcli.evaluation.journal import Journal
from memcli.evaluation.runner import BenchmarkRun
from memcli.evaluation.summary import summarize
from memcli.formats.parsing import json_stream
from memcli.search.stages import RankingModels

MODELS = RankingModels(WordEmbedder(), WordReranker(), WordSifter(), "{history}\n{current}")


def course(*, stages=STAGES, models=MODELS, grain="session", answer=None, **options):
    return BenchmarkRun(
        partial(fill_archive, embedder=models.embedder, with_memories="memories" in stages),
        lambda store: StageArchive(store, models, stages, grain, answer),
        grain,
        **options,
    )


@pytest.fixture
def asked(tmp_path):
    def asking(content, journal=None, *, pooled=False, **options):
        path = tmp_path / "set.json"
        path.write_text(json.dumps(content))
        dataset = read_dataset(path, pooled=pooled)
        with Journal(journal) as results:
            return list(course(**options).run(dataset, results))

    return asking


def test_every_stage_ranks_the_sessions_of_the_questions_own_archive(asked):
    outcomes = asked(two_people())

    assert [one.category for one in outcomes] == [
        *("single-hop", "temporal", "multi-hop"),
        *("single-hop", "temporal", "single-hop"),
    ]
    assert [len(one.gold) for one in outcomes] == [1, 1, 2, 1, 1, 0]
    for one in outcomes[:5]:
        assert tuple(one.stages) == STAGES
        for stage in one.stages.values():
            assert len(stage.places) == len(set(stage.places)) <= 3
            assert stage.seconds > 0
    assert outcomes[0].stages["retrieve"].places[0] in outcomes[0].gold
    assert not set(outcomes[0].stages["vectors"].places) & set(outcomes[3].stages["vectors"].places)


def test_later_stages_keep_all_places_and_take_longer(asked):
    for one in asked(two_people())[:5]:
        first, second, third = (one.stages[name] for name in STAGES[3:])
        assert set(first.places) == set(second.places) == set(third.places)
        assert first.seconds < second.seconds <= third.seconds


def test_memories_lead_where_words_do_not(asked):
    talks = {1: ("Ann", "Chess, every Sunday."), 2: ("Ann", "Rex barked all night.")}
    asking = [locomo_question("Which pet is it?", "D2:1"),
              locomo_question("Which hobby is it?", "D1:1")]  # fmt: skip
    sample = locomo_sample("x", *asking, talks=talks)
    sample["observation"] = {
        "session_1_observation": {"Ann": [["A hobby.", "D1:1"], []]},
        "session_2_observation": {"Ann": [["A pet.", "D2:1"], ["No turn says so."]]},
        "session_7_observation": {"Bo": [["Nothing is there.", "D7:1"]]},
    }

    outcomes = asked([sample], stages=("retrieve", "memories"))

    firsts = {name: [set(one.stages[name].places[:1]) for one in outcomes] for name in STAGES[2:4]}
    assert firsts["memories"] == [one.gold for one in outcomes] != firsts["retrieve"]


def test_turns_are_ranked_by_what_the_data_set_says_of_turns(asked):
    stages = ("vectors", "bm25", "retrieve")
    outcomes = asked(two_people(), grain="turn", stages=stages)
    [other] = asked([longmemeval_element("q", bread="I baked.")], grain="turn", stages=stages)

    assert [len(one.gold) for one in outcomes] == [1, 1, 2, 1, 1, 0]
    assert outcomes[0].stages["retrieve"].places[0] in outcomes[0].gold
    assert other.gold == {other.stages["bm25"].places[0]}
    assert all(":" in place for place in other.stages["vectors"].places)


def test_gold_that_is_not_there_counts_as_not_found_and_none_at_all_leaves_out(asked):
    found = locomo_question("What is the dog called?", "D1:1", "D9:1")
    summary = summarize(asked([locomo_sample("x", found, locomo_question("Who?", "D7:1"))]))

    assert (summary.count, summary.without_gold) == (1, 1)
    assert summary.stages["retrieve"].overall["recall@5"] == 1  # of what the importer found


def test_abstentions_and_strangers_count_for_the_verdict_alone(asked):
    content = [longmemeval_element("q1"), longmemeval_element("q2_abs", question="Is it blue?")]

    outcomes = asked(content, strangers=True)
    summary = summarize(outcomes)

    assert [(one.abstention, one.stranger) for one in outcomes] == [
        (False, False),
        (True, True),
        (True, False),
        (False, True),
    ]
    assert summary.questions == {"single-session-user": 1}
    assert set(summary.verdicts) == {"abstention", "strangers"}
    assert set(summary.verdicts["abstention"]) == {"retrieve", "memories", "rerank", "sift"}
    assert summary.verdicts["strangers"]["rerank"].unanswerable == 2
    assert summary.verdicts["abstention"]["rerank"].nothing == 1


def test_what_was_kept_is_not_asked_again(asked, tmp_path):
    class Counting(WordEmbedder):
        def __init__(self):
            self.asked = set()

        def embed(self, texts, *, questions=False):
            self.asked |= set(texts) if questions else set()
            return super().embed(texts, questions=questions)

    journal = tmp_path / "run.jsonl"
    embedder = Counting()
    models = RankingModels(embedder)
    options = {"models": models, "stages": ("retrieve",)}
    whole = asked(two_people(), journal, **options)
    kept = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(kept[:4]) + kept[4][:9])
    embedder.asked.clear()

    again = asked(two_people(), journal, **options)

    assert embedder.asked >= {"How did the exam go?", "Nobody said?"}
    assert "What is the parrot called?" not in embedder.asked
    assert [replace(one, stages={}) for one in again] == [replace(one, stages={}) for one in whole]
    assert [one.stages["retrieve"].places for one in again] == [
        one.stages["retrieve"].places for one in whole
    ]


def test_a_model_that_fails_stops_the_run_and_what_came_out_before_is_kept(asked, tmp_path):
    class Failing(WordReranker):
        def judge(self, question, passages):
            if "exam" in question:
                raise BackendError("the model broke")
            yield from super().judge(question, passages)

    with pytest.raises(BackendError, match="broke"):
        asked(two_people(), tmp_path / "run.jsonl", models=replace(MODELS, reranker=Failing()))

    assert len((tmp_path / "run.jsonl").read_bytes().splitlines()) == 4


def test_only_the_questions_wanted_are_asked(asked):
    assert len(asked(two_people(), wanted={"1.2", "2.1"})) == 2


def test_pooled_questions_are_asked_among_everybodys_sessions(asked):
    outcomes = asked(two_people(), pooled=True, stages=("bm25", "retrieve"))

    assert len(outcomes) == 6
    assert outcomes[0].stages["retrieve"].places[0] in outcomes[0].gold


def test_haystacks_are_pooled_that_are_together_larger_than_one_value_may_be(asked, monkeypatch):
    text = "I baked bread. " * 30_000
    haystacks = [
        longmemeval_element(f"q{each}", answer=f"rex {each}", **{f"bread {each}": text})
        for each in (1, 2)
    ]
    monkeypatch.setattr(json_stream, "LARGEST_VALUE", len(text) + 100_000)

    outcomes = asked(haystacks, pooled=True, stages=("retrieve",))

    assert [len(one.gold) for one in outcomes] == [1, 1]


def test_a_chat_model_answers_from_what_the_last_stage_ranks(asked):
    def answer(question, sessions):
        return "Rex" if any("called Rex" in session for session in sessions) else "who knows"

    first, *others = outcomes = asked(two_people(), answer=answer, stages=("bm25", "retrieve"))

    assert (
        first.answer_scores["f1@0"],
        first.answer_scores["f1@1"],
        first.answer_scores["reward"],
    ) == (0, 1, 1)
    assert [one.answer_scores["f1@0"] for one in others] == [0] * 5
    assert summarize(outcomes).answer_scores["f1@1"] == 1 / 5  # of the five that something answers
