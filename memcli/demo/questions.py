"""Questions to ask of the bundled archive.

The archive is the talk of Mira Okafor-Lindqvist, who never existed, from January 2024 to September
2026: what changed in her life, who did what when, and what was only ever said in Japanese or
Chinese. Its clocks without a zone are those of Lisbon.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """Something to ask of the archive, and the phrases that the turn which answers it holds."""

    question: str
    answers: tuple[str, ...]


QUESTIONS = (
    # There were five codes at three addresses: the newest counts.
    Question("What is the door code of my flat in Lisbon now?", ("3826", "Campo de Ourique")),
    # Only said in Japanese, beside a ramen place in Kyoto and another place in Osaka.
    Question("大阪で一番おすすめのラーメン屋はどこ？", ("麺処 夜鷹", "福島駅")),
    # Maja and Rui did so at other times, and Rui was asked for this time, too.
    Question(
        "Who looked after Skruv while I was in Japan in November 2025?", ("Inês", "third floor")
    ),
)
