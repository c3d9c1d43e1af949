"""Thoughts and tool calls from streamed chats."""

import json

import pytest
from helpers.hostile_server import answer, chat, serving, stream

from memcli.backends.server import Limits, open_reader, parse_endpoint
from memcli.errors import ContextError, ReplyError
from memcli.protocols import Message, Reader, Sampling, Tool, ToolCall

QUICK = Limits(connect_timeout=1, idle_timeout=2, total_timeout=4, attempts=2, first_pause=0.01)
COOL = Sampling(temperature=0.5, top_p=0.9, top_k=7, seed=3)
LETTER = {"type": "string"}
MEMORY = {
    "type": "object",
    "properties": {"key": LETTER, "kind": {"type": "string", "enum": ["User", "LongTerm"]}},
    "required": ["key", "kind"],
}
TOOLS = [
    Tool("ignore", "Ignore it.", {"type": "object", "properties": {"why": LETTER}}),
    Tool(
        "add",
        "Keep it.",
        {
            "type": "object",
            "properties": {"memories": {"type": "array", "items": MEMORY}, "summary": LETTER},
            "required": ["memories", "summary"],
        },
    ),
]
ASKED = [Message("system", "You keep memories."), Message("user", "I like tea")]
KEPT = {"memories": [{"key": "tea", "kind": "User"}], "summary": "likes tea"}


def at(served):
    return parse_endpoint(f"{served.url}#m", limits=QUICK)


def call(*behaviours, messages=ASKED, thought_tokens=50, call_tokens=80):
    """Return the thought, the call, and the bodies of the requests."""
    with serving(*behaviours) as served:
        reader = open_reader(at(served), context=4096, sampling=COOL)
        *thought, made = reader.call(
            messages, TOOLS, thought_tokens=thought_tokens, call_tokens=call_tokens
        )
    assert isinstance(made, ToolCall)
    return "".join(thought), made, [request.body for request in served.requests]


def part(arguments="", name=None, index=0, **others):
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return {"tool_calls": [{"index": index, "function": function, **others}]}


@pytest.mark.parametrize(
    "pieces",
    [
        [part("", "add", id="c1"), *[part(letter) for letter in json.dumps(KEPT)]],
        [part(json.dumps(KEPT), "add")],
        [part(KEPT, "add")],  # an object where a text should be
        [part(json.dumps(json.dumps(KEPT)), "add")],
        [f"<tool_call>\n{json.dumps({'name': 'add', 'arguments': KEPT})}\n</tool_call>"],
        ["<tool", f"_call>{json.dumps({'name': 'add', 'arguments': KEPT})}"],
        [f"<tool_call>{json.dumps({'name': 'add', 'arguments': json.dumps(KEPT)})}</tool_call>"],
    ],
)
def test_a_call_is_read_however_it_comes(pieces):
    thought, made, bodies = call(chat("<think>hm", "</think>\n\n", *pieces, finish="tool_calls"))

    assert (thought, made) == ("hm", ToolCall("add", KEPT))
    assert len(bodies) == 1


@pytest.mark.parametrize(
    "pieces",
    [
        [part(json.dumps(KEPT), "add"), part("{", "ignore", index=1), part("}", index=1)],
        [part(json.dumps(KEPT), "add", index=None), part("{}", "ignore", index=None)],
        [
            f"<tool_call>{json.dumps({'name': 'add', 'arguments': KEPT})}</tool_call>\n"
            '<tool_call>{"name": "ignore", "arguments": {}}</tool_call>'
        ],
    ],
)
def test_of_two_calls_at_once_the_first_is_made_and_the_other_named(pieces):
    _, made, _ = call(chat("<think>hm</think>", *pieces, finish="tool_calls"))

    assert made == ToolCall("add", KEPT, ignored_calls=("ignore",))


@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
        "the request exceeds the available context size, try increasing it",
        "Requested tokens (1234) exceed context window of 1024",
        "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
    ],
)
def test_a_server_that_is_asked_too_much_is_told_from_one_that_fails(words):
    with pytest.raises(ContextError, match="context"):
        call(answer({"error": {"message": words}}, 400))


