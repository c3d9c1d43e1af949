"""Parsers of chat exports: bytes of a file in, conversations out.

Begin with `format`, the description that every parser ends with, and read one parser, such as
`assistants.claude`. A new format takes one module with a `FORMAT` at its end, and one line in
FORMATS.

    format      the description of a format, and the options for parsing
    guides      how a person gets each export, in `guides.toml`
    sources     the documents that a path leads to: files, folders, standard input
    zips, tars  their members as documents
    spool       streams stored so that they can be read again
    parsing     readers of file types, which know no format
    building    builders of conversations
    assistants, agents, messengers, saved_chats, account_data, datasets, generic     the parsers
"""

from functools import cache
from importlib import import_module

from memcli.errors import UsageError, suggest_near
from memcli.formats.format import Format, ParseOptions, PieceLayout
from memcli.formats.parsing.document import Document, LogPosition
from memcli.formats.parsing.sample import HEAD_BYTES, Sample

# The module of each format, in the order in which formats are tried: the most specific first.
FORMATS = {
    "memcli": "generic.memcli",
    "chatgpt": "assistants.chatgpt",
    "deepseek": "assistants.deepseek",
    "claude": "assistants.claude",
    "grok": "assistants.grok",
    "open_webui": "assistants.open_webui",
    "llama_cpp": "assistants.llama_cpp",
    "librechat": "assistants.librechat",
    "character_ai": "assistants.character_ai",
    "x_grok": "assistants.x_grok",
    "vscode_copilot": "agents.vscode_copilot",
    "copilot_cli": "agents.copilot_cli",
    "cursor": "agents.cursor",
    "windsurf": "agents.windsurf",
    "antigravity": "agents.antigravity",
    "qwen_code": "agents.qwen_code",
    "llm_logs": "agents.llm_logs",
    "lechat": "assistants.lechat",
    "gemini_takeout": "assistants.gemini_takeout",
    "ai_studio": "assistants.ai_studio",
    "lm_studio": "assistants.lm_studio",
    "opencode": "agents.opencode",
    "telegram": "messengers.telegram",
    "slack": "messengers.slack",
    "discord": "messengers.discord",
    "discord_package": "messengers.discord_package",
    "matrix": "messengers.matrix",
    "signal_plaintext": "messengers.signal_plaintext",
    "twitter_dm": "messengers.twitter_dm",
    "imessage": "messengers.imessage",
    "sms": "messengers.sms",
    "telegram_html": "messengers.telegram_html",
    "messenger": "messengers.messenger",
    "google_chat": "messengers.google_chat",
    "claude_code": "agents.claude_code",
    "codex": "agents.codex",
    "gemini_cli": "agents.gemini_cli",
    "pi": "agents.pi",
    "qq": "saved_chats.qq",
    "chatlab": "saved_chats.chatlab",
    "kakaotalk": "saved_chats.kakaotalk",
    "skype": "account_data.skype",
    "tiktok": "account_data.tiktok",
    "snapchat": "account_data.snapchat",
    "linkedin": "account_data.linkedin",
    "copilot": "account_data.copilot",
    "hangouts": "account_data.hangouts",
    "google_voice": "account_data.google_voice",
    "reddit": "account_data.reddit",
    "discord_html": "saved_chats.discord_html",
    "discord_csv": "saved_chats.discord_csv",
    "discord_text": "saved_chats.discord_text",
    "imessage_html": "saved_chats.imessage_html",
    "imazing": "saved_chats.imazing",
    "whatsapp_exporter": "saved_chats.whatsapp_exporter",
    "viber": "saved_chats.viber",
    "threema": "saved_chats.threema",
    "zoom": "saved_chats.zoom",
    "irc": "saved_chats.irc",
    "wechat": "saved_chats.wechat",
    "export_manifests": "generic.export_manifests",
    "longmemeval": "datasets.longmemeval",
    "locomo": "datasets.locomo",
    "cline": "agents.cline",
    "perplexity": "assistants.perplexity",
    "sillytavern": "assistants.sillytavern",
    "generic_json": "generic.any_json",
    "generic_csv": "generic.any_csv",
    "aider": "agents.aider",
    "poe": "assistants.poe",
    "email": "messengers.email",
    "line": "messengers.line",
    "imessage_text": "messengers.imessage_text",
    "signal": "messengers.signal",
    "whatsapp": "messengers.whatsapp",
    "generic_text": "generic.any_text",
}

# The formats that have a PieceLayout: folders and zips are listed without importing the others.
FORMATS_WITH_PIECES = ("opencode",)


def load_format(name: str) -> Format:
    """Return the format of this name.

    Raises:
        UsageError: no format has this name.
    """
    if name not in FORMATS:
        hint = suggest_near(name, FORMATS, "`mem ingest --formats` lists them")
        raise UsageError(f"no format `{name}`", hint=hint)
    known = import_module(f"memcli.formats.{FORMATS[name]}").FORMAT
    assert isinstance(known, Format)
    return known


def recognise_format(document: Document) -> Format | None:
    """Return the format of a document by its content; None if no format recognises it."""
    with document.open() as stream:
        sample = Sample(document.name, stream.read(HEAD_BYTES), document)
    return next((known for known in map(load_format, FORMATS) if known.recognises(sample)), None)


@cache
def piece_layouts() -> tuple[PieceLayout, ...]:
    """Return the layouts of the formats whose exports have small files beside a main file."""
    return tuple(known.pieces for known in map(load_format, FORMATS_WITH_PIECES) if known.pieces)


__all__ = [
    "FORMATS",
    "Document",
    "Format",
    "LogPosition",
    "ParseOptions",
    "load_format",
    "recognise_format",
]
