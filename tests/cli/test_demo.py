"""`mem demo`: the main job on the bundled archive, without a trace on the machine."""

import re

import pytest
from helpers.tiny_models import write_tiny_qwen3

from memcli.demo.questions import DEMO_QUESTIONS

pytestmark = pytest.mark.slow

SESSION = re.compile(r"^ *(\d+)\. ", re.MULTILINE)


def asked(out):
    """Return what was printed for each question: the question, and its answer."""
    head, *parts = re.split(r'^\$ mem ask "(.+)"$', out, flags=re.MULTILINE)
    assert "sessions from" in head
    return dict(zip(parts[::2], parts[1::2], strict=True))


def evidence(answer, rank):
    """Return the quotes of the session in this place."""
    sections = SESSION.split(answer.partition("\nwhy  ")[0])
    places = dict(zip(map(int, sections[1::2]), sections[2::2], strict=True))
    return [line for line in places[rank].splitlines() if "│" in line]


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def demo(mem):
    """Run the demo with these options; it must leave nothing behind."""

    def run(*options):
        done = mem("demo", *options, MEM_DB=str(mem.folder / "never.db"))
        assert [done.code, *files_in(mem.folder)] == [0]
        assert "\x1b" not in done.out
        return done

    return run


def test_each_question_is_answered_by_the_first_session_and_its_evidence(demo):
    done = demo()

    answers = asked(done.out)
    assert list(answers) == [one.question for one in DEMO_QUESTIONS]
    for one in DEMO_QUESTIONS:
        quotes = "\n".join(evidence(answers[one.question], 1))
        assert [phrase for phrase in one.answers if phrase not in quotes] == [], one.question
    assert done.out.count("\n    why  ") == 3 * len(DEMO_QUESTIONS)
    assert "\nwhy  " not in done.out  # no model thought about it
    assert done.err == (
        "mem: with language models: `mem demo --reranker FILE.gguf --sifter FILE.gguf`\n"
    )


def test_the_demo_runs_through_all_three_stages(demo, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "yes.gguf"  # says yes to everything
    yes = str(write_tiny_qwen3(path, seed=1, context=16_384, layers=1))

    done = demo("--reranker", yes, "--sifter", yes, "--think", "10")

    answers = asked(done.out)
    assert [line.split(":")[1].split()[-1] for line in done.err.splitlines()] == ["unverified"] * 2
    assert list(answers) == [one.question for one in DEMO_QUESTIONS]
    for answer in answers.values():
        assert evidence(answer, 1)
        assert "  sift " in answer
        assert "No model thought" not in answer
        assert "\nwhy  " in answer
        assert "the reranker gave " in answer
