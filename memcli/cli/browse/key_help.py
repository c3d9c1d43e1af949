"""The keys of the panes, and the help line that shows the most important ones first."""

PANE_KEYS = {  # actions of the app, where letters are not typed
    "q": "leave",
    "o": "open",
    "y": "copy_reference",
    "Y": "copy_turn",
    "slash": "focus_pane('words')",
    "f": "focus_pane('filters')",
    "n": "jump(1)",
    "N": "jump(-1)",
    "j": "move(1)",
    "k": "move(-1)",
    "space": "move_page(1)",
    "right": "focus_pane('transcript')",
    "l": "focus_pane('transcript')",
    "left": "focus_pane('sessions')",
    "h": "focus_pane('sessions')",
    "g": "edge(-1)",
    "G": "edge(1)",
    "home": "edge(-1)",
    "end": "edge(1)",
}

KEYS = {
    "words": (
        ("Enter", "print"),
        ("↑↓", "choose"),
        ("Tab", "next pane"),
        ("^O", "open"),
        ("^Y", "copy"),
        ("^C", "quit"),
    ),
    "filters": (
        ("Enter", "apply"),
        ("→", "take the suggestion"),
        ("Tab", "list"),
        ("Esc", "search"),
        ("^C", "quit"),
    ),
    "sessions": (
        ("Enter", "print"),
        ("o", "open"),
        ("y", "copy"),
        ("→", "read"),
        ("/", "search"),
        ("f", "filter"),
        ("q", "quit"),
        ("n N", "next mark"),
        ("Y", "copy the turn"),
    ),
    "transcript": (
        ("Enter", "print"),
        ("o", "open"),
        ("y", "copy"),
        ("←", "list"),
        ("n N", "next mark"),
        ("/", "search"),
        ("q", "quit"),
        ("Y", "copy the turn"),
        ("g G", "ends"),
    ),
}
GAP = "  "


def help_line(pane: str, width: int) -> list[tuple[str, str]]:
    """Return the keys of a pane, and what they do, as many as fit on a line.

    Args:
        pane: `words`, `filters`, `sessions` or `transcript`.
        width: of the line, in columns.
    """
    chosen: list[tuple[str, str]] = []
    room = width
    for key, effect in KEYS.get(pane, ()):
        room -= len(key) + 1 + len(effect) + (len(GAP) if chosen else 0)
        if room < 0:
            break
        chosen.append((key, effect))
    return chosen
