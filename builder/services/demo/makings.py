"""What comes of the records of the demo on their way: proposals, orders, whatever the plan says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from builder.domain.fields import FieldDefinition
from builder.services import records
from builder.services.demo.plan import Flow, Making
from builder.services.records import SaveRecord
from builder.services.standings import load_standing
from builder.services.unit_of_work import UnitOfWork


class Makings:
    """Makes the records that flows bring about. ``create`` makes one of an object with these values."""

    def __init__(
        self,
        uow: UnitOfWork,
        random: Random,
        create: Callable[[str, Mapping[str, Any]], int],
    ) -> None:
        self._uow = uow
        self._random = random
        self._create = create
        # By record: what was made of it, by object; and what is still to be settled.
        self._made: dict[int, dict[str, int]] = {}
        self._open: dict[int, list[tuple[int, Making]]] = {}
        self._seen: set[tuple[str, Any]] = set()

    def entered(self, flow: Flow, record_id: int, stage_key: str) -> None:
        """A record has entered a stage."""
        for making in flow.makes:
            if making.stage == stage_key:
                self._bring_about(making, record_id)

    def left(self, record_id: int, *, is_onward: bool) -> None:
        """A record has gone on from where it was, or ended."""
        for made_id, making in self._open.pop(record_id, ()):
            assert making.settles is not None
            field, accepted, refused = making.settles
            records.save(self._uow, SaveRecord(made_id, {field: accepted if is_onward else refused}))

    def named(self, record_id: int, field: FieldDefinition) -> str | None:
        """What a reference field of the record, or of its feedback, refers to of what was made of it."""
        found = self._made.get(record_id, {}).get(str(field.params.get("target")))
        return str(found) if found is not None and field.type == "reference" else None

    def _bring_about(self, making: Making, record_id: int) -> None:
        data = load_standing(self._uow, record_id).record["data"]
        case = self._random.choice(making.cases) if making.cases else {}
        values = {
            field: value
            for field, source in {**making.map, **case}.items()
            if (value := self._value(source, record_id, data)) is not None
        }
        if making.again is not None:
            flag, by = making.again
            key = (f"{making.object}.{by}", values.get(by))
            values[flag] = key in self._seen
            self._seen.add(key)
        made_id = self._create(making.object, values)
        self._made.setdefault(record_id, {})[making.object] = made_id
        if making.settles is not None:
            self._open.setdefault(record_id, []).append((made_id, making))

    def _value(self, source: str, record_id: int, data: Mapping[str, Any]) -> Any:
        if source.startswith("="):
            return source.removeprefix("=")
        if source == "@self":
            return str(record_id)
        if source == "@today":
            return self._uow.workspace.day_of(self._uow.clock.now()).isoformat()
        return data.get(source)
