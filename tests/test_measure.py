"""What `measure.py` counts is what its metrics are defined to be."""

import json
from math import log2

import pytest
from measure import (
    METRICS,
    all_at,
    any_at,
    locomo,
    longmemeval,
    main,
    measure,
    ndcg_at,
    pooled,
    recall_at,
    reciprocal_rank,
    scores,
)

from memcli.backends.fake import WordEmbedder

RANKING = ["a", "b", "c", "d", "e", "f"]


def locomo_sample(name, evidence):
    """A conversation of two sessions, the first about a dog; one question about the dog."""
    return {
        "sample_id": name,
        "conversation": {
            "speaker_a": "Ann",
            "speaker_b": "Bo",
            "session_1_date_time": "4:04 pm on 20 January, 2023",
            "session_1": [{"speaker": "Ann", "dia_id": "D1:1", "text": "My dog is called Rex."}],
            "session_2_date_time": "5:00 pm on 21 January, 2023",
            "session_2": [{"speaker": "Bo", "dia_id": "D2:1", "text": "I baked bread today."}],
        },
        "qa": [{"question": "What is the dog called?", "evidence": evidence, "category": 4}],
    }


def longmemeval_element(name, answer, **others):
    sessions = {answer: "My dog is called Rex.", **others}
    return {
        "question_id": name,
        "question_type": "single-session-user",
        "question": "What is my dog called?",
        "answer_session_ids": [answer],
        "haystack_session_ids": list(sessions),
        "haystack_dates": ["2023/05/20 (Sat) 02:21" for _ in sessions],
        "haystack_sessions": [[{"role": "user", "content": text}] for text in sessions.values()],
    }


@pytest.mark.parametrize(
    ("gold", "any_1", "any_5", "all_5", "recall_5", "reciprocal", "ndcg_5"),
    [
        ({"a"}, 1, 1, 1, 1, 1, 1),
        ({"b"}, 0, 1, 1, 1, 1 / 2, 1 / log2(3)),
        ({"f"}, 0, 0, 0, 0, 1 / 6, 0),
        ({"a", "b"}, 1, 1, 1, 1, 1, 1),
        ({"c", "e"}, 0, 1, 1, 1, 1 / 3, (1 / 2 + 1 / log2(6)) / (1 + 1 / log2(3))),
        ({"b", "f"}, 0, 1, 0, 1 / 2, 1 / 2, (1 / log2(3)) / (1 + 1 / log2(3))),
        ({"missing"}, 0, 0, 0, 0, 0, 0),
        ({"a", "missing"}, 1, 1, 0, 1 / 2, 1, 1 / (1 + 1 / log2(3))),
        ({"a", "b", "c", "d", "e", "f"}, 1, 1, 0, 5 / 6, 1, 1),
    ],
)
def test_metrics_are_what_one_gets_by_hand(gold, any_1, any_5, all_5, recall_5, reciprocal, ndcg_5):
    found = (
        any_at(1, RANKING, gold),
        any_at(5, RANKING, gold),
        all_at(5, RANKING, gold),
        recall_at(5, RANKING, gold),
        reciprocal_rank(RANKING, gold),
        ndcg_at(5, RANKING, gold),
    )

    assert found == pytest.approx((any_1, any_5, all_5, recall_5, reciprocal, ndcg_5))


def test_ndcg_of_one_gold_in_second_place_is_the_known_number():
    assert round(ndcg_at(10, ["x", "gold"], {"gold"}), 6) == 0.630930


@pytest.mark.parametrize("name", METRICS)
def test_an_empty_ranking_scores_nothing(name):
    assert METRICS[name]([], {"a"}) == 0


@pytest.mark.parametrize("name", METRICS)
def test_a_perfect_ranking_scores_one(name):
    assert METRICS[name](["a", "b", "c"], {"a"}) == 1


@pytest.mark.parametrize("name", METRICS)
def test_without_gold_nothing_is_measured(name):
    with pytest.raises(ValueError, match="without gold"):
        METRICS[name](["a"], frozenset())