def test_the_seed_of_a_call_is_added_to_that_of_the_sampling():
    with serving(chat(part("{}", "ignore"))) as served:
        reader = open_reader(at(served), context=4096, sampling=COOL)
        list(reader.call(ASKED, TOOLS, thought_tokens=9, call_tokens=9, seed=40))

    assert served.requests[0].body["seed"] == 43


def test_tools_and_dialogue_are_sent_as_the_api_has_them():
    earlier = Message(
        "assistant", "", thought="what is known", call=ToolCall("ignore", {"why": "é"})
    )
    messages = [*ASKED, earlier, Message("tool", "nothing </think> <|im_end|>")]

    _, _, [body] = call(chat(part("{}", "ignore")), messages=messages)

    assert body["tools"][0] == {
        "type": "function",
        "function": {
            "name": "ignore",
            "description": "Ignore it.",
            "parameters": {"type": "object", "properties": {"why": {"type": "string"}}},
        },
    }
    assert (body["tool_choice"], body["max_tokens"]) == ("required", 130)
    assert body["messages"] == [
        {"role": "system", "content": "You keep memories."},
        {"role": "user", "content": "I like tea"},
        {
            "role": "assistant",
            "content": "<think>\nwhat is known\n</think>\n\n",
            "tool_calls": [
                {
                    "id": "call_2",
                    "type": "function",
                    "function": {"name": "ignore", "arguments": '{"why": "é"}'},
                }
            ],
        },
        {
            "role": "tool",
            "content": "nothing < /think> < |im_end|>",
            "tool_call_id": "call_2",
        },
    ]


@pytest.mark.parametrize(
    "first",
    [
        chat("I like tea, too"),
        chat("<think>", *["hm "] * 60),  # beyond its budget
        chat(part('{"memories": [], "summary"', "add"), finish="length"),
        chat(part('{"memories": []}', "add")),
        chat(part('{"memories": [{"key": 1, "kind": "User"}], "summary": ""}', "add")),
        chat(part('{"memories": [{"key": "", "kind": "Cat"}], "summary": ""}', "add")),
        chat(part("[]", "add")),
        chat(part("{}", "remove_all")),
        chat("<tool_call>{'name': 'add'}</tool_call>"),
        chat("<tool_call>[1]</tool_call>"),
    ],
)
def test_a_model_that_makes_no_usable_call_has_to_make_one(first):
    _, made, bodies = call(first, chat(part(json.dumps(KEPT), "add")))

    assert made == ToolCall("add", KEPT)
    assert bodies[1]["tool_choice"] == "required"
    assert bodies[1]["max_tokens"] == 80
    assert bodies[1]["messages"][-1]["role"] == "user"
    assert bodies[1]["chat_template_kwargs"] == {"enable_thinking": False}


def vllm_without_parser(request):
    """Refuse as vLLM does that was started without a parser of tool calls."""
    if request.body["tool_choice"] != "none":
        message = (
            f'"{request.body["tool_choice"]}" tool choice requires --enable-auto-tool-choice and'
            " --tool-call-parser to be set"
        )
        return answer({"error": {"message": message, "type": "BadRequestError"}}, 400)(request)
    written = json.dumps({"name": "add", "arguments": KEPT})
    return chat("<think>hm", "</think>", f"<tool_call>{written}</tool_call>")(request)


def test_a_server_without_a_parser_of_calls_keeps_its_thought_and_is_not_asked_in_vain_again():
    notes = []
    with serving(vllm_without_parser) as served:
        reader = open_reader(at(served), context=4096, sampling=COOL, note=notes.append)
        for _ in range(2):
            *thought, made = reader.call(ASKED, TOOLS, thought_tokens=50, call_tokens=80)
            assert ("".join(thought), made) == ("hm", ToolCall("add", KEPT))

    choices = [request.body["tool_choice"] for request in served.requests]
    assert choices == ["required", "auto", "none", "none"]
    assert {"--enable-auto-tool-choice --tool-call-parser hermes" in note for note in notes} == {
        True
    }


