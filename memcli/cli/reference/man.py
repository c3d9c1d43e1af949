"""The manual: mem(1), a page for each command, and mem-json(5)."""

from collections.abc import Iterator

from memcli import RELEASED, __version__
from memcli.cli.completion.command_table import Command, Parameter
from memcli.cli.json_output import json_schema
from memcli.cli.json_output.schemas import OUTPUTS, Output
from memcli.cli.reference import roff
from memcli.errors import MEANING

DESCRIPTION = """
`mem` imports chat exports into one SQLite file, and finds the sessions in it that answer a
question: by words and meaning, and, where they are installed, with small language models that
judge, read and think before they rank. Nothing leaves the machine.

Results go to standard output, everything else to standard error. Colour, progress and the view
that improves while the stages run are for terminals only.
"""
# Typer's: no function has it in its signature.
HELP = {"--help": "Print a summary and exit; every command has it, too."}
ENVIRONMENT = {
    "MEM_DB": "Database file, where `--db` names none.",
    "MEM_CONFIG": "Settings file, instead of the one in the configuration folder.",
    "MEM_EMBEDDER": "Model that makes the vectors; the built-in one by default.",
    "MEM_RERANKER": "Model that judges passages, where `--reranker` names none.",
    "MEM_SIFTER": "Model that reads, thinks and ranks, where `--sifter` names none.",
    "MEM_READER": "Model that turns sessions into memories.",
    "MEM_CHAT": "Model that answers in words, where `--chat` names none.",
    "MEM_GPU_LAYERS": "Layers to run on the GPU, where `--gpu-layers` says nothing.",
    "MEM_MODELS": "Folder of model files.",
    "HF_ENDPOINT": "Hub that models are pulled from; Hugging Face by default.",
    "HF_TOKEN": "What the hub knows you by, for models that want it.",
    "HF_HUB_OFFLINE": "Ask no hub, if set to 1.",
    "MEMOS_API_KEY": "Key of the Memos Rerank API, at `MEMOS_BASE_URL` if that is set.",
    "MEM_PAGER": "Pager of `mem show`, before `PAGER`; none, if empty.",
    "NO_COLOR": "No colour, if set to anything.",
}
FILES = {
    "~/.local/share/mem/mem.db": "Database; on macOS `~/Library/Application Support/mem/mem.db`.",
    "~/.config/mem/config.toml": "Settings: models by role, servers and where their keys are;"
    " on macOS `~/Library/Application Support/mem/config.toml`.",
    "~/.local/share/mem/models": "Models; on macOS `~/Library/Application Support/mem/models`.",
}
EXAMPLES = {
    "Import an export, and ask what is in it:": (
        "mem ingest ~/Downloads/chatgpt-export.zip",
        'mem ask "What did I decide about the car?"',
    ),
    "Let models judge and read, and look only at last spring:": (
        'mem ask "Which dish did Ann like?" --since 2024-03 --until 2024-05 \\',
        "    --reranker memreranker-4b --sifter memsifter-4b",
    ),
    "Print the best session whole:": (
        "mem search passport --jsonl | jq -r .id | head -1 | xargs mem show",
    ),
}
JSON = """
With `--json` a command prints one object, with `--jsonl` one object a line. Both hold the same
facts as what people read. The key `schema` names the kind of document and its number. Keys are
only ever added; a document that has to change otherwise gets a new number.

Times are ISO 8601 with the offset in which they were said. What is nowhere called optional is in
every document. The same as JSON Schema is in `memcli/schemas`, beside the program's code.
"""


def manual(root: Command) -> dict[str, str]:
    """Return every page as roff, by its place in the manual."""
    pages = {f"man1/{'-'.join(each.words)}.1": _page(each) for each in root.inner}
    return {"man1/mem.1": _whole(root), **pages, "man5/mem-json.5": _json_page()}


