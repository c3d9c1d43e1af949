"""Chat exports: bytes in, conversations out. One file a format, one line here."""

from importlib import import_module

from memcli.errors import UsageError
from memcli.formats.format import Format, Reading
from memcli.formats.parsing.document import Document, Mark
from memcli.formats.parsing.sample import HEAD_BYTES, Sample

# In the order in which they are tried: what is recognised by more comes first.
FORMATS = {
    "memcli": "generic.memcli",
    "chatgpt": "assistants.chatgpt",
    "deepseek": "assistants.deepseek",
    "claude": "assistants.claude",
    "grok": "assistants.grok",
    "open_webui": "assistants.open_webui",
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
    "export_manifests": "generic.export_manifests",
    "longmemeval": "datasets.longmemeval",
    "locomo": "datasets.locomo",
    "cline": "agents.cline",
    "perplexity": "assistants.perplexity",
    "sillytavern": "assistants.sillytavern",
    "generic_json": "generic.any_json",
    "aider": "agents.aider",
    "email": "messengers.email",
    "line": "messengers.line",
    "imessage_text": "messengers.imessage_text",
    "signal": "messengers.signal",
    "whatsapp": "messengers.whatsapp",
    "generic_text": "generic.any_text",
}


def load(name: str) -> Format:
    """Return the format of this name.

    Raises:
        UsageError: there is none.
    """
    if name not in FORMATS:
        raise UsageError(f"no format `{name}`", hint=f"choose one of {', '.join(FORMATS)}")
    found = import_module(f"memcli.formats.{FORMATS[name]}").FORMAT
    assert isinstance(found, Format)
    return found


def recognise(document: Document) -> Format | None:
    """Return the format of a document, by its content; None where no format recognises it."""
    with document.open() as stream:
        sample = Sample(document.name, stream.read(HEAD_BYTES), document)
    return next((known for known in map(load, FORMATS) if known.recognises(sample)), None)


__all__ = ["FORMATS", "Document", "Format", "Mark", "Reading", "load", "recognise"]