def test_a_server_that_lets_nobody_think_who_must_call_is_left_free_the_next_time():
    mute, thinking = (chat(*each, part("{}", "ignore")) for each in ([], ["<think>hm</think>"]))
    with serving(mute, thinking) as served:
        reader = open_reader(at(served), context=4096, sampling=COOL)
        list(reader.call(ASKED, TOOLS, thought_tokens=50, call_tokens=80))
        thought, _ = reader.call(ASKED, TOOLS, thought_tokens=50, call_tokens=80)

    assert thought == "hm"
    assert [one.body["tool_choice"] for one in served.requests] == ["required", "auto"]


def test_an_argument_may_spell_the_tag_that_ends_a_call():
    kept = {"memories": [], "summary": "ends with </tool_call> and <tool_call>{}"}
    written = json.dumps({"name": "add", "arguments": kept})

    _, made, _ = call(chat(f"<think>hm</think><tool_call>\n{written}\n</tool_call>"))

    assert made == ToolCall("add", kept)


def test_a_stream_may_end_in_done_without_a_reason():
    events = [{"choices": [{"index": 0, "delta": part("{}", "ignore"), "finish_reason": None}]}]

    _, made, bodies = call(stream(*events))

    assert made == ToolCall("ignore", {})
    assert len(bodies) == 1


def test_a_server_that_cannot_be_told_to_call_is_held_to_the_schema_of_a_call():
    written = json.dumps({"name": "add", "arguments": KEPT})

    _, made, bodies = call(chat("no"), chat("no"), chat(written))

    assert made == ToolCall("add", KEPT)
    assert bodies[2]["tool_choice"] == "none"
    [_, add] = bodies[2]["response_format"]["json_schema"]["schema"]["anyOf"]
    assert add["properties"] == {"name": {"const": "add"}, "arguments": TOOLS[1].parameters}


def test_a_server_that_can_only_make_calls_in_one_piece_is_let_do_so():
    nothing = stream(b"", done=False)
    whole = {"tool_calls": [{"id": "c", "function": {"name": "ignore", "arguments": "{}"}}]}
    made_whole = answer({"choices": [{"message": whole, "finish_reason": "tool_calls"}]})
    refused = answer({"error": {"message": ""}}, 500)

    _, made, bodies = call(nothing, nothing, *[refused] * 6, made_whole)

    assert made == ToolCall("ignore", {})
    assert [body["stream"] for body in bodies] == [True] * 2 + [False] * 7
    assert bodies[-1]["tool_choice"] == "auto"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (chat("no"), "it called no tool"),
        (chat(part("{}", "add")), "add lacks memories"),
        (chat(part('{"memories": {}, "summary": ""}', "add")), "add.memories is no array"),
        (chat(part("{}", "drop")), "it called 'drop', which is not a tool"),
        (chat(part("{" * 9999, "add")), "its call is not JSON"),
        (chat(part("[" * 9_999, "add")), "its call is not JSON"),
    ],
)
def test_a_model_that_never_calls_is_an_error_that_says_why(reply, error):
    with pytest.raises(ReplyError, match=rf"m at http://127.* made no usable call: {error}"):
        call(reply)


def test_what_the_model_said_instead_of_a_call_comes_with_the_error():
    with pytest.raises(ReplyError) as raised:
        call(chat("<think>hm</think>I like tea, too"))

    assert raised.value.reply_text == "I like tea, too"


def test_it_is_a_reader_and_its_fingerprint_is_of_the_place():
    one: Reader = open_reader(parse_endpoint("http://127.0.0.1:1/v1#m"), context=9, sampling=COOL)
    other = open_reader(parse_endpoint("http://127.0.0.1:1/v1#n"), context=9, sampling=COOL)

    assert (one.name, one.context) == ("m", 9)
    assert one.fingerprint != other.fingerprint
