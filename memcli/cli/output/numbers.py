"""Numbers, counts and durations as people read them."""


def pluralize(count: int, noun: str, nouns: str = "") -> str:
    """Return a count with its noun: `1 session`, `1,204 sessions`, `3 memories`."""
    return f"{count:,} {noun if count == 1 else nouns or f'{noun}s'}"


def short_number(number: float) -> str:
    """Return a number, or one of bytes, that is read at a glance: `812`, `81k`, `8.1M`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if number >= size:
            unit = 1e3 if letter == "k" else size
            return f"{number / unit:.{0 if letter == 'k' else 1}f}{letter}"
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def exact_duration(seconds: float) -> str:
    """Return a duration to the minute: `40 s`, `75 min`, `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def rough_duration(seconds: float) -> str:
    """Return a duration in its largest unit: `40 s`, `5 min`, `3 h`, `2 days`."""
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
