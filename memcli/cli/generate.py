"""Man page and shell completions, written from the commands themselves.

    python -m memcli.cli.generate          rewrite man/ and completions/
    python -m memcli.cli.generate --check  exit 1 and name the files that are out of date

Reads the signatures and docstrings of the command functions, not the parser Typer builds from
them: since 0.26 that parser is a private copy of Click.
"""

import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

from typer.models import ArgumentInfo, CommandInfo
from typer.testing import CliRunner

import memcli
from memcli.cli.app import app
from memcli.errors import MEANING

ROOT = Path(__file__).parents[2]
COMPLETIONS = {"bash": "mem.bash", "zsh": "_mem", "fish": "mem.fish"}
METAVARS = {int: "N", float: "N", str: "TEXT", Path: "FILE"}

DESCRIPTION = """
`mem` imports chat exports into one SQLite file, and finds the sessions in it that answer a
question: by words and meaning, and, where they are installed, with small language models that
judge, read and think before they rank. Nothing leaves the machine.

Results go to standard output, everything else to standard error. Colour, progress and the view
that improves while the stages run are for terminals only.
"""
# These two and --help are Typer's; no function has them in its signature.
TYPER_OPTIONS = {
    "--install-completion": "Install completion for the current shell.",
    "--show-completion": "Print the completion script of the current shell.",
    "--help": "Print a summary and exit; every command has it, too.",
}
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
_ESCAPES = {"\\": r"\e", "-": r"\-", "'": r"\(aq", '"': r"\(dq", "~": r"\(ti", "^": r"\(ha"}


def generated_files() -> dict[str, str]:
    """Return the text of every generated file, by path from the repository root."""
    completions = {f"completions/{name}": completion(shell) for shell, name in COMPLETIONS.items()}
    return {"man/mem.1": man_page(), **completions}


def completion(shell: str) -> str:
    """Return the script that makes a shell ask `mem` what could be typed next."""
    asked = CliRunner().invoke(app, env={"_MEM_COMPLETE": f"source_{shell}"}, prog_name="mem")
    script = asked.stdout.strip() + "\n"  # zsh wants #compdef on line 1
    if shell == "zsh":  # it runs the file at the first Tab, which must complete, too
        script += '[[ ${zsh_eval_context[-1]} == loadautofunc ]] && _mem_completion "$@"\n'
    return script


def man_page() -> str:
    """Return mem(1) as roff."""
    root = app.registered_callback
    assert root
    assert root.callback
    whole, *_ = (memcli.__doc__ or "").split(".")
    statuses = {str(int(status)): f"{meaning.capitalize()}." for status, meaning in MEANING.items()}
    lines = [
        '.TH MEM 1 "" memcli',
        *(".SH NAME", f"mem \\- {_roff(whole[0].lower() + whole[1:])}"),
        *(".SH SYNOPSIS", r"\fBmem\fR [\fIOPTION\fR]... \fICOMMAND\fR [\fIARGUMENT\fR]..."),
        *(".SH DESCRIPTION", *_paragraphs(DESCRIPTION)),
        *(".SH OPTIONS", *_list({**dict(_parameters(root.callback)), **TYPER_OPTIONS})),
        *(".SH COMMANDS", *_commands()),
        *(".SH EXIT STATUS", *_list(statuses)),
        *(".SH ENVIRONMENT", *_list(ENVIRONMENT)),
        *(".SH FILES", *_list(FILES)),
        *(".SH EXAMPLES", *_examples()),
    ]
    return "\n".join(lines) + "\n"


def _commands() -> Iterator[str]:
    for prefix, command in _registered():
        assert command.callback
        parameters = dict(_parameters(command.callback))
        arguments = [form for form in parameters if not form.startswith("-")]
        name = command.name or command.callback.__name__
        yield f".SS {_roff(' '.join((*prefix, name, '[OPTION]...', *arguments)))}"
        yield from _paragraphs(inspect.getdoc(command.callback) or "")
        yield from _list(parameters)


def _registered() -> Iterator[tuple[tuple[str, ...], CommandInfo]]:
    """Yield every command after the words that come before its name."""
    for command in app.registered_commands:
        yield ("mem",), command
    for group in app.registered_groups:
        assert group.typer_instance
        for command in group.typer_instance.registered_commands:
            yield ("mem", str(group.typer_instance.info.name)), command


def _parameters(command: Callable[..., Any]) -> Iterator[tuple[str, str]]:
    """Yield how each parameter is typed, and its help."""
    defaults = inspect.signature(command).parameters
    for name, hint in get_type_hints(command, include_extras=True).items():
        if name == "return":
            continue
        kind, info = get_args(hint)
        metavar = info.metavar or METAVARS.get(next(iter(get_args(kind)), kind), name.upper())
        text, default = info.help, defaults[name].default
        if isinstance(info, ArgumentInfo):
            yield info.metavar or name.upper(), text
            continue
        # Inside Annotated, Typer keeps the first name of an option in `default`.
        form = ", ".join(sorted((info.default, *info.param_decls), key=len))
        if kind is not bool:
            form += f" {metavar}"
            if default not in (None, inspect.Parameter.empty):
                text += f" [default: {default if isinstance(default, str) else f'{default:g}'}]"
        if info.envvar:
            text += f" [env: {info.envvar}]"
        yield form, text


def _list(described: Mapping[str, str]) -> Iterator[str]:
    for form, text in described.items():
        yield from (".TP", f".B {_roff(form)}", *_lines(text))


def _examples() -> Iterator[str]:
    for number, (text, typed) in enumerate(EXAMPLES.items()):
        if number:
            yield ".PP"
        yield from (*_lines(text), ".PP", ".RS 4", ".nf", *map(_roff, typed), ".fi", ".RE")


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ".PP"
        yield from _lines(paragraph)


def _lines(text: str) -> list[str]:
    """Return a paragraph as lines of roff; what is in backticks becomes bold, whole."""
    parts = (
        rf"\fB\%{_roff(part)}\fR" if typed % 2 else _roff(part)
        for typed, part in enumerate(text.split("`"))
    )
    lines = textwrap.wrap("".join(parts), 79, break_long_words=False, break_on_hyphens=False)
    return [rf"\&{line}" if line.startswith(".") else line for line in lines]


def _roff(text: str) -> str:
    return re.sub(r"""[\\'"~^-]""", lambda one: _ESCAPES[one[0]], text)


def main(argv: list[str]) -> int:
    """Write or check the generated files."""
    files = {ROOT / path: text for path, text in generated_files().items()}
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    if argv == ["--check"]:
        sys.stderr.writelines(f"{path.relative_to(ROOT)} is out of date\n" for path in stale)
        return bool(stale)
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(files[path])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
