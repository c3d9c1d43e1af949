"""Transcripts: texts in which every turn begins with a word for its speaker.

    User: ...    **You:** ...    ## Assistant    ChatGPT said: ...

Only known words count, and speakers must alternate, because notes also have lines "Name: text".
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from memcli.domain import Conversation, Role, Skipped, Turn, fingerprint
from memcli.errors import InputError
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import LONGEST_LINE, read_lines, sample_lines
from memcli.formats.parsing.values import MessageKeys
from memcli.lazy_dataclasses import dataclass

LARGEST_TRANSCRIPT = 64 << 20  # characters
LONGEST_TITLE = 80

_SOURCE = "transcript"
_MIN_ALTERNATIONS = 2
_ROLES = {
    Role.USER: "user|you|human|me|utilisateur|usuario|usuário|benutzer|utente|gebruiker"
    "|пользователь|用户|用戶|使用者|ユーザー|사용자",
    Role.ASSISTANT: "assistant|ai|bot|chatbot|ai assistant|chatgpt|gpt|gpt-[\\w.]+|openai"
    "|gemini|bard|claude|copilot|grok|deepseek|perplexity|mistral|le chat|llama|qwen|kimi|pi"
    "|meta ai|asistente|assistente|assistent|ассистент|助手|アシスタント|어시스턴트",
    Role.SYSTEM: "system|system prompt",
}
# Words that name only a role; other words are names and become the speaker.
_ROLE_WORDS = re.compile(
    "assistant|ai|bot|chatbot|ai assistant|asistente|assistente|assistent|ассистент|助手"
    "|アシスタント|어시스턴트",
    re.IGNORECASE,
)
_MARKER = re.compile(
    r"[ ]{0,3}(?P<heading>\#{1,6}[ ]+)?(?P<bold>\*\*|__)?(?:[^\w\s\x00-\x7f]\ufe0f?[ ]?)?"
    rf"\[?(?P<name>{'|'.join(_ROLES.values())})\]?(?P<said>[ ]said)?"
    r"(?P<colon>[ ]?[:：])?(?(bold)(?P=bold))(?P<late>[ ]?[:：])?(?:(?:\s+|(?<=：))(?P<text>.*)|$)",
    re.IGNORECASE | re.DOTALL,
)
_HORIZONTAL_RULE = re.compile(r"\s*(?:-{3,}|\*{3,}|_{3,}|={3,})\s*")


@dataclass(frozen=True, slots=True)
class _Marker:
    """The beginning of a turn."""

    style: tuple[bool, bool]  # (heading, bold): the same for all turns
    role: Role
    name: str
    text: str


def _marker(line: str) -> _Marker | None:
    match = _MARKER.match(line)
    if match is None:
        return None
    text = (match["text"] or "").strip()
    heading, bold = bool(match["heading"]), bool(match["bold"])
    colon = match["colon"] or match["late"]
    if not colon and (text or not (heading or bold)):
        return None
    role = next(
        role for role, words in _ROLES.items() if re.fullmatch(words, match["name"], re.IGNORECASE)
    )
    return _Marker((heading, bold), role, match["name"], text)


def recognises(sample: Sample) -> bool:
    """Return whether two speakers or more alternate at least twice."""
    head = sample_lines(sample, sample.head.count(b"\n") + sample.head.count(b"\r") + 1)
    start = next((line.strip() for line in head if line.strip()), "")
    if start.startswith(("{", "<", '["', "[{")) or start == "[":
        return False
    return _style(head) is not None


def _style(text: Iterable[str | None]) -> tuple[bool, bool] | None:
    """Return the style of most markers of a transcript; None if the text is not a transcript."""
    turns: Counter[tuple[bool, bool]] = Counter()
    changes: Counter[tuple[bool, bool]] = Counter()
    last: dict[tuple[bool, bool], Role] = {}
    for line in text:
        marker = _marker(line[: 1 << 10]) if line else None
        if marker is None:
            continue
        turns[marker.style] += 1
        changes[marker.style] += last.get(marker.style, marker.role) is not marker.role
        last[marker.style] = marker.role
    styles = [style for style in turns if changes[style] >= _MIN_ALTERNATIONS]
    return max(styles, key=turns.__getitem__, default=None)


def parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    """Yield the one conversation of the file.

    Raises:
        InputError: speakers do not alternate, or the file is damaged; turns before the damage are
            yielded first.
    """
    style = _style(_undamaged_lines(document))
    if style is None:
        raise InputError(f"{document.name} is not a transcript")
    transcript = _Transcript(style, document.counter)
    try:
        yield from transcript.read(document)
    except InputError:
        yield from transcript.conversation()
        raise
    yield from transcript.conversation()


def _undamaged_lines(document: Document) -> Iterator[str | None]:
    """Yield the lines before the damage in a file, which the second reading reports."""
    try:
        yield from read_lines(document)
    except InputError:
        return


class _Transcript:
    """A transcript whose style is known, as its lines are read."""

    def __init__(self, style: tuple[bool, bool], counter: MessageCounter) -> None:
        self._style, self._counter = style, counter
        self._keys = MessageKeys()
        self._heading = ""
        self._marker: _Marker | None = None  # marker of the turn that is being read
        self._body: list[str] = []
        self._turns: list[Turn] = []

    def read(self, document: Document) -> Iterator[Skipped]:
        """Read the turns; yield the lines that had to be left out."""
        size = 0
        for number, line in enumerate(read_lines(document), 1):
            if line is None:
                yield Skipped(f"line {number:,}", f"has more than {LONGEST_LINE:,} characters")
                continue
            size += len(line)
            if size > LARGEST_TRANSCRIPT:
                why = f"the transcript exceeds {LARGEST_TRANSCRIPT:,} characters"
                yield Skipped(f"line {number:,} and all that follow", why)
                break
            marker = _marker(line)
            if marker and marker.style == self._style:
                self._finish_turn()
                self._marker, self._body = marker, [marker.text]
            elif self._marker:
                self._body.append(line)
            elif line.startswith("#") and not self._heading:
                self._heading = line.strip("# \t")

    def conversation(self) -> Iterator[ParsedItem]:
        """Yield the conversation.

        Its key is made of its first two turns, because transcripts have no ids and files are
        renamed.
        """
        self._finish_turn()
        if not self._turns:
            yield Skipped("transcript", "has nothing to import", lost=False)
            return
        first = self._turns[:2]
        key = fingerprint(
            *(part for turn in first for part in (turn.speaker or turn.role, turn.text))
        )
        title = self._heading or self._turns[0].text.partition("\n")[0]
        yield Conversation(_SOURCE, key, title[:LONGEST_TITLE].strip(), tuple(self._turns))

    def _finish_turn(self) -> None:
        if self._marker is None:
            return
        while self._body and (
            not self._body[-1].strip() or _HORIZONTAL_RULE.fullmatch(self._body[-1])
        ):
            self._body.pop()
        text = "\n".join(self._body).strip()
        marker, self._marker = self._marker, None
        has_name = marker.role is Role.ASSISTANT and not _ROLE_WORDS.fullmatch(marker.name)
        speaker = marker.name if has_name else None
        self._counter.see_parts([text] if text else [])
        if text:
            key = self._keys.next_key(marker.role, speaker, text)
            self._turns.append(Turn(key=key, role=marker.role, text=text, speaker=speaker))


FORMAT = Format(name="generic_text", recognises=recognises, parse=parse)
