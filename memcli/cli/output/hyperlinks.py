"""References that a terminal can open, where it is known to have links (OSC 8).

A link leads to `mem:s_2v4k8qjw0a:7`; what opens it is the terminal's to say, as in kitty's
`open-actions.conf`. Terminals that are not known get none: some print the sequence as it is.
"""

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

REFERENCE = re.compile(r"(?<!\w)s_[0-9a-z]{4,16}(?::\d+(?:-\d+)?)?(?![\w?])")
_PROGRAMS = {"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio", "Tabby"}
_TERMS = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour")
_VTE = 5000  # the version from which GNOME's terminals have links


def has_links() -> bool:
    """Return whether the terminal is known to have links."""
    told = os.environ
    program, term = told.get("TERM_PROGRAM", ""), told.get("TERM", "")
    if program == "tmux" or told.get("TMUX") or term.startswith(("screen", "dumb")):
        return False  # it depends on the terminal outside, which cannot be seen from here
    vte = told.get("VTE_VERSION", "")
    return (
        program in _PROGRAMS
        or term.startswith(_TERMS)
        or bool(told.get("WT_SESSION") or told.get("KONSOLE_VERSION"))
        or (vte.isdigit() and int(vte) >= _VTE)
    )


def linked(text: "Text", *, links: bool) -> "Text":
    """Return a text whose references to turns stand out, as links where the terminal has them."""
    for match in REFERENCE.finditer(text.plain):
        style = f"cyan link mem:{match[0]}" if links else "cyan"
        text.stylize(style, match.start(), match.end())
    return text
