"""Data sets are read by what is in them, with their slips."""

import json
from datetime import UTC, datetime
from zipfile import ZipFile

import pytest
from helpers.small_datasets import locomo_question, locomo_sample, longmemeval_element, two_people

from memcli.errors import InputError
from memcli.evaluation.datasets import Observation, choose_sample, read_dataset


def every_question(questions):
    return [each for archive in questions for each in archive]


@pytest.fixture
def read(tmp_path):
    def reading(content, **options):
        path = tmp_path / "set.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return read_dataset(path, **options)

    return reading


@pytest.mark.parametrize(
    ("evidence", "turns"),
    [
        (["D1:3"], {"D1:3"}),
        (["D1:3", "D1:4", "D2:1"], {"D1:3", "D1:4", "D2:1"}),
        (["D8:6; D9:17"], {"D8:6", "D9:17"}),
        (["D9:1 D4:4 D4:6"], {"D9:1", "D4:4", "D4:6"}),
        (["D:11:26"], {"D11:26"}),
        (["D30:05"], {"D30:5"}),
        (["D"], set()),
        ([], set()),
        ([None, 3], set()),
    ],
)
def test_evidence_of_locomo_is_read_with_its_slips(read, evidence, turns):
    dataset = read([locomo_sample("conv-1", locomo_question("Who?", *evidence))])

    [question] = every_question(dataset.questions)
    sessions = {turn: f"conv-1/session_{turn[1:].split(':')[0]}" for turn in turns}
    assert question.sessions == set(sessions.values())
    assert question.turns == {(session, turn) for turn, session in sessions.items()}
    assert (question.category, question.answer) == ("single-hop", "Rex")


def test_what_was_noted_of_a_session_is_read_with_its_turns(read):
    noted = locomo_sample("conv-1", locomo_question())
    noted["observation"] = {
        "session_2_observation": {"Ann": [["She ran.", "D2:1"], ["She swam.", ["D2:03", "D2:4"]]]},
        "session_3_observation": [],
    }

    [archive] = read([noted]).archives()

    where = "conv-1/session_2"
    assert list(archive.observations()) == [
        Observation("Ann", "She ran.", where, frozenset({"D2:1"})),
        Observation("Ann", "She swam.", where, frozenset({"D2:3", "D2:4"})),
    ]
    assert read([noted]).observed
    assert not read([longmemeval_element("q")]).observed


def test_locomo_has_an_archive_a_conversation(read):
    dataset = read(two_people())

    archives = list(dataset.archives())
    assert dataset.layout == "locomo"
    assert [len(archive.questions) for archive in archives] == [3, 3]
    assert [[one["sample_id"] for one in archive.export] for archive in archives] == [
        ["one"],
        ["two"],
    ]


def test_longmemeval_has_an_archive_a_question(read):
    dataset = read([longmemeval_element("q1", bread="I baked."), longmemeval_element("q2_abs")])

    first, second = every_question(dataset.questions)
    assert dataset.layout == "longmemeval"
    assert (first.sessions, first.turns) == ({"q1/rex"}, {("q1/rex", "1")})
    assert (first.category, first.answer, first.abstention) == ("single-session-user", "Rex", False)
    assert first.asked_at == datetime(2023, 6, 1, 10, 0, tzinfo=UTC)
    assert second.abstention
    assert [archive.questions for archive in dataset.archives()] == [(first,), (second,)]


def test_a_pooled_archive_has_each_session_once_and_every_question(read):
    dataset = read(
        [
            longmemeval_element("q1", bread="I baked bread.", rain="It rained all day."),
            longmemeval_element("q2", bread="I baked bread.", snow="It snowed."),
        ],
        pooled=True,
    )

    [archive] = dataset.archives()
    haystacks = [haystack["haystack_session_ids"] for haystack in archive.export]
    assert haystacks == [["rex", "bread", "rain"], ["snow"]]
    assert {haystack["question_id"] for haystack in archive.export} == {"pooled"}
    assert [question.sessions for question in archive.questions] == [{"pooled/rex"}] * 2


def test_a_pooled_locomo_is_all_conversations(read):
    [archive] = read(two_people(), pooled=True).archives()

    assert [one["sample_id"] for one in archive.export] == ["one", "two"]
    assert len(archive.questions) == 6


def test_what_has_no_name_is_given_one(read):
    element, other = longmemeval_element("q"), locomo_sample("x", locomo_question("Who?", "D1:1"))
    del element["question_id"], other["sample_id"]

    [named], [also] = (every_question(read([one]).questions) for one in (element, other))

    assert named.sessions == {"1/rex"}
    assert also.sessions == {"1/session_1"}


def test_a_lone_conversation_and_one_without_a_wrapping_are_read(read):
    lone = locomo_sample("x", locomo_question("Who?", "D1:1"))
    bare = {**lone.pop("conversation"), **lone}

    assert read(bare).layout == "locomo"


def test_a_data_set_may_lie_in_a_zip(tmp_path):
    with ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("locomo10.json", json.dumps(two_people()))

    assert len(every_question(read_dataset(tmp_path / "set.zip").questions)) == 6


def test_a_sample_has_of_every_category_its_share_and_always_the_same(read):
    questions = [locomo_question("Who?", "D1:1", category=kind) for kind in [1] * 20 + [2] * 60]
    dataset = read([locomo_sample("x", *questions)])

    few, more = choose_sample(dataset, 8), choose_sample(dataset, 16)

    categories = {one.id: one.category for one in every_question(dataset.questions)}
    assert sorted(categories[one] for one in few) == ["multi-hop"] * 2 + ["temporal"] * 6
    assert few < more
    assert few == choose_sample(dataset, 8)
    assert len(choose_sample(dataset, 1000)) == 80


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "set.json"),
        ("{", "set.json"),
        ("3", "element 1 of .* is not a JSON object"),
        ("[]", "set.json has no question"),
        ("[3]", "element 1 of .* is not a JSON object"),
        ('[{"a": 1}]', "element 1 of .* has no questions as LoCoMo's and LongMemEval's are"),
        ([locomo_sample("one")], "has no question"),
        ([locomo_sample("one", locomo_question("  "))], "question 1.1 is empty"),
        (json.dumps([locomo_sample("one", locomo_question("Who?"))])[:-9], "set.json"),
        (
            [locomo_sample("one", locomo_question("Who?")), longmemeval_element("q")],
            "element 2 of .* has no questions",
        ),
    ],
)
def test_what_cannot_be_measured_is_said(read, content, message):
    with pytest.raises(InputError, match=message):
        read(content)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(InputError, match="no file or folder at"):
        read_dataset(tmp_path / "gone.json")


def test_a_folder_is_no_data_set(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        read_dataset(tmp_path)
