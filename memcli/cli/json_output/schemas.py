"""The shape of everything that `--json` and `--jsonl` print: one entry a document in OUTPUTS.

The JSON Schemas in `memcli/schemas` and mem-json(5) are written from these by
`python -m memcli.cli.generate`, which refuses to take away what was recorded there before: keys
are only ever added. What has to change otherwise gets a new number.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, NotRequired, Required, TypedDict

from memcli.cli.json_output.bench_schemas import Bench, Speed
from memcli.cli.json_output.kinds import Count, Moment, Seconds, Share
from memcli.cli.json_output.model_schemas import Config, Doctor, Indexed, Model, Models, Stats
from memcli.domain import Clock, Kind, MemoryType, Role


class Head(TypedDict):
    """What is known of every session."""

    id: Annotated[str, "What `mem show` takes: `s_` and ten characters, always the same."]
    title: str
    source: Annotated[str, "The format it came in, or the program that wrote the export."]
    started_at: Annotated[Moment | None, "Time of its first turn; null if nobody knows."]
    ended_at: Annotated[Moment | None, "Time of its last turn; null if nobody knows."]
    participants: Annotated[list[str], "Names, or roles where nobody has a name."]


class Overview(Head):
    """A session without its turns."""

    turns: Annotated[Count, "How many things were said in it."]


class Scores(TypedDict):
    """What each stage says of a session."""

    retrieve: Annotated[Share, "1 is best by every measure, with all words of the question."]
    rerank: Annotated[Share | None, "Probability that it answers; null if not judged."]
    sift_rank: Annotated[int | None, "Place that the sifter gave it, from 1; null if none."]


class Quote(TypedDict):
    """A turn that is evidence."""

    turn: Annotated[str, "Id of the session, a colon, and the position of the turn."]
    speaker: Annotated[str, "A name, or the role where there is none."]
    at: Annotated[Moment | None, "When it was said."]
    text: str


class RankedSession(Head):
    """A session in a ranking."""

    rank: Annotated[int, ("minimum", 1), "Its place, from 1."]
    scores: Scores
    evidence: Annotated[list[Quote], "The turns that earned its place, best first."]


class Tokens(TypedDict):
    """How much a model had to do."""

    read: Count
    written: Count


class Stage(TypedDict):
    """A stage that was run, and what it cost; the last five keys are not those of `retrieve`."""

    name: Annotated[str, "`retrieve`, `rerank`, `sift` or `answer`."]
    model: str
    seconds: Seconds
    candidates: Annotated[Count, "Sessions it looked at."]
    passages: NotRequired[Annotated[Count, "Passages it judged, those remembered included."]]
    remembered: NotRequired[Annotated[Count, "Answers it did not have to work for."]]
    load_seconds: NotRequired[Annotated[Seconds, "Part of `seconds`: the model loading."]]
    tokens: NotRequired[Tokens]
    tokens_per_second: NotRequired[Annotated[float, "Once the model was loaded."]]


class Plan(TypedDict):
    """What there was time for."""

    seconds: Annotated[Seconds | None, "Time left after the first stage; null without a budget."]
    passages: Annotated[Count, "Most passages to judge."]
    history_tokens: Annotated[Count, "Most tokens of sessions for the sifter to read."]
    thought_tokens: Annotated[Count, "Most tokens for the sifter to think."]


class Search(TypedDict):
    """Sessions that have a question's words, or mean the same, best first."""

    schema: Literal["mem.search/1"]
    question: str
    verdict: Annotated[Literal["found", "nothing"], "`nothing` when nothing relevant was found."]
    sessions: Annotated[list[RankedSession], "Best first."]
    stages: list[Stage]


class Reference(TypedDict):
    """A turn that an answer names."""

    turn: str
    known: Annotated[bool, "Whether the model was shown it."]


class Reply(TypedDict):
    """What a model says to a question, from the sessions that were found."""

    text: str
    model: str
    references: list[Reference]
    complete: Annotated[bool, "False if it was cut short."]


class Ask(TypedDict):
    """Sessions that answer a question, best first, and how that came about."""

    schema: Literal["mem.ask/1"]
    question: str
    verdict: Annotated[Literal["found", "nothing"], "`nothing` when nothing relevant was found."]
    sessions: Annotated[list[RankedSession], "Best first; the nearest when nothing was found."]
    trace: Annotated[str, "The sifter's thought; without a sifter, what was counted."]
    stages: list[Stage]
    plan: Annotated[Plan | None, "Null when no session was found."]
    left_out: Annotated[list[str], "What there was no time for, in words."]
    out_of_time: Annotated[bool, "Whether a stage was stopped by the budget."]
    answer: NotRequired[Annotated[Reply, "With `--answer`."]]


class Sessions(TypedDict):
    """Sessions, latest first."""

    schema: Literal["mem.sessions/1"]
    sessions: list[Overview]


class Turn(TypedDict):
    """One message of a session."""

    id: Annotated[str, "Id of the session, a colon, and the position."]
    position: Annotated[int, ("minimum", 1), "Its place in the session, from 1."]
    role: Role
    speaker: Annotated[str | None, "A name; null where the role says it all."]
    at: Annotated[Moment | None, "When it was said."]
    clock: Annotated[Clock, "How far the time can be trusted."]
    kind: Annotated[Kind, "What it is; what people say has kind `text`."]
    active: Annotated[bool, "Whether it is on the branch that was kept."]
    text: str


