"""New records with everything that goes with them, made ready so that writing is all that is left.

Making ready reads a little and computes much; writing changes the database. They are apart so that an import
makes one batch ready while it writes the one before, and holds SQLite's only write lock for the latter alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from sqlalchemy import func, select

from builder.db.records import Record
from builder.db.rows import Insertion, JsonText, columns_of, insertion
from builder.domain.fields import ObjectDefinition
from builder.services.files import attach
from builder.services.ledger import Ledger, Standing
from builder.services.numbers import write_numbers
from builder.services.projections import Projected, copies_of_new, reference_fields
from builder.services.rollup import RollupChanges, append
from builder.services.totals import note_row
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import chunks

# What totals, numbers, files and events ask of a record.
_KEPT = (
    "id",
    "object_key",
    "pipeline_key",
    "stage_key",
    "outcome",
    "currency",
    "is_loaded",
    "created_at",
    "deleted_at",
    "data",
)
_kept = itemgetter(*_KEPT)


@dataclass(frozen=True)
class ReadyRecords:
    """Records of one object in the order in which they are written: once, for what is written is let go.

    ``records``: those of their columns that are asked for then. ``data``: their values as JSON, for events.
    """

    definition: ObjectDefinition
    records: Sequence[Mapping[str, Any]] = ()
    data: Sequence[JsonText] = ()
    copies: list[Insertion] = field(default_factory=list)
    ledger: list[Insertion] = field(default_factory=list)
    changes: RollupChanges | None = None

    @classmethod
    def of(
        cls, uow: UnitOfWork, definition: ObjectDefinition, standings: Sequence[Standing], ledger: Ledger
    ) -> ReadyRecords:
        """``ledger`` has settled all of them, and nothing else."""
        if not standings:
            return cls(definition)
        records = [standing.record for standing in standings]
        data = [JsonText.of(record["data"]) for record in records]
        rows = [{**record, "data": text} for record, text in zip(records, data, strict=True)]
        projected = [Projected(record["id"], record["name"], record["data"]) for record in records]
        written = insertion(uow.session, Record, columns_of(rows))
        copies = [written, *copies_of_new(uow, definition, projected)]
        # A batch waits while another one is written: it holds no more than it must.
        kept = [dict(zip(_KEPT, _kept(record), strict=True)) for record in records]
        return cls(definition, kept, data, copies, ledger.insertions(), ledger.changes)

    def still_hold(self, uow: UnitOfWork) -> bool:
        """Whether what they refer to is still there: somebody may have deleted it since they were made ready.
        One statement per 500 of them.
        """
        fields = reference_fields(self.definition)
        named = {record["data"].get(field.key) for record in self.records for field in fields}
        ids = sorted(map(int, named - {None, ""}))
        there = select(func.count()).where(Record.deleted_at.is_(None))
        return all(
            uow.session.scalar(there.where(Record.id.in_(chunk))) == len(chunk) for chunk in chunks(ids)
        )

    def write(self, uow: UnitOfWork) -> None:
        """Write them with their copies, ledger and events. The write has begun, and the definitions by which
        they were made ready are in force.
        """
        if self.changes is None:
            return
        _write_all(uow, self.copies)
        numbers = [(record["id"], record["data"]) for record in self.records]
        write_numbers(uow, self.definition, numbers, is_new=True)
        for record in self.records:
            note_row(uow, None, record)
            attach(uow, self.definition, record["id"], {}, record["data"])
        _write_all(uow, self.ledger)
        append(uow, self.changes)
        self._log(uow)

    def _log(self, uow: UnitOfWork) -> None:
        for record, text in zip(self.records, self.data, strict=True):
            uow.log(
                "record.loaded" if record["is_loaded"] else "record.created",
                record_id=record["id"],
                object_key=self.definition.key,
                data={"after": text, "pipeline": record["pipeline_key"], "stage": record["stage_key"]},
                effective_at=record["created_at"],
            )


def _write_all(uow: UnitOfWork, ready: list[Insertion]) -> None:
    while ready:
        ready.pop(0).write(uow.session)
