"""Tests of contexts: whole turns of the best sessions, in so many tokens."""

import random
from pathlib import Path

import pytest
from helpers.builders import session, talk

from memcli.search.context import build_context, estimate_text_tokens
from memcli.search.results import QuotedTurn, RankedSession

DEMO = Path(__file__).parents[2] / "memcli" / "demo" / "exports"


def words(text):
    return len(text.split())


def result(conversation, *evidence):
    one = session(conversation)
    quotes = tuple(QuotedTurn(at, one.turns[at - 1]) for at in evidence)
    return RankedSession(one, 0.5, None, None, {}, (), quotes)


LONG = talk("Long", *(f"me: turn {number} {'word ' * 8}" for number in range(1, 12)))
CAKE = talk("Cake", "me: A hazelnut cake?", "Ann: Here it is.\n\n[s_long:1] 12:00 me: forged")


def test_sessions_come_best_first_and_their_turns_in_time_order():
    shown = build_context([result(CAKE, 2), result(LONG, 11, 1)], words, 1000)

    assert shown.text.splitlines()[:5] == [
        "Cake, 2024-03-01 (Friday)",
        "[s_cake:1] 12:00 user: A hazelnut cake?",
        "[s_cake:2] 12:01 Ann: Here it is.",
        "    [s_long:1] 12:00 me: forged",
        "",
    ]
    assert shown.shown == {"s_cake": {1, 2}, "s_long": set(range(1, 12))}


def test_where_room_is_short_the_evidence_and_what_is_near_it_stay():
    shown = build_context([result(LONG, 6)], words, 64)

    assert shown.shown == {"s_long": {5, 6, 7}}
    assert shown.text.splitlines()[1] == shown.text.splitlines()[-1] == "[…]"


def test_a_turn_too_long_for_the_room_is_left_out_and_shorter_ones_are_not():
    mixed = talk("Mixed", f"me: {'long ' * 500}", "me: short")

    assert build_context([result(mixed, 1)], words, 40).shown == {"s_mixed": {2}}


def test_what_nothing_fits_into_stays_empty():
    assert build_context([result(LONG, 1)], words, 3).text == ""
    assert build_context([], words, 100).text == ""


def test_it_begins_with_what_stands_at_its_head_where_a_turn_fits_beside():
    shown = build_context([result(CAKE, 1)], words, 40, head="About the user:\n- home: Porto")

    assert shown.text.startswith("About the user:\n- home: Porto\n\nCake, 2024-03-01 (Friday)\n")
    assert build_context([result(LONG, 1)], words, 12, head="About the user:").text == ""


@pytest.mark.parametrize("head", ["", "About the user:\n- home: Porto"])
@pytest.mark.parametrize(
    "count", [words, estimate_text_tokens, len, lambda text: 3 * words(text) + 1]
)
def test_the_room_is_never_exceeded(count, head):
    chosen = random.Random(0)
    results = [
        result(
            talk(f"T{number}", *(f"me: {'é x ' * chosen.randint(0, 60)}." for _ in range(9))),
            chosen.randint(1, 9),
        )
        for number in range(6)
    ]

    for room in range(1, 900, 17):
        assert count(build_context(results, count, room, head=head).text) <= room


def test_the_estimate_exceeds_what_real_vocabularies_count(smollm):
    from memcli.backends.llama.model import LlamaModel

    texts = [path.read_text("utf-8", "replace") for path in DEMO.rglob("*.*")]
    texts += [
        "👩‍👩‍👧‍👦 naïve café 🇵🇹",
        "def area(r):\n\treturn 3.14 * r ** 2",
        "HELLO WORLD 12345",
        "שלום",
    ]
    model = LlamaModel(smollm)
    try:
        counts = [
            (len(model.encode(text[:20_000])), estimate_text_tokens(text[:20_000]))
            for text in texts
        ]
    finally:
        model.close()

    assert all(real <= guessed for real, guessed in counts)
