"""Questions to ask of the bundled archive.

The archive holds the conversations of Mira Okafor-Lindqvist, an invented person, from January 2024
to September 2026. They contain facts that changed, several people who did similar things, and facts
that were only stated in Japanese or Chinese. Times without a zone are those of Lisbon.
"""

from memcli.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoQuestion:
    """A question, and the phrases that the turn which answers it contains."""

    question: str
    answers: tuple[str, ...]


DEMO_QUESTIONS = (
    # There were five codes at three addresses; the newest one is the answer.
    DemoQuestion("What is the door code of my flat in Lisbon now?", ("3826", "Campo de Ourique")),
    # The answer is only stated in Japanese, beside a place in Kyoto and another one in Osaka.
    DemoQuestion("大阪で一番おすすめのラーメン屋はどこ？", ("麺処 夜鷹", "福島駅")),
    # Maja and Rui did so at other times, and Rui was asked for this time, too.
    DemoQuestion(
        "Who looked after Skruv while I was in Japan in November 2025?", ("Inês", "third floor")
    ),
)
