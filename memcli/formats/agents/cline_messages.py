"""The messages between Cline and a model: a person's prompts among texts of the program.

The program writes in the person's name: the state of the editor, results of tools, and the
person's prompts in tags. Models without tool calls of their own also call Cline's tools in tags,
and an answer or a question to the person may be such a call.
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

# Tools that address the person, and the arguments that hold the text.
_TEXT_ARGUMENTS = {
    "attempt_completion": "result",
    "ask_followup_question": "question",
    "plan_mode_respond": "response",
}
_CALL_TAGS = re.compile(
    r"^<(thinking|attempt_completion|ask_followup_question|plan_mode_respond|execute_command"
    r"|read_file|write_to_file|replace_in_file|apply_diff|insert_content|search_and_replace"
    r"|search_files|list_files|list_code_definition_names|codebase_search|browser_action"
    r"|use_mcp_tool|access_mcp_resource|load_mcp_documentation|web_fetch|web_search|new_task"
    r"|condense|switch_mode|fetch_instructions|update_todo_list|task_progress)>",
    re.MULTILINE,
)
_PROMPT_TAGS = ("task", "feedback", "answer", "user_message", "user_input")
_OPENING_TAGS = re.compile(rf"<({'|'.join(_PROMPT_TAGS)}|environment_details)\b[^<>]*>")
_RESULT = re.compile(r"\s*\[[a-z]+(?:_[a-z]+)+\b[^\x00]{0,2000}?\] Result:\s*")
_NOTE = re.compile(r"\s*\[[A-Z][A-Z ]+\]")  # "[TASK RESUMPTION]", "[ERROR]"
# The end of a result, where the person's text begins; a file may hold such tags anywhere.
_REPLY = re.compile(r"(?:\A\s*|following feedback:\s*)<(answer|feedback|user_message)>")


def message_blocks(message: Mapping[str, Any]) -> list[Block]:
    """Return the blocks of a message with a role and a content."""
    content = message.get("content", message.get("text"))
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    role = string(message.get("role")) or string(message.get("type"))
    if role == "assistant":
        return [block for part in map(mapping, parts) for block in _answer_blocks(part)]
    if role == "user":
        return _prompt_blocks(parts)
    return text_block(Role.SYSTEM, plain_text(content), Kind.CONTEXT)


def _answer_blocks(part: Mapping[str, Any]) -> list[Block]:
    name = string(part.get("name"))
    if part.get("type") == "tool_use" and name in _TEXT_ARGUMENTS:
        text = string(mapping(part.get("input")).get(_TEXT_ARGUMENTS[name]))
        return text_block(Role.ASSISTANT, text) or anthropic_blocks(Role.ASSISTANT, [part])
    if part.get("type") != "text":
        return anthropic_blocks(Role.ASSISTANT, [part])
    blocks: list[Block] = []
    for tag, text in _split_tags(string(part.get("text")), _CALL_TAGS):
        if tag == "thinking":
            blocks += text_block(Role.ASSISTANT, text, Kind.THOUGHT)
        elif tag in _TEXT_ARGUMENTS:
            blocks += text_block(Role.ASSISTANT, _tag_content(_TEXT_ARGUMENTS[tag], text))
        elif tag:
            blocks.append(tool_call(tag, text))
        else:
            blocks += text_block(Role.ASSISTANT, text)
    return blocks


def _prompt_blocks(parts: list[Any]) -> list[Block]:
    blocks: list[Block] = []
    expects_result = False  # True if the part before is only the heading of a result
    for part in map(mapping, parts):
        text = string(part.get("text"))
        head = _RESULT.match(text)
        if part.get("type") == "tool_result":
            blocks += _result_blocks(plain_text(part.get("content")))
        elif part.get("type") != "text":
            blocks += anthropic_blocks(Role.USER, [part])
        elif head or (expects_result and not text.lstrip().startswith("<environment_details>")):
            blocks += _result_blocks(text)
        else:
            blocks += _typed_blocks(text)
        expects_result = head is not None and head.end() == len(text)
    return blocks


def _typed_blocks(text: str) -> list[Block]:
    """Return a person's text and the program's text around it."""
    parts = list(_split_tags(text, _OPENING_TAGS))
    has_marks = any(tag in _PROMPT_TAGS for tag, _ in parts) or _NOTE.match(text)
    blocks: list[Block] = []
    for tag, part in parts:
        if tag in _PROMPT_TAGS or not (tag or has_marks):
            blocks += text_block(Role.USER, part)
        else:
            blocks += text_block(Role.SYSTEM, part, Kind.CONTEXT)
    return blocks


def _result_blocks(text: str) -> list[Block]:
    """Return a tool's result, and the person's text at its end."""
    head = _RESULT.match(text)
    body = text[head.end() :] if head else text
    reply = _REPLY.search(body)
    if reply is None:
        return tool_result(text)
    begin = reply.start(1) - 1
    return tool_result(body[:begin].strip()) + _typed_blocks(body[begin:])


def _tag_content(tag: str, text: str) -> str:
    """Return the content of a tag, or the whole text if it has no such tag."""
    _, opening, rest = text.partition(f"<{tag}>")
    return rest.partition(f"</{tag}>")[0].strip() if opening else text


def _split_tags(text: str, opening: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Yield the parts of a text in order: (tag, its content), or ("", text outside of tags).

    A tag without an end is a part of the text.
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
