"""`mem demo`."""

from pathlib import Path
from zoneinfo import ZoneInfo

from memcli.cli.models.open import open_models
from memcli.cli.option_groups import ModelOptions
from memcli.cli.output.console import console, note, write_line
from memcli.cli.output.live_view import live_ranking
from memcli.cli.output.session_view import print_ranking
from memcli.ingest.import_exports import import_exports
from memcli.search.stages import rank_sessions
from memcli.store import Filters, Store
from memcli.temporary import temporary_folder


def demo(options: ModelOptions) -> None:
    """Ask three questions about a small bundled archive.

    The archive is imported into a temporary database.
    """
    import memcli.demo
    from memcli.demo.questions import DEMO_QUESTIONS
    from memcli.formats import ParseOptions

    models = open_models(
        options.reranker,
        options.sifter,
        gpu_layers=options.gpu_layers,
        thought_tokens=options.think,
    )
    exports = Path(memcli.demo.__file__).parent / "exports"
    reading = ParseOptions(ZoneInfo("Europe/Lisbon"), "Mira Okafor-Lindqvist")
    with (
        temporary_folder() as folder,
        Store(folder / "mem.db") as store,
    ):
        reports = import_exports([exports], store, models.embedder, reading)
        total = sum(report.sessions.new for report in reports)
        formats = ", ".join(dict.fromkeys(report.format or "" for report in reports))
        write_line(f"{total} sessions from {len(reports)} exports: {formats}")
        for question in DEMO_QUESTIONS:
            console().print(f'\n$ mem ask "{question.question}"\n', style="bold", soft_wrap=True)
            with live_ranking(quiet=False) as listener:
                ranking = rank_sessions(
                    question.question, store, models, Filters(), limit=3, listener=listener
                )
            print_ranking(ranking)
    if not (models.reranker and models.sifter):
        note("with language models: `mem demo --reranker FILE.gguf --sifter FILE.gguf`")
