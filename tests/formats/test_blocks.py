"""Messages made of blocks."""

from memcli.domain import Kind, Role
from memcli.formats.building.blocks import (
    Block,
    linear_turns,
    media_block,
    node_chain,
    plain_text,
    title_from,
    tool_call,
    with_keys,
)

HM, YES = Block(Role.ASSISTANT, "Hm", Kind.THOUGHT), Block(Role.ASSISTANT, "Yes")


def test_the_first_words_have_the_key_of_the_message_whatever_came_before_them():
    tool = tool_call("ls", {"b": 1, "a": 2})

    keys = [key for key, _ in with_keys("m", [HM, YES, tool, YES, HM])]

    assert keys == ["m#thought1", "m", "m#tool1", "m#text2", "m#thought2"]


def test_a_call_reads_the_same_whatever_the_order_of_its_arguments():
    assert tool_call("ls", {"b": 1, "a": 2}) == tool_call("ls", {"a": 2, "b": 1})


def test_in_a_tree_the_blocks_of_a_message_follow_each_other():
    nodes = node_chain("m", "m", "before", [HM, YES], None)

    assert [(name, node.key, node.parent) for name, node in nodes.items()] == [
        ("m#1", "m#thought1", "before"),
        ("m", "m", "m#1"),
    ]


def test_in_a_tree_a_message_without_blocks_keeps_its_place():
    [(name, node)] = node_chain("m", "m", "before", [], None).items()

    assert (name, node.parent, node.is_turn) == ("m", "before", False)


def test_a_title_is_the_beginning_of_the_first_prompt_on_one_line():
    turns = [
        *linear_turns("a", [YES], None),
        *linear_turns("q", [Block(Role.USER, "Why\nnot? " * 20)], None),
    ]

    assert title_from(turns) == ("Why not? " * 20)[:80]
    assert title_from([]) == ""


def test_files_are_named_without_their_folders_and_pictures_in_place_have_no_name():
    assert (
        media_block(Role.USER, "C:\\tmp\\a.png").text
        == media_block(Role.USER, "/tmp/a.png").text
        == "a.png"
    )
    assert media_block(Role.USER, "data:image/png;base64,x").text == ""
    assert media_block(Role.USER, None).text == ""


def test_text_is_found_in_texts_objects_and_lists():
    assert plain_text(["a", {"text": "b"}, {"content": [{"text": "c"}, None]}, 4]) == "a\nb\nc\n4"
    assert plain_text({"error": "x"}) == '{"error": "x"}'
