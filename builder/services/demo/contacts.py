"""Calls, visits and mails of the demo: how colleagues keep in touch with what they have under way (S43)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any

from builder.services import records
from builder.services.demo.plan import Contacts, Source
from builder.services.records import NewRecord
from builder.services.standings import load_standing
from builder.services.unit_of_work import UnitOfWork


class KeepingInTouch:
    """Makes one contact after another, by a ``random`` of its own: the history is what it is without them."""

    def __init__(self, uow: UnitOfWork, random: Random) -> None:
        self._uow = uow
        self.random = random
        self._told: dict[int, set[int]] = {}

    def pause(self, contacts: Contacts, *, is_first: bool = False) -> timedelta:
        """How long until the next one; something new is spoken about soon."""
        low, high = contacts.every_days
        return timedelta(days=self.random.uniform(0, low) if is_first else self.random.triangular(low, high))

    def make(self, contacts: Contacts, pipeline_key: str, record_id: int) -> bool:
        """Make a contact about a record that is still under way; false where it is not."""
        standing = load_standing(self._uow, record_id)
        if standing.pipeline is None or standing.record["pipeline_key"] != pipeline_key:
            return False
        stage = standing.pipeline.by_key[standing.record["stage_key"]]
        if not stage.is_open:
            return False
        case = self._case(contacts, stage.key, record_id)
        if case is not None:
            sources = {**contacts.map, **case}
            found = {name: self._value(source, standing.record) for name, source in sources.items()}
            values = {name: value for name, value in found.items() if value is not None}
            records.create(self._uow, contacts.object, NewRecord(values, None))
        return True

    def _case(self, contacts: Contacts, stage_key: str, record_id: int) -> Mapping[str, Source] | None:
        """One that fits the stage and was not drawn for the record before, while there is one."""
        told = self._told.setdefault(record_id, set())
        fitting = [
            place
            for place, (stages, _) in enumerate(contacts.cases)
            if (not stages or stage_key in stages) and place not in told
        ]
        if not fitting:
            return None
        chosen = self.random.choice(fitting)
        told.add(chosen)
        return contacts.cases[chosen][1]

    def _value(self, source: Source, record: Mapping[str, Any]) -> Any:
        if not isinstance(source, str):
            return source
        now = self._uow.clock.now()
        if source == "@self":
            return str(record["id"])
        if source == "@now":
            return now.replace(microsecond=0).isoformat().replace("+00:00", "Z")
        if source.startswith("@in:"):
            day = self._uow.workspace.day_of(now) + timedelta(days=int(source.removeprefix("@in:")))
            return day.isoformat()
        return source.removeprefix("=") if source.startswith("=") else record["data"].get(source)