class Transcript(Head):
    """A session, turn by turn."""

    turns: list[Turn]


class Show(TypedDict):
    """One session."""

    schema: Literal["mem.show/1"]
    session: Transcript


class MemorySource(TypedDict):
    """A turn that a memory comes from."""

    session: str
    turn: Annotated[str, "Id of the session, a colon, and the position of the turn."]
    key: Annotated[str, "What the turn is called in its export, or stands for it."]
    speaker: str
    at: Moment | None
    text: str


class Memory(TypedDict):
    """Something worth remembering, and where it was said."""

    id: Annotated[str, "`m_` and ten characters."]
    key: Annotated[str, "What it is about."]
    type: MemoryType
    value: str
    tags: list[str]
    said_at: Moment | None
    by: Annotated[str, "Who found it: a model, or `you`."]
    accepted: Annotated[bool, "By the person."]
    unsupported: Annotated[list[str], "What of it no source says."]
    superseded_by: Annotated[str | None, "Id of the newer memory that took its place."]
    edited: Annotated[bool, "By the person."]
    conflicts: Annotated[list[str], "Ids of memories that say otherwise."]
    sources: Annotated[list[MemorySource], "At least one."]


class Memories(TypedDict):
    """Memories."""

    schema: Literal["mem.memories/1"]
    memories: list[Memory]


class Reading(TypedDict):
    """How a memory came about."""

    model: str
    reason: str
    trace: Annotated[
        list[dict[str, object]] | None, "What it thought, called and was told; null if not kept."
    ]


class OneMemory(TypedDict):
    """One memory, and those before and after it."""

    schema: Literal["mem.memory/1"]
    memory: Memory
    history: list[Memory]
    why: NotRequired[Annotated[list[Reading], "With `--why`."]]


class Forget(TypedDict):
    """What was, or would be, forgotten."""

    schema: Literal["mem.forget/1"]
    sessions: list[Overview]
    memories: list[Memory]
    forgotten: Annotated[bool, "False with `--dry-run`."]


class Segment(TypedDict):
    """A stretch of a session that was read."""

    session: str
    first: Annotated[int, "Position of its first turn."]
    last: Annotated[int, "Position of its last turn."]
    action: Annotated[str | None, "`add`, `ignore` or `buffer`; null if it failed."]
    reason: str
    memories: Annotated[list[str], "Ids."]
    searches: Count


class Actions(TypedDict):
    """How often the model did what."""

    add: Count
    ignore: Count
    buffer: Count
    search: Count


class ToRead(TypedDict):
    """What there is to read."""

    sessions: Count
    segments: Count
    tokens: Count
    seconds: Annotated[Seconds, "That it will take, about."]


class Read(TypedDict, total=False):
    """What was read, or with `--dry-run` what there is to read."""

    schema: Required[Literal["mem.read/1"]]
    model: Required[str]
    sessions: Count
    segments: Count
    actions: Actions
    memories: Annotated[Count, "That were added."]
    failures: list[Segment]
    out_of_time: bool
    seconds: Seconds
    to_read: Annotated[ToRead, "Only with `--dry-run`, and then instead of the others."]


class TurnCounts(TypedDict):
    """What an import did with turns."""

    new: Count
    changed: Count
    unchanged: Count


class SessionCounts(TurnCounts):
    """What an import did with sessions."""

    skipped: Annotated[Count, "What could not be read, or held nothing."]


class Warned(TypedDict):
    """Something that was skipped, or could be read in another way, too."""

    where: str
    what: str


class ImportedSource(TypedDict):
    """What one source gave."""

    path: str
    format: Annotated[str | None, "Null where nothing was recognised."]
    conversations: Count
    sessions: SessionCounts
    turns: TurnCounts
    memories: Annotated[Count, "New ones, of those that `mem export` wrote."]
    warnings: list[Warned]


class Totals(TypedDict):
    """What all sources gave together."""

    sessions: SessionCounts
    turns: TurnCounts


class Ingest(TypedDict):
    """What was imported."""

    schema: Literal["mem.ingest/1"]
    sources: list[ImportedSource]
    totals: Totals
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class Output:
    """A document, the commands that print it with `--json`, and their lines with `--jsonl`."""

    document: type
    commands: tuple[str, ...]
    line: type | None = None


OUTPUTS = (
    Output(Ingest, ("mem ingest",), ImportedSource),
    Output(Ask, ("mem ask",), RankedSession),
    Output(Search, ("mem search",), RankedSession),
    Output(Sessions, ("mem sessions",), Overview),
    Output(Show, ("mem show",), Turn),
    Output(Read, ("mem read",), Segment),
    Output(Memories, ("mem memories list",), Memory),
    Output(OneMemory, ("mem memories show", "mem show")),
    Output(Forget, ("mem forget",)),
    Output(Stats, ("mem stats",)),
    Output(Doctor, ("mem doctor",)),
    Output(Indexed, ("mem index",)),
    Output(Config, ("mem config",)),
    Output(Models, ("mem models list", "mem models verify"), Model),
    Output(Bench, ("mem bench",)),
    Output(Speed, ("mem bench",)),
)
