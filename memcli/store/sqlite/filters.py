"""Filters on sessions, as SQL conditions."""

import json
from datetime import datetime

from memcli.lazy_dataclasses import dataclass
from memcli.store.sqlite.times import milliseconds

NO_CONDITION = "1"  # the SQL condition of filters without limits


@dataclass(frozen=True, slots=True)
class Filters:
    """Limits on the sessions that count; None is no limit."""

    since: datetime | None = None  # sessions that end at this time or later
    until: datetime | None = None  # sessions that start before this time
    source: str | None = None
    speaker: frozenset[str] | None = None  # one of these names speaks; case is ignored
    among: tuple[int, ...] | None = None  # one of these sessions, by number

    def where(self) -> tuple[str, list[object]]:
        """Return an SQL condition on the table `sessions`, and its values."""
        conditions, values = [NO_CONDITION], list[object]()
        if self.since:
            conditions.append("sessions.ended_at >= ?")
            values.append(milliseconds(self.since))
        if self.until:
            conditions.append("sessions.started_at < ?")
            values.append(milliseconds(self.until))
        if self.source:
            conditions.append(
                "sessions.conversation_id in (select id from conversations where source = ?)"
            )
            values.append(self.source)
        if self.speaker:
            # Many sessions have the same participants, so each list of names is read once.
            conditions.append(
                "sessions.participants in (select names from"
                " (select distinct participants as names from sessions) where exists"
                " (select 1 from json_each(names) where fold(value) in"
                " (select fold(value) from json_each(?))))"
            )
            values.append(json.dumps(sorted(self.speaker)))
        if self.among is not None:
            conditions.append("sessions.id in (select value from json_each(?))")
            values.append(json.dumps(self.among))
        return " and ".join(conditions), values
