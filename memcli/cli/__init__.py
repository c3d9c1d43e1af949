"""The `mem` command line: turns words typed into calls, and results into text or JSON.

Read `app` first, then one command, such as `commands/ask`.

    app            the command tree for Typer, which is loaded for help and wrong usage only
    options        options that several commands share
    option_groups  options that are used together, as one value and one heading of the help
    when           dates and time zones as people type them
    input_text     questions and documents from standard input
    confirmation   a question before a deletion or a long import
    discovery      exports that could be imported, or have changed
    last_list      the list that was printed last, for `mem show 2`
    encryption     the work of `mem encrypt` and `mem decrypt`
    settings_editor  the settings file in an editor
    filter_warnings  warnings of filters that leave out more than was meant
    ask_session    the way of a question from models to printed results
    parsing/       parameters, and the parser of what is typed
    commands/      one file per command
    output/        text for terminals, pipes, Markdown and CSV
    json_output/   JSON documents and their schemas
    help/          the help of `mem`, examples, and suggestions for unknown words
    completion/    the offers of the Tab key
    reference/     man pages, schemas and the command table, generated
    models/        opening, fetching and listing models
    bench/ doctor/ the work of `mem bench` and `mem doctor`
"""

import gc
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Any

from memcli.errors import EarlyExit, ExitCode, MemError


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mem` and return its exit status: the only place where an error becomes one.

    Args:
        argv: the words after `mem`; by default those of the process, which then ends.
    """
    if argv is not None:
        return _run_guarded(argv)
    gc.disable()  # until the command runs: nothing that is imported becomes garbage
    try:
        return _run_guarded(sys.argv[1:])
    finally:
        gc.freeze()  # else the end of the process would look for garbage in all that is there


def _run_guarded(argv: Sequence[str]) -> int:
    """Run `mem` with streams and signals that end in no traceback."""
    try:
        from memcli.cli.output.console import guard_streams

        guard_streams()
        try:
            if "_MEM_COMPLETE" in os.environ:  # set by the scripts in `completions/`
                return _complete(os.environ["_MEM_COMPLETE"])
            with _unwind_on_signals():
                return _run(argv)
        finally:
            sys.stdout.flush()  # while a full disk can still be reported
    except MemError as error:
        _print_error(str(error), error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


@contextmanager
def _unwind_on_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the process as an exception does, so that blocks clean up.

    A signal that is ignored, as `nohup` has it, stays ignored.
    """
    if current_thread() is not main_thread():
        yield
        return

    def leave(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_IGN)  # a second one does not disturb the cleaning up
        raise SystemExit(128 + number)

    handled = [
        number
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is signal.SIG_DFL
    ]
    for number in handled:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)


def _run(argv: Sequence[str]) -> int:
    if sorted(argv) == ["--verbose", "--version"]:
        from memcli.cli.help.versions import print_versions

        print_versions()
        return ExitCode.OK

    words = list(argv)
    if words in ([], ["help"], ["-h"], ["--help"]):
        return _print_help(words)

    if words in (["--version"], ["-V"]):
        from memcli import __version__

        sys.stdout.write(f"mem {__version__}\n")
        return ExitCode.OK

    if words[0] == "help":  # `mem help ask`, as with other programs
        return _print_help_about(words[1:])

    from memcli.cli.parsing.parameters import run_command
    from memcli.cli.parsing.parse_words import parse_words
    from memcli.temporary import remove_leftovers

    remove_leftovers()
    try:
        parsed = parse_words(words)
        if parsed is None:
            return _run_by_typer(words)
        run_command(parsed.run, parsed.values)
    except EarlyExit as end:
        return end.exit_code
    return ExitCode.OK


def _run_by_typer(words: Sequence[str]) -> int:
    """Run what only Typer understands: help, rare ways to type options, and wrong usage."""
    from typer import Abort
    from typer.exceptions import TyperException

    from memcli.cli.app import command_tree

    try:
        status = command_tree(words)(words, prog_name="mem", standalone_mode=False)
    except Abort:  # Ctrl-C or the end of input at a question
        return ExitCode.INTERRUPTED
    except TyperException as error:
        return _report_wrong_usage(error.format_message(), getattr(error, "ctx", None), words)
    return status if isinstance(status, int) else ExitCode.OK


def _print_help(words: Sequence[str]) -> int:
    """Print the help of `mem`; on stderr, as an error, if it was not asked for."""
    from memcli.cli.help.help_text import main_help

    (sys.stdout if words else sys.stderr).write(main_help())
    return ExitCode.OK if words else ExitCode.USAGE


def _print_help_about(words: Sequence[str]) -> int:
    """Print the help of a command and the topic of its name, or the topic alone."""
    from memcli.cli.help.command_names import COMMANDS
    from memcli.cli.help.topics import print_topic, topic_names

    topic = " ".join(words) if " ".join(words) in topic_names() else ""
    status: int = ExitCode.OK
    if not topic or topic in COMMANDS:
        status = _run([*words, "--help"])
        sys.stdout.write("\n" if topic else "")
    if topic:
        print_topic(topic)
    return status


def _report_wrong_usage(
    message: str,
    context: Any,  # Any: Typer's context is private
    words: Sequence[str],
) -> int:
    """Report what is wrong with the arguments; if there are none, Typer's message is the help."""
    if context and message == context.get_help():
        sys.stderr.write(f"{message}\n")
        return ExitCode.USAGE
    from memcli.cli.help.did_you_mean import suggest

    usage = f"`{context.command_path} --help`" if context else "`mem --help`"
    problem, meant = suggest(message, context)
    is_question = len(words) > 2 and problem.startswith("No such command")  # without `ask`
    if usage == "`mem --help`" and is_question and not meant:
        meant = f"`mem ask {' '.join(words)}`"
    _print_error(
        problem[:1].lower() + problem[1:].rstrip(" ."),
        f"did you mean {meant}" if meant else usage,
    )
    return ExitCode.USAGE


def _print_error(message: str, hint: str | None) -> None:
    from memcli.cli.output.console import note, one_line

    note(message)
    if hint:
        sys.stderr.write(f"hint: {one_line(hint)}\n")


def _complete(line: str) -> int:
    from memcli.cli.completion.complete import complete_line

    sys.stdout.writelines(f"{offer}\n" for offer in complete_line(line))
    return ExitCode.OK