@pytest.mark.parametrize(
    ("evidence", "sessions"),
    [
        (["D1:3"], {1}),
        (["D1:3", "D1:4", "D2:1"], {1, 2}),
        (["D8:6; D9:17"], {8, 9}),
        (["D9:1 D4:4 D4:6"], {9, 4}),
        (["D:11:26"], {11}),
        (["D30:05"], {30}),
        (["D"], set()),
        ([], set()),
    ],
)
def test_evidence_of_locomo_is_read_with_its_slips(evidence, sessions):
    [archive] = locomo([locomo_sample("conv-1", evidence)])

    assert archive.questions[0].gold == {f"conv-1/session_{number}" for number in sessions}


def test_questions_without_evidence_in_the_archive_are_left_out():
    samples = [locomo_sample("one", ["D1:1"]), locomo_sample("two", []),
               locomo_sample("three", ["D7:1"])]  # fmt: skip

    measured = measure(locomo(samples), WordEmbedder())

    assert (len(measured.outcomes), measured.without_gold) == (1, 2)


def test_every_conversation_of_locomo_has_a_database_of_its_own():
    samples = [locomo_sample("one", ["D1:1"]), locomo_sample("two", ["D1:1"])]

    measured = measure(locomo(samples), WordEmbedder())

    assert {len(one.ranking) for one in measured.outcomes} <= {1, 2}
    assert scores(measured.outcomes) == dict.fromkeys(METRICS, 1)


def test_a_pooled_archive_has_each_session_once():
    elements = [
        longmemeval_element("q1", "rex", bread="I baked bread.", rain="It rained all day."),
        longmemeval_element("q2", "rex", bread="I baked bread.", snow="It snowed."),
    ]

    [archive] = pooled(elements)
    measured = measure([archive], WordEmbedder())

    assert archive.export[0]["haystack_session_ids"] == ["rex", "bread", "rain", "snow"]
    assert scores(measured.outcomes)["any@1"] == 1


def test_abstentions_are_shown_apart():
    elements = [longmemeval_element("q1", "rex"), longmemeval_element("q2_abs", "rex")]

    measured = measure(longmemeval(elements), WordEmbedder())

    assert {name: len(group) for name, group in measured.by_category().items()} == {
        "single-session-user": 1,
        "all": 1,
        "abstention": 1,
    }


def test_the_table_and_the_json_print_the_same(tmp_path, capsys):
    path = tmp_path / "locomo.json"
    path.write_text(json.dumps([locomo_sample("one", ["D1:1"])]))

    statuses = [main(["locomo", str(path)]), main(["locomo", str(path), "--json"])]

    *lines, printed = capsys.readouterr().out.splitlines()
    header, single_hop, overall, _times = lines
    assert statuses == [0, 0]
    assert header.split() == ["n", *METRICS]
    assert single_hop.split() == ["single-hop", "1", *["1.000"] * 7]
    assert overall.split() == ["all", "1", *["1.000"] * 7]
    assert json.loads(printed)["categories"] == {
        name: {"n": 1, **dict.fromkeys(METRICS, 1)} for name in ("single-hop", "all")
    }


@pytest.mark.parametrize(
    ("dataset", "content", "message"),
    [
        ("locomo", None, "cannot be read"),
        ("locomo", "{", "cannot be read"),
        ("locomo", "3", "another data set"),
        ("locomo", "[3]", "another data set"),
        ("locomo", json.dumps([longmemeval_element("q", "rex")]), "another data set"),
        ("longmemeval", json.dumps([locomo_sample("one", ["D1:1"])]), "another data set"),
        ("locomo", "[]", "no question"),
        ("locomo", json.dumps([locomo_sample("one", [])]), "no question"),
    ],
)
def test_what_cannot_be_measured_is_said(tmp_path, capsys, dataset, content, message):
    path = tmp_path / "data.json"
    if content is not None:
        path.write_text(content)

    status = main([dataset, str(path)])

    assert status == 4
    assert message in capsys.readouterr().err
