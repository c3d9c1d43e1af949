from dataclasses import replace

import pytest
from helpers.builders import BEGIN, MINUTE, talk
from helpers.keyword_models import WordEmbedder, WordReranker, WordSifter
from helpers.ranking import WORDING, CountingReranker, CountingSifter, index_talks, titles

from memcli.domain import Kind
from memcli.errors import BackendError
from memcli.search.rerank import FIRST_BATCH, NEXT_BATCH
from memcli.search.results import RankingListener
from memcli.search.stages import CANDIDATES, RankingModels, rank_sessions
from memcli.store import Filters, Store

TALKS = (
    talk("Dinner", "me: I must not eat hazelnut.", "ai: Noted."),
    talk("Cake", "me: A hazelnut cake recipe, with hazelnut cream.", "ai: Here it is."),
    talk("Lisbon", "Ann: We flew to Lisbon.", "me: Nice."),
)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db") as opened:
        yield opened


def put(store, question="hazelnut", *, limit=5, filters=None, listener=None, **models):
    chosen = RankingModels(WordEmbedder(), sift_wording=WORDING, **models)
    return rank_sessions(
        question, store, chosen, filters or Filters(), limit=limit, listener=listener
    )


def quotes(result):
    return [quote.turn.text for quote in result.evidence]


def test_without_models_words_rank_and_say_so(store):
    index_talks(store, *TALKS)

    answer = put(store)

    assert titles(answer) == ["Cake", "Dinner"]
    assert answer.verdict == "found"
    assert [stage.name for stage in answer.stages] == ["retrieve"]
    assert quotes(answer.results[1]) == ["I must not eat hazelnut."]
    assert answer.results[0].terms == ("hazelnut",)
    assert answer.trace.startswith("No model thought about this.")
    assert "words: hazelnut; turns: 1" in answer.trace


def test_the_parts_of_a_score_add_up_to_it(store):
    index_talks(store, *TALKS)

    for result in put(store, "hazelnut cake in Lisbon").results:
        assert result.retrieve == pytest.approx(sum(result.parts.values()))
        assert 0 <= result.retrieve <= 1


def test_the_reranker_changes_the_order(store):
    index_talks(store, *TALKS)

    answer = put(store, reranker=CountingReranker(eat=0.9, cake=0.2))

    assert titles(answer) == ["Dinner", "Cake"]
    assert [result.rerank for result in answer.results] == [0.9, 0.2]
    assert answer.verdict == "found"


def test_the_trace_says_what_the_reranker_judged(store):
    index_talks(store, *TALKS)

    answer = put(store, reranker=CountingReranker(eat=0.9, cake=0.2))

    heading, first, _ = answer.trace.splitlines()
    name, judged = answer.stages[1].model, answer.stages[1].passages
    assert f"{name} judged {judged} passages of 2 sessions" in heading
    assert "ranked by its probability that they answer:" in heading
    assert "p(yes) 0.90" in first
    assert answer.trace_heading == heading.removesuffix(":")


def test_where_no_session_is_likelier_than_not_to_answer_the_verdict_is_nothing(store):
    index_talks(store, *TALKS)
    sifter = CountingSifter(0)

    answer = put(store, reranker=CountingReranker(eat=0.49), sifter=sifter)

    assert answer.verdict == "nothing"
    assert [stage.name for stage in answer.stages] == ["retrieve", "rerank"]
    assert sifter.messages == []


def test_the_sifter_has_the_last_word_and_what_it_leaves_out_follows(store):
    other = talk("Shop", "me: Buy hazelnut spread and a great many other things today.")
    index_talks(store, *TALKS, other)
    before = titles(put(store, reranker=CountingReranker(must=0.9, cake=0.8, spread=0.7)))
    reranker = CountingReranker(must=0.9, cake=0.8, spread=0.7)

    answer = put(store, reranker=reranker, sifter=CountingSifter(2))

    assert before == ["Dinner", "Cake", "Shop"]
    assert sorted(titles(answer)[1:], key=before.index) == titles(answer)[1:]
    assert sorted(titles(answer)) == sorted(before)
    assert [result.sift_rank for result in answer.results] == [1, None, None]
    assert answer.trace == "Because I say so."
    assert [stage.name for stage in answer.stages] == ["retrieve", "rerank", "sift"]


