"""References as hyperlinks (OSC 8), on terminals that are known to support them.

A link leads to `mem:s_2v4k8qjw0a:7`. The terminal decides which program opens it, as in kitty's
`open-actions.conf`. Terminals that are not known get no links, because some print the escape
sequence as text.
"""

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

REFERENCE = re.compile(r"(?<!\w)s_[0-9a-z]{4,16}(?::\d+(?:-\d+)?)?(?![\w?])")
_PROGRAMS = {"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio", "Tabby"}
_TERMS = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour")
_VTE = 5000  # the first version of GNOME's terminal library that supports links


def supports_links() -> bool:
    """Return whether the terminal is known to support hyperlinks, from its variables."""
    environment = os.environ
    program, term = environment.get("TERM_PROGRAM", ""), environment.get("TERM", "")
    if program == "tmux" or environment.get("TMUX") or term.startswith(("screen", "dumb")):
        return False  # it depends on the terminal outside, which cannot be seen from here
    vte = environment.get("VTE_VERSION", "")
    return (
        program in _PROGRAMS
        or term.startswith(_TERMS)
        or bool(environment.get("WT_SESSION") or environment.get("KONSOLE_VERSION"))
        or (vte.isdigit() and int(vte) >= _VTE)
    )


def highlight_references(text: "Text", *, links: bool) -> "Text":
    """Colour the references to sessions and turns in a text, and link them if links are on."""
    for match in REFERENCE.finditer(text.plain):
        style = f"cyan link mem:{match[0]}" if links else "cyan"
        text.stylize(style, match.start(), match.end())
    return text
