"""Every document that `--json` and `--jsonl` print, one entry each in DOCUMENTS.

The JSON Schemas in `memcli/schemas` and mem-json(5) are generated from these types by
`python -m memcli.cli.reference.generate`, which refuses to remove a recorded key: keys are only
ever added. A document that has to change otherwise gets a new number.
"""

from memcli.cli.json_output.import_documents import (
    DiscoverJson,
    FormatsJson,
    ImportedSourceJson,
    IngestJson,
    RememberedSourceJson,
    SourcesJson,
)
from memcli.cli.json_output.memory_documents import (
    ForgetJson,
    MemoriesJson,
    MemoryImportJson,
    MemoryJson,
    OneMemoryJson,
)
from memcli.cli.json_output.people_documents import (
    PeopleJson,
    SpeakingPersonJson,
    TimelineJson,
    TimelineMonthJson,
)
from memcli.cli.json_output.reading_documents import ReadJson, SegmentJson
from memcli.cli.json_output.session_documents import (
    AskJson,
    OverviewJson,
    RankedSessionJson,
    SearchJson,
    SessionsJson,
    ShowJson,
    TurnJson,
)
from memcli.cli.json_output.store_documents import (
    BackupJson,
    ConfigJson,
    DoctorJson,
    IndexedJson,
    ModelJson,
    ModelsJson,
    MonthJson,
    SettingJson,
    StatsJson,
)
from memcli.evaluation.scale.report import ScaleReport
from memcli.evaluation.speed_report import SpeedReport
from memcli.evaluation.summary import DatasetReport
from memcli.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PrintedDocument:
    """A document, the commands that print it with `--json`, and their lines with `--jsonl`."""

    document: type
    commands: tuple[str, ...]
    line: type | None = None


DOCUMENTS = (
    PrintedDocument(IngestJson, ("mem ingest",), ImportedSourceJson),
    PrintedDocument(FormatsJson, ("mem ingest",)),
    PrintedDocument(DiscoverJson, ("mem ingest",)),
    PrintedDocument(
        SourcesJson,
        ("mem sources list", "mem sources move", "mem sources remove"),
        RememberedSourceJson,
    ),
    PrintedDocument(AskJson, ("mem ask",), RankedSessionJson),
    PrintedDocument(SearchJson, ("mem search",), RankedSessionJson),
    PrintedDocument(SessionsJson, ("mem sessions",), OverviewJson),
    PrintedDocument(ShowJson, ("mem show",), TurnJson),
    PrintedDocument(PeopleJson, ("mem people list",), SpeakingPersonJson),
    PrintedDocument(TimelineJson, ("mem timeline",), TimelineMonthJson),
    PrintedDocument(ReadJson, ("mem read",), SegmentJson),
    PrintedDocument(
        MemoriesJson,
        ("mem memories list", "mem memories search", "mem memories accept"),
        MemoryJson,
    ),
    PrintedDocument(
        OneMemoryJson, ("mem memories show", "mem show", "mem memories add", "mem memories edit")
    ),
    PrintedDocument(MemoryImportJson, ("mem memories import",)),
    PrintedDocument(ForgetJson, ("mem forget", "mem memories forget")),
    PrintedDocument(StatsJson, ("mem stats",), MonthJson),
    PrintedDocument(DoctorJson, ("mem doctor",)),
    PrintedDocument(IndexedJson, ("mem index",)),
    PrintedDocument(ConfigJson, ("mem config", "mem people merge"), SettingJson),
    PrintedDocument(
        ModelsJson,
        (
            "mem models list",
            "mem models show",
            "mem models pull",
            "mem models verify",
            "mem models add",
            "mem models remove",
        ),
        ModelJson,
    ),
    PrintedDocument(BackupJson, ("mem backup",)),
    PrintedDocument(DatasetReport, ("mem bench",)),
    PrintedDocument(SpeedReport, ("mem bench",)),
    PrintedDocument(ScaleReport, ("mem bench",)),
)