def test_the_sifter_sees_sessions_in_the_order_of_time(store):
    index_talks(store, replace(TALKS[1], turns=talk("", "me: hazelnut cake", at=BEGIN).turns))
    index_talks(store, talk("Early", "me: hazelnut", at=BEGIN - 60 * MINUTE))
    sifter = CountingSifter(0)

    answer = put(store, sifter=sifter)

    [message] = sifter.messages
    assert message.index("11:00") < message.index("12:00")
    assert titles(answer)[0] == "Early"


def test_a_second_ask_calls_no_model(store):
    index_talks(store, *TALKS)
    put(store, reranker=CountingReranker(eat=0.9), sifter=CountingSifter(1, 0))
    reranker, sifter, thoughts = CountingReranker(), CountingSifter(), []

    again = put(
        store,
        reranker=reranker,
        sifter=sifter,
        listener=RankingListener(on_thought=thoughts.append),
    )

    assert (reranker.judged, sifter.messages) == ([], [])
    assert thoughts == ["Because I say so."]
    assert sorted(result.sift_rank for result in again.results) == [1, 2]


def test_another_question_is_another_matter(store):
    index_talks(store, *TALKS)
    put(store, reranker=CountingReranker(eat=0.9))
    reranker = CountingReranker()

    put(store, "hazelnut?", reranker=reranker)

    assert len(reranker.judged) == 2


def test_what_was_judged_before_an_interrupt_is_not_judged_again(store):
    class Interrupted(CountingReranker):
        def judge(self, question, passages):
            yield 0, 0.9
            raise KeyboardInterrupt

    index_talks(store, *TALKS)
    assert isinstance(put(store, reranker=Interrupted()).stopped_by, KeyboardInterrupt)
    reranker = CountingReranker(eat=0.9)

    put(store, reranker=reranker)

    assert len(reranker.judged) == 1


def test_the_evidence_is_from_the_passage_that_convinced(store):
    filler = "x " * 450
    index_talks(
        store,
        talk("Long", "me: hazelnut hazelnut", f"ai: {filler}", "me: no hazelnut I beg you"),
    )

    answer = put(store, reranker=CountingReranker(beg=0.9))

    assert quotes(answer.results[0]) == ["no hazelnut I beg you"]


def test_at_most_as_many_sessions_as_asked_for_come_back(store):
    index_talks(store, *(talk(f"T{n}", "me: hazelnut") for n in range(40)))

    assert len(put(store, limit=3).results) == 3
    assert len(put(store, limit=35).results) == 35


def count_judged(store, *, limit=3, **says):
    reranker = CountingReranker(**says)
    reranker.fingerprint = f"says {says}"  # one that is not remembered
    return put(store, limit=limit, reranker=reranker).stages[1].passages


def test_judging_goes_on_only_while_the_first_places_may_change(store):
    index_talks(store, *(talk(f"T{n}", f"me: hazelnut {'x ' * n}") for n in range(40)))

    assert count_judged(store, hazel=0.95) == FIRST_BATCH  # three of them are settled
    assert count_judged(store, limit=12, hazel=0.96) == 12
    assert count_judged(store, hazel=0.3) == CANDIDATES  # none answers
    assert count_judged(store, T0=0.8) == FIRST_BATCH + NEXT_BATCH  # no other answers


def test_the_second_passage_of_the_best_session_comes_before_the_first_of_the_tenth(store):
    long = [f"me: {'hazelnut ' * 20}{word} {'x ' * 300}" for word in ("one", "two")]
    index_talks(store, talk("Long hazelnut", *long))
    index_talks(store, *(talk(f"T{n}", f"me: hazelnut {'y ' * 400}") for n in range(12)))
    reranker = CountingReranker()

    put(store, reranker=reranker)

    sessions = ["Long" in passage for passage in reranker.judged]
    assert sessions.index(True) == 0
    assert sessions[:8].count(True) == 2


def test_a_session_not_judged_comes_before_one_that_got_a_clear_no(store):
    class OnlyFirst(CountingReranker):
        def judge(self, question, passages):
            yield 0, 0.01
            raise BackendError("the model ran away")

    index_talks(store, *TALKS)

    answer = put(store, reranker=OnlyFirst())

    assert titles(answer) == ["Dinner", "Cake"]
    assert [result.rerank for result in answer.results] == [None, 0.01]
    assert str(answer.stopped_by) == "the model ran away"


