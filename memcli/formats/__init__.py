"""Chat exports: bytes in, conversations out. One file a format, one line here."""

from importlib import import_module

from memcli.errors import UsageError
from memcli.formats.base import HEAD_BYTES, Document, Format, Mark, Reading, Sample

# In the order in which they are tried: what is recognised by more comes first.
FORMATS = (
    "memcli",
    "chatgpt",
    "deepseek",
    "claude",
    "grok",
    "open_webui",
    "llm_logs",
    "lechat",
    "gemini_takeout",
    "ai_studio",
    "lm_studio",
    "opencode",
    "telegram",
    "slack",
    "discord",
    "discord_package",
    "matrix",
    "twitter_dm",
    "imessage",
    "sms",
    "telegram_html",
    "messenger",
    "google_chat",
    "claude_code",
    "codex",
    "gemini_cli",
    "pi",
    "export_manifests",
    "longmemeval",
    "locomo",
    "cline",
    "perplexity",
    "sillytavern",
    "generic_json",
    "aider",
    "email",
    "line",
    "imessage_text",
    "signal",
    "whatsapp",
    "generic_text",
)


def load(name: str) -> Format:
    """Return the format of this name.

    Raises:
        UsageError: there is none.
    """
    if name not in FORMATS:
        raise UsageError(f"no format `{name}`", hint=f"choose one of {', '.join(FORMATS)}")
    found = import_module(f"memcli.formats.{name}").FORMAT
    assert isinstance(found, Format)
    return found


def recognise(document: Document) -> Format | None:
    """Return the format of a document, by its content; None where no format recognises it."""
    with document.open() as stream:
        sample = Sample(document.name, stream.read(HEAD_BYTES), document)
    return next((known for known in map(load, FORMATS) if known.recognises(sample)), None)


__all__ = ["FORMATS", "Document", "Format", "Mark", "Reading", "load", "recognise"]
