"""The keys, as the help line of each pane shows them, most important first."""

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
