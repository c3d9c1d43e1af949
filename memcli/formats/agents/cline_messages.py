"""The messages between Cline and a model: what the person said among what the program wrote.

The program writes in the person's name: the state of the editor, results of tools, and the
person's own words in tags. Models without tools of their own call those of Cline in tags, too, and
an answer or a question to the person may be such a call.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from memcli.domain import Kind, Role
from memcli.formats.building.blocks import (
    Block,
    anthropic_blocks,
    plain_text,
    text_block,
    tool_call,
    tool_result,
)
from memcli.formats.parsing.values import mapping, string

# Calls that speak to the person, and where they have the words.
_WORDS = {
    "attempt_completion": "result",
    "ask_followup_question": "question",
    "plan_mode_respond": "response",
}
_CALLS = re.compile(
    r"^<(thinking|attempt_completion|ask_followup_question|plan_mode_respond|execute_command"
    r"|read_file|write_to_file|replace_in_file|apply_diff|insert_content|search_and_replace"
    r"|search_files|list_files|list_code_definition_names|codebase_search|browser_action"
    r"|use_mcp_tool|access_mcp_resource|load_mcp_documentation|web_fetch|web_search|new_task"
    r"|condense|switch_mode|fetch_instructions|update_todo_list|task_progress)>",
    re.MULTILINE,
)
_PERSONS = ("task", "feedback", "answer", "user_message", "user_input")
_TAGS = re.compile(rf"<({'|'.join(_PERSONS)}|environment_details)\b[^<>]*>")
_RESULT = re.compile(r"\s*\[[a-z]+(?:_[a-z]+)+\b[^\x00]{0,2000}?\] Result:\s*")
_NOTE = re.compile(r"\s*\[[A-Z][A-Z ]+\]")  # "[TASK RESUMPTION]", "[ERROR]"
# Where a result ends in the person's words; a file that was read may have such tags anywhere.
_REPLY = re.compile(r"(?:\A\s*|following feedback:\s*)<(answer|feedback|user_message)>")


def blocks_of(message: Mapping[str, Any]) -> list[Block]:
    """Return who says or does what in a message with a role and a content."""
    content = message.get("content", message.get("text"))
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    role = string(message.get("role")) or string(message.get("type"))
    if role == "assistant":
        return [block for part in map(mapping, parts) for block in _answer(part)]
    if role == "user":
        return _prompt(parts)
    return text_block(Role.SYSTEM, plain_text(content), Kind.CONTEXT)


def _answer(part: Mapping[str, Any]) -> list[Block]:
    name = string(part.get("name"))
    if part.get("type") == "tool_use" and name in _WORDS:
        words = string(mapping(part.get("input")).get(_WORDS[name]))
        return text_block(Role.ASSISTANT, words) or anthropic_blocks(Role.ASSISTANT, [part])
    if part.get("type") != "text":
        return anthropic_blocks(Role.ASSISTANT, [part])
    found: list[Block] = []
    for tag, text in _tagged(string(part.get("text")), _CALLS):
        if tag == "thinking":
            found += text_block(Role.ASSISTANT, text, Kind.THOUGHT)
        elif tag in _WORDS:
            found += text_block(Role.ASSISTANT, _inside(_WORDS[tag], text))
        elif tag:
            found.append(tool_call(tag, text))
        else:
            found += text_block(Role.ASSISTANT, text)
    return found


def _prompt(parts: list[Any]) -> list[Block]:
    found: list[Block] = []
    awaited = False  # the block before only says whose result comes next
    for part in map(mapping, parts):
        text = string(part.get("text"))
        head = _RESULT.match(text)
        if part.get("type") == "tool_result":
            found += _result(plain_text(part.get("content")))
        elif part.get("type") != "text":
            found += anthropic_blocks(Role.USER, [part])
        elif head or (awaited and not text.lstrip().startswith("<environment_details>")):
            found += _result(text)
        else:
            found += _typed(text)
        awaited = head is not None and head.end() == len(text)
    return found


def _typed(text: str) -> list[Block]:
    parts = list(_tagged(text, _TAGS))
    marked = any(tag in _PERSONS for tag, _ in parts) or _NOTE.match(text)
    found: list[Block] = []
    for tag, part in parts:
        if tag in _PERSONS or not (tag or marked):
            found += text_block(Role.USER, part)
        else:
            found += text_block(Role.SYSTEM, part, Kind.CONTEXT)
    return found


def _result(text: str) -> list[Block]:
    head = _RESULT.match(text)
    body = text[head.end() :] if head else text
    reply = _REPLY.search(body)
    if reply is None:
        return tool_result(text)
    begin = reply.start(1) - 1
    return tool_result(body[:begin].strip()) + _typed(body[begin:])


def _inside(tag: str, text: str) -> str:
    """Return what is in a tag, all of the text where there is no such tag."""
    _, opened, rest = text.partition(f"<{tag}>")
    return rest.partition(f"</{tag}>")[0].strip() if opened else text


def _tagged(text: str, opening: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Yield the parts of a text in order: (tag, what is in it), or ("", what is in none).

    A tag that is never closed is a part of the text.
    """
    at, unclosed = 0, set[str]()
    for match in opening.finditer(text):
        tag = match[1]
        if match.start() < at or tag in unclosed:
            continue
        end = text.find(f"</{tag}>", match.end())
        if end < 0:
            unclosed.add(tag)
            continue
        yield "", text[at : match.start()].strip()
        yield tag, text[match.end() : end].strip()
        at = end + len(f"</{tag}>")
    yield "", text[at:].strip()
