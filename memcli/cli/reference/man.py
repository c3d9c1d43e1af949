"""Builds the manual: mem(1), a page for each command, mem-json(5), and a page for each topic."""

from collections.abc import Iterator
from itertools import groupby

from memcli import RELEASED, __version__
from memcli.cli.completion.command_table import Command, Parameter
from memcli.cli.help.examples import EXAMPLES
from memcli.cli.help.help_text import to_sentence
from memcli.cli.help.topics import topic_names
from memcli.cli.json_output import json_schema
from memcli.cli.json_output.documents import DOCUMENTS, PrintedDocument
from memcli.cli.reference import roff, servers
from memcli.cli.reference.topic_pages import (
    topic_file,
    topic_page,
    topic_reference,
    topic_section,
)
from memcli.errors import EXIT_CODE_MEANINGS

DESCRIPTION = """
`mem` imports chat exports into one SQLite file, and finds the sessions in it that answer a
question: by words and meaning, and, where they are installed, with small language models that
judge, read and think before they rank. Nothing leaves the machine.

Results go to standard output, everything else to standard error. Colour, progress and the view
that improves while the stages run are for terminals only.
"""
# Typer adds this option: no function has it in its signature.
HELP = {"-h, --help": "Print a summary and exit; every command has it, too."}
ENVIRONMENT = {
    "MEM_DB": "Database file, unless `--db` names one.",
    "MEM_CONFIG": "Settings file, instead of the one in the configuration folder.",
    "MEM_EMBEDDER": "Model that makes the vectors; the built-in one by default.",
    "MEM_RERANKER": "Model that judges passages, unless `--reranker` names one.",
    "MEM_SIFTER": "Model that reads, thinks and ranks, unless `--sifter` names one.",
    "MEM_READER": "Model that turns sessions into memories.",
    "MEM_CHAT": "Model that writes answers, unless `--chat` names one.",
    "MEM_GPU": "Number of the GPU to run models on, unless `--gpu` gives one.",
    "MEM_GPU_LAYERS": "Number of layers to run on the GPU, unless `--gpu-layers` gives one.",
    "MEM_MODELS": "Folder of model files.",
    "MEM_MAX_STREAM": "Largest size, in GiB, of what is read from a pipe or out of a zip; 8.",
    "HF_ENDPOINT": "Hub that models are downloaded from; Hugging Face by default.",
    "HF_TOKEN": "Your access token of the hub, for models that require one.",
    "HF_HUB_OFFLINE": "Use no hub, if set to 1.",
    "MEMOS_API_KEY": "Key of the Memos Rerank API, at `MEMOS_BASE_URL` if that is set.",
    "MEM_PAGER": "Pager of `mem show`, in place of `PAGER`; no pager, if empty.",
    "NO_COLOR": "No colour, if set to anything.",
}
FILES = {
    "~/.local/share/mem/mem.db": "Database; on macOS `~/Library/Application Support/mem/mem.db`.",
    "~/.config/mem/config.toml": "Settings: models by role, servers and where their keys are;"
    " on macOS `~/Library/Application Support/mem/config.toml`.",
    "~/.local/share/mem/models": "Models; on macOS `~/Library/Application Support/mem/models`.",
}
MAIN_EXAMPLES = {
    "Import an export, and ask a question about it:": (
        "mem ingest ~/Downloads/chatgpt-export.zip",
        'mem ask "What did I decide about the car?"',
    ),
    "Use models for judging and reading, and search last spring only:": (
        'mem ask "Which dish did Ann like?" --since 2024-03 --until 2024-05 \\',
        "    --reranker memreranker-4b --sifter memsifter-4b",
    ),
    "Print all of the best session:": (
        "mem search passport --jsonl | jq -r .id | head -1 | xargs mem show",
    ),
}
JSON = """
With `--json` a command prints one object, with `--jsonl` one object a line. Both hold the same
facts as the text for people. The key `schema` names the kind of document and its number. Keys are
only ever added; a document that has to change otherwise gets a new number.

Times are ISO 8601 with the offset of the place. Every key that is not called optional is in every
document. The same as JSON Schema is in `memcli/schemas`, beside the program's code.
"""


def manual_pages(root: Command) -> dict[str, str]:
    """Return every page as roff, by its place in the manual."""
    pages = {f"man1/{'-'.join(each.words)}.1": _command_page(each) for each in root.commands}
    topics = {topic_file(each): topic_page(each) for each in _topics_with_pages(root)}
    return {"man1/mem.1": _main_page(root), **pages, "man5/mem-json.5": _json_page(), **topics}


def _topics_with_pages(root: Command) -> list[str]:
    """Return the topics that no command has the name of."""
    commands = {each.words[-1] for each in root.commands}
    return [name for name in topic_names() if name not in commands]