def test_the_listener_sees_the_ranking_improve(store):
    index_talks(store, *TALKS)
    seen, works = [], []
    listener = RankingListener(
        on_ranking=lambda answer: seen.append(titles(answer)),
        on_activity=lambda work: works.append((work.name, work.done, work.total)),
    )

    models = {"reranker": CountingReranker(eat=0.9), "sifter": CountingSifter(1, 0)}
    put(store, listener=listener, **models)

    assert seen[:2] == [["Cake", "Dinner"], ["Dinner", "Cake"]]
    assert works[:3] == [("judging passages", done, 2) for done in range(3)]
    assert [doing for doing, *_ in works[3:]] == ["loading", "reading", "thinking", "thinking"]


@pytest.mark.parametrize("question", ["", "???", "😀", "zebra", '"', "the of"])
def test_where_nothing_is_shared_nothing_is_found(store, question):
    index_talks(store, *TALKS)

    answer = put(store, question, reranker=WordReranker(), sifter=WordSifter())

    assert (answer.verdict, answer.results) == ("nothing", ())
    assert len(answer.stages) == 1


def test_an_empty_database_has_no_answer(store):
    assert put(store, reranker=WordReranker()).verdict == "nothing"


def test_filters_that_leave_nothing_find_nothing(store):
    index_talks(store, *TALKS)

    assert put(store, filters=Filters(source="telegram")).verdict == "nothing"
    assert titles(put(store, "Lisbon", filters=Filters(speaker=frozenset(["ann"])))) == ["Lisbon"]
    assert titles(put(store, filters=Filters(speaker=frozenset(["ann"])))) == []


def test_a_session_found_by_its_title_shows_its_first_words(store):
    chat = talk("Lisbon", "system: Ann joined", "Ann: Sunny here.")
    notice, first = chat.turns
    index_talks(store, replace(chat, turns=(replace(notice, kind=Kind.SERVICE), first)))
    reranker = CountingReranker(Sunny=1)

    [result] = put(store, "Lisbon", reranker=reranker).results

    assert quotes(result) == ["Sunny here."]
    assert "Sunny" in reranker.judged[0]


def test_a_session_without_words_can_be_found_by_its_title(store):
    chat = talk("Lisbon", "system: Ann joined")
    index_talks(store, replace(chat, turns=(replace(chat.turns[0], kind=Kind.SERVICE),)))

    answer = put(store, "Lisbon", reranker=WordReranker(), sifter=WordSifter())

    assert titles(answer) == ["Lisbon"]


def test_a_session_too_long_for_the_sifter_is_cut_to_its_evidence(store):
    class Small(CountingSifter):
        context = 200

    sifter = Small(0)
    lines = [f"me: filler {'x ' * 20}" for _ in range(30)]
    lines[15] = "me: no hazelnut"
    index_talks(store, talk("Long", *lines))

    models = RankingModels(WordEmbedder(), None, sifter, WORDING, thought_tokens=10)
    rank_sessions("hazelnut", store, models, Filters(), limit=1)

    [message] = sifter.messages
    assert "no hazelnut" in message
    assert message.count("filler") < 5
    assert message.count("[…]") == 2


def test_a_context_that_no_session_fits_is_an_error_with_a_way_out(store):
    class Tiny(CountingSifter):
        context = 70

    index_talks(store, *TALKS)

    stopped = put(store, sifter=Tiny(0)).stopped_by

    assert isinstance(stopped, BackendError)
    assert "no session fits into the 70 tokens" in str(stopped)
    assert stopped.hint


@pytest.mark.parametrize("stopped", [BackendError("the model ran away"), KeyboardInterrupt()])
def test_a_stage_that_ends_early_leaves_the_ranking_before_it(store, stopped):
    class Stopping(WordSifter):
        def sift(self, message, *, shown, ranked, thought_tokens):
            yield "Well, "
            raise stopped

    index_talks(store, *TALKS)
    before = rank_sessions("hazelnut", store, RankingModels(WordEmbedder()), Filters(), limit=5)

    answer = rank_sessions(
        "hazelnut",
        store,
        RankingModels(WordEmbedder(), None, Stopping(), WORDING),
        Filters(),
        limit=5,
    )

    assert answer.stopped_by is stopped
    assert answer.results == before.results
    assert [stage.name for stage in answer.stages] == ["retrieve"]
