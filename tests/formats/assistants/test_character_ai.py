"""Chats with characters of Character.AI."""

from helpers.assistant_exports import cai_turn, character_ai
from helpers.parsing import document, parse_all, parse_one, turn_summaries

from memcli.domain import Clock
from memcli.formats import load_format, recognise_format

CHARACTER_AI = load_format("character_ai")


def message(text, *, human, **more):
    return {"text": text, "src": {"name": "Odile" if human else "Sailor", "is_human": human}} | more


def test_turns_alone_are_the_chat_that_they_name():
    chat = character_ai("Ahoy?", "Ahoy!")["chats"][0]

    assert parse_one(CHARACTER_AI, chat["turns"]) == parse_one(
        CHARACTER_AI, {"turns": chat["turns"]}
    )
    assert (
        parse_one(CHARACTER_AI, chat["turns"]).turns
        == parse_one(CHARACTER_AI, {"chats": [chat]}).turns
    )


def test_only_the_version_that_was_kept_is_active():
    turns = [cai_turn(0, "Ahoy?"), cai_turn(1, "Who is it?", "Ahoy!", kept=0), cai_turn(2, "Me.")]

    found = parse_one(CHARACTER_AI, {"chats": [{"chat_id": "k1", "turns": turns}]})

    assert [(turn.text, turn.speaker, turn.active) for turn in found.turns] == [
        ("Ahoy?", "Odile", True),
        ("Ahoy!", "Sailor", False),
        ("Who is it?", "Sailor", True),
        ("Me.", "Odile", True),
    ]
    assert all(turn.clock is Clock.EXACT for turn in found.turns)


def test_histories_of_the_older_site_are_several_chats():
    histories = [
        {
            "external_id": f"h{at}",
            "created": f"2023-03-0{at + 1}T10:00:00Z",
            "msgs": [message("Ahoy!", human=False), message(f"It is me {at}.", human=True)],
        }
        for at in range(2)
    ]
    raw = {"info": {"character": {}}, "histories": {"histories": histories}}

    first, second = parse_all(CHARACTER_AI, raw)

    assert recognise_format(document(raw)) is CHARACTER_AI
    assert (first.key, second.key) == ("h0", "h1")
    assert turn_summaries(second) == [
        ("assistant", "text", "Ahoy!"),
        ("user", "text", "It is me 1."),
    ]
    assert first.title == "Sailor"


def test_a_message_that_is_a_picture_is_named():
    raw = {"histories": [{"msgs": [message("", human=False, image_rel_path="a/b/ship.webp")]}]}

    assert turn_summaries(parse_one(CHARACTER_AI, raw)) == [("assistant", "media", "ship.webp")]
