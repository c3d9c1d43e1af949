"""`mem bench --outcome`, with a real small model."""

import pytest
from helpers.small_datasets import two_people

from memcli.cli.bench.chat_answers import fit_texts

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("room", "joined"), [(9, "a b c d\ne f"), (5, "a b c\ne f"), (2, "a \ne"), (0, "")]
)
def test_what_does_not_fit_is_cut_at_the_end_the_longest_first(room, joined):
    assert fit_texts(["a b c d", "e f"], lambda text: len(text.split()), room) == joined


def test_a_real_chat_model_answers_with_more_and_more_sessions(mem, smollm):
    mem.write("locomo.json", two_people())
    command = (
        "bench",
        "locomo.json",
        "--outcome",
        "--chat",
        str(smollm),
        "--think",
        "0",
        "-n",
        "2",
    )

    done = mem(*command, "--json", "-q")
    shown = mem(*command, "-q")

    assert done.code == 0, done.err
    outcome = done.json["outcome"]
    assert {"reward", "f1@0", "f1@1", "exact_match@0", "utility@1"} <= set(outcome)
    assert all(-1 <= value <= 1 for value in outcome.values())
    assert done.json["models"]["chat"]
    assert "answers of a chat model" in shown.out
    assert f"reward R    {outcome['reward']:7.3f}" in shown.out


def test_without_a_chat_model_it_is_said(mem):
    mem.write("locomo.json", two_people())

    done = mem("bench", "locomo.json", "--outcome")

    assert (done.code, done.out) == (6, "")
    assert "no model that answers in words is on this machine" in done.err