def _whole(root: Command) -> str:
    """Return mem(1)."""
    statuses = {str(int(status)): f"{meaning.capitalize()}." for status, meaning in MEANING.items()}
    commands = {each.name: _sentence(each.summary) for each in root.inner}
    seen = [f"{'-'.join(each.words)}(1)" for each in root.inner]
    return roff.page(
        *("mem", 1, RELEASED, f"memcli {__version__}"),
        [
            *(".SH NAME", f"mem \\- {roff.plain(root.summary)}"),
            *(".SH SYNOPSIS", r"\fBmem\fR [\fIOPTION\fR]... \fICOMMAND\fR [\fIARGUMENT\fR]..."),
            *(".SH DESCRIPTION", *roff.paragraphs(DESCRIPTION)),
            *(".SH OPTIONS", *_listed(root.parameters), *roff.described(HELP)),
            *(".SH COMMANDS", *roff.described(commands)),
            *(".SH EXIT STATUS", *roff.described(statuses)),
            *(".SH ENVIRONMENT", *roff.described(ENVIRONMENT)),
            *(".SH FILES", *roff.described(FILES)),
            *(".SH EXAMPLES", *roff.examples(EXAMPLES)),
            *(".SH SEE ALSO", *roff.references(*seen, "mem-json(5)")),
        ],
    )


def _page(command: Command) -> str:
    """Return the page of a command, or of a group with all that is in it."""
    name = "-".join(command.words)
    summary = roff.lines(f"{name} - {command.summary}")
    body = [".SH NAME", *summary, ".SH SYNOPSIS"]
    for number, each in enumerate(command.all()):
        body += [".br"] * (number > 0) + [_synopsis(each)]
    body += [".SH DESCRIPTION", *roff.paragraphs(command.text)]
    if command.inner:
        body.append(".SH COMMANDS")
        for each in command.all():
            body += [f".SS {roff.plain(each.name)}", *roff.paragraphs(each.text)]
            body += _listed(each.parameters)
    else:
        body += _options(command.parameters)
    seen = ["mem(1)"]
    if any(each.form == "--json" for one in command.all() for each in one.parameters):
        seen.append("mem-json(5)")
    body += [".SH SEE ALSO", *roff.references(*seen)]
    return roff.page(name, 1, RELEASED, f"memcli {__version__}", body)


def _options(parameters: tuple[Parameter, ...]) -> Iterator[str]:
    arguments = tuple(each for each in parameters if not each.is_option)
    options = tuple(each for each in parameters if each.is_option)
    for heading, chosen in (("ARGUMENTS", arguments), ("OPTIONS", options)):
        if chosen:
            yield from (f".SH {heading}", *_listed(chosen))


def _synopsis(command: Command) -> str:
    options = " [OPTION]..." if any(each.is_option for each in command.parameters) else ""
    arguments = "".join(f" {each.form}" for each in command.parameters if not each.is_option)
    return rf"\fB{roff.plain(command.name)}\fR" + roff.plain(options + arguments)


def _listed(parameters: tuple[Parameter, ...]) -> Iterator[str]:
    return roff.described({each.form: each.help for each in parameters})


def _json_page() -> str:
    """Return mem-json(5)."""
    body = [".SH NAME", r"mem\-json \- what mem prints as JSON"]
    body += [".SH DESCRIPTION", *roff.paragraphs(JSON), ".SH DOCUMENTS"]
    shared: dict[type, None] = {}
    for output in OUTPUTS:
        body += _document(output)
        for document in (output.document, output.line):
            if document:
                shared |= dict.fromkeys(json_schema.parts(document))
    documents = {output.document for output in OUTPUTS}
    body.append(".SH OBJECTS")
    for each in sorted(set(shared) - documents, key=lambda each: each.__name__):
        body += [f".SS {each.__name__}", *roff.paragraphs(each.__doc__ or ""), *_keys(each)]
    commands = dict.fromkeys(
        "-".join(command.split()[:2]) for output in OUTPUTS for command in output.commands
    )
    body += [".SH SEE ALSO", *roff.references("mem(1)", *(f"{name}(1)" for name in commands))]
    return roff.page("mem-json", 5, RELEASED, f"memcli {__version__}", body)


def _document(output: Output) -> Iterator[str]:
    printed = " and ".join(f"`{command} --json`" for command in output.commands)
    text = f"{output.document.__doc__} Printed by {printed}."
    if output.line:
        text += f" With `--jsonl`, each line is {_article(output.line.__name__)}."
    yield from (f".SS {json_schema.identity(output.document)}", *roff.paragraphs(text))
    yield from _keys(output.document)


def _keys(shape: type) -> Iterator[str]:
    terms = {}
    for key, kind in json_schema.keys(shape).items():
        told = f"{key}: {json_schema.told(kind)}"
        optional = "" if key in shape.__required_keys__ else "Optional. "  # type: ignore[attr-defined]  # TypedDict's
        terms[told] = optional + json_schema.description(shape, key)
    return roff.described(terms)


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIO' else 'a'} {name}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
