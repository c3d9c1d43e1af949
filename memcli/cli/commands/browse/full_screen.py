"""`mem browse`."""

import os
import sys
from functools import partial
from importlib.util import find_spec
from typing import Annotated

from memcli.cli import options
from memcli.cli.browse.typed_options import Browsing, keep_text, write_filters
from memcli.cli.models.open import open_first_stage
from memcli.cli.option_groups import DatabaseOptions
from memcli.cli.output.console import note
from memcli.cli.parsing.parameters import Argument
from memcli.cli.typed_values import parse_text
from memcli.errors import EarlyExit, ExitCode, UsageError
from memcli.store import Filters

Words = Annotated[
    list[str] | None,
    Argument(
        parser=parse_text,
        metavar="[WORDS]...",
        help="Words to begin the search with, with or without quotes.",
    ),
]
Since = Annotated[str | None, keep_text(options.Since)]
Until = Annotated[str | None, keep_text(options.Until)]
Source = Annotated[str | None, keep_text(options.Source)]
Speaker = Annotated[str | None, keep_text(options.Speaker)]


def browse(
    words: Words = None,
    *,
    since: Since = None,
    until: Until = None,
    source: Source = None,
    speaker: Speaker = None,
    database: DatabaseOptions,
) -> None:
    """Search as you type, and read what is found, in a full screen of the terminal.

    Enter prints the reference of the session, or of the turn, for `mem show`; `o` opens it in the
    pager, `y` copies the reference and `Y` the words of the turn. The filters can be changed on
    their line, as options. It needs the extra `browse`; without it, `fzf` does nearly the same: see
    `mem help recipes`. Exits with status 3 when there are no sessions, and with 130 when it is left
    without a choice.
    """
    if find_spec("textual") is None:
        raise UsageError(
            "`mem browse` needs the extra `browse`",
            hint="`pip install 'memcli[browse]'`, in a checkout `pip install '.[browse]'`",
        )
    with database.open_existing() as store:  # which also brings its schema up to date
        if not any(store.sessions.summaries(Filters(), 1)):
            note("no sessions found")
            raise EarlyExit(ExitCode.NOTHING_FOUND)
    if not (sys.stdin.isatty() and sys.stderr.isatty()) or os.environ.get("TERM") == "dumb":
        raise UsageError(
            "`mem browse` needs a terminal",
            hint="`mem search WORDS` and `mem sessions` print what they find",
        )
    from memcli.cli.browse.browse_app import BrowseApp
    from memcli.cli.browse.reference_pager import open_in_pager

    filters = {"--source": source, "--speaker": speaker, "--since": since, "--until": until}
    browsing = Browsing(
        database=database.path,
        open_models=partial(open_first_stage, database.path),
        open_pager=partial(open_in_pager, database.path),
        words=" ".join(words or ()),
        filters=write_filters(filters),
    )
    app = BrowseApp(browsing)
    reference = app.run(mouse=False)
    if app.ended_by:
        raise EarlyExit(128 + app.ended_by)
    if app.return_code:
        raise EarlyExit(ExitCode.BUG)  # Textual has printed the traceback
    if reference is None:
        raise EarlyExit(ExitCode.INTERRUPTED)
    sys.stdout.write(f"{reference}\n")
    if sys.stdout.isatty():
        note(f"`mem show {reference}` prints it")