def _main_page(root: Command) -> str:
    """Return mem(1)."""
    statuses = {
        str(int(status)): f"{meaning.capitalize()}."
        for status, meaning in EXIT_CODE_MEANINGS.items()
    }
    commands = {each.name: to_sentence(each.summary) for each in root.commands}
    seen = [f"{'-'.join(each.words)}(1)" for each in root.commands]
    topics = _topics_with_pages(root)
    return roff.manual_page(
        "mem",
        1,
        RELEASED,
        f"memcli {__version__}",
        [
            ".SH NAME",
            f"mem \\- {roff.escape(root.summary)}",
            ".SH SYNOPSIS",
            r"\fBmem\fR [\fIOPTION\fR]... \fICOMMAND\fR [\fIARGUMENT\fR]...",
            ".SH DESCRIPTION",
            *roff.paragraphs(DESCRIPTION),
            ".SH OPTIONS",
            *_parameter_list(root.parameters),
            *roff.definition_list(HELP),
            ".SH COMMANDS",
            *roff.definition_list(commands),
            ".SH EXIT STATUS",
            *roff.definition_list(statuses),
            ".SH ENVIRONMENT",
            *roff.definition_list(ENVIRONMENT),
            ".SH FILES",
            *roff.definition_list(FILES),
            ".SH EXAMPLES",
            *roff.example_list(MAIN_EXAMPLES),
            ".SH SEE ALSO",
            *roff.page_references(*seen, "mem-json(5)", *map(topic_reference, topics)),
        ],
    )


def _command_page(command: Command) -> str:
    """Return the page of a command, or of a group with all of its commands."""
    name = "-".join(command.words)
    summary = roff.paragraph_lines(f"{name} - {command.summary}")
    body = [".SH NAME", *summary, ".SH SYNOPSIS"]
    for number, each in enumerate(command.all()):
        if number:
            body.append(".br")
        body.append(_synopsis(each))
    body += [".SH DESCRIPTION", *roff.paragraphs(command.text)]
    if command.commands:
        body.append(".SH COMMANDS")
        for each in command.all():
            body += [f".SS {roff.escape(each.name)}", *roff.paragraphs(each.text)]
            body += _parameter_list(each.parameters)
    else:
        body += _option_sections(command.parameters)
    if command.words[-1] in topic_names():
        body += topic_section(command.words[-1])
    if name == "mem-models":
        body += [".SH ENGINES AND SERVERS", *roff.paragraphs(servers.INTRODUCTION)]
        body += roff.definition_list({row.name: row.text for row in servers.ENGINES})
    shown = [example for each in command.all() for example in EXAMPLES.get(each.name, ())]
    body += [".SH EXAMPLES", *roff.code_lines(list(dict.fromkeys(shown)))]
    seen = ["mem(1)"]
    if any(each.form == "--json" for one in command.all() for each in one.parameters):
        seen.append("mem-json(5)")
    body += [".SH SEE ALSO", *roff.page_references(*seen)]
    return roff.manual_page(name, 1, RELEASED, f"memcli {__version__}", body)


def _option_sections(parameters: tuple[Parameter, ...]) -> Iterator[str]:
    """Yield the arguments, the options without a group, and then each group of options."""
    arguments = tuple(each for each in parameters if not each.is_option)
    options = tuple(each for each in parameters if each.is_option)
    if arguments:
        yield from (".SH ARGUMENTS", *_parameter_list(arguments))
    if options:
        yield ".SH OPTIONS"
    for group, members in groupby(options, key=lambda each: each.group):
        if group:
            yield f".SS {roff.escape(group)}"
        yield from _parameter_list(tuple(members))


def _synopsis(command: Command) -> str:
    options = " [OPTION]..." if any(each.is_option for each in command.parameters) else ""
    arguments = "".join(f" {each.form}" for each in command.parameters if not each.is_option)
    return rf"\fB{roff.escape(command.name)}\fR" + roff.escape(options + arguments)


def _parameter_list(parameters: tuple[Parameter, ...]) -> Iterator[str]:
    return roff.definition_list({each.form: each.help for each in parameters})


def _json_page() -> str:
    """Return mem-json(5)."""
    body = [".SH NAME", r"mem\-json \- JSON documents that mem prints"]
    body += [".SH DESCRIPTION", *roff.paragraphs(JSON), ".SH DOCUMENTS"]
    shared: dict[type, None] = {}
    for printed in DOCUMENTS:
        body += _document_section(printed)
        for document in (printed.document, printed.line):
            if document:
                shared |= dict.fromkeys(json_schema.object_types(document))
    documents = {printed.document for printed in DOCUMENTS}
    body.append(".SH OBJECTS")
    for each in sorted(set(shared) - documents, key=json_schema.object_name):
        body += [f".SS {json_schema.object_name(each)}", *roff.paragraphs(each.__doc__ or "")]
        body += _key_list(each)
    commands = dict.fromkeys(
        "-".join(command.split()[:2]) for printed in DOCUMENTS for command in printed.commands
    )
    body += [".SH SEE ALSO", *roff.page_references("mem(1)", *(f"{name}(1)" for name in commands))]
    return roff.manual_page("mem-json", 5, RELEASED, f"memcli {__version__}", body)


def _document_section(printed: PrintedDocument) -> Iterator[str]:
    commands = " and ".join(f"`{command} --json`" for command in printed.commands)
    text = f"{printed.document.__doc__} Printed by {commands}."
    if printed.line:
        line = _with_article(json_schema.object_name(printed.line))
        text += f" With `--jsonl`, each line is {line}."
    yield from (f".SS {json_schema.document_title(printed.document)}", *roff.paragraphs(text))
    yield from _key_list(printed.document)


def _key_list(kind: type) -> Iterator[str]:
    terms = {}
    for key, inner in json_schema.key_types(kind).items():
        optional = "" if key in json_schema.required_keys(kind) else "Optional. "
        term = f"{key}: {json_schema.type_in_words(inner)}"
        terms[term] = optional + json_schema.key_description(kind, key)
    return roff.definition_list(terms)


def _with_article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIO' else 'a'} {name}"
