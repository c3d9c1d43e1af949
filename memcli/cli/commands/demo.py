"""`mem demo`."""

import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

import typer

from memcli.cli.models.open import open_models
from memcli.cli.options import GpuLayers, Reranker, Sifter, Think
from memcli.cli.output.console import console, note
from memcli.cli.output.live_view import watching
from memcli.cli.output.session_view import print_answer
from memcli.ingest.import_exports import import_exports
from memcli.search.stages import ask
from memcli.store import Filters, Store


def demo(
    reranker: Reranker = None,
    sifter: Sifter = None,
    think: Think = 1024,
    gpu_layers: GpuLayers = None,
) -> None:
    """Ask a small bundled archive three questions.

    It is imported into a temporary database.
    """
    import memcli.demo
    from memcli.demo.questions import QUESTIONS
    from memcli.formats import Reading

    models = open_models(reranker, sifter, gpu_layers=gpu_layers, think=think)
    exports = Path(memcli.demo.__file__).parent / "exports"
    reading = Reading(ZoneInfo("Europe/Lisbon"), "Mira Okafor-Lindqvist")
    with (
        tempfile.TemporaryDirectory(prefix="mem-demo-") as folder,
        Store(Path(folder) / "mem.db") as store,
    ):
        reports = import_exports([exports], store, models.embedder, reading)
        total = sum(report.sessions.new for report in reports)
        formats = ", ".join(dict.fromkeys(report.format or "" for report in reports))
        typer.echo(f"{total} sessions from {len(reports)} exports: {formats}")
        for question in QUESTIONS:
            console().print(f'\n$ mem ask "{question.question}"\n', style="bold", soft_wrap=True)
            with watching(quiet=False) as listener:
                answer = ask(
                    question.question, store, models, Filters(), limit=3, listener=listener
                )
            print_answer(answer)
    if not (models.reranker and models.sifter):
        note("with language models: `mem demo --reranker FILE.gguf --sifter FILE.gguf`")
