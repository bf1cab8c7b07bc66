"""Writing the ledger: stays, slices, the journey and the roll-up of a record that enters or leaves stages.

Everything that changes where a record stands, who owns it or what it is worth goes through ``Ledger``, so
that the rows of single writes, of imports and of loaded history are the same (idea 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Row, bindparam, select

from builder.db.base import Base
from builder.db.ids import new_ids
from builder.db.ledger import SliceRow, StayRow
from builder.db.rows import insert_columns
from builder.db.tenancy import scoped
from builder.domain import journey, rollup
from builder.domain.pipeline import Pipeline
from builder.domain.reach import FunnelSteps
from builder.domain.stays import Stay
from builder.metadata.cache import ProcessCache
from builder.services.rollup import Grain, RollupChanges, append
from builder.services.unit_of_work import UnitOfWork

# The columns of a record whose history slices keep (head of metrics.md).
REPORTED = (
    "pipeline_key",
    "stage_key",
    "outcome",
    "amount_minor",
    "currency",
    "expected_close_on",
    "probability",
    "forecast_category",
    "owner_id",
    "department_id",
)
_reported_of = itemgetter(*REPORTED)
_SLICE_HEAD = ("workspace_id", "id", "record_id", "object_key", "recorded_at", "superseded_at")
_SLICE_COLUMNS = (*_SLICE_HEAD, "valid_from", "valid_to", *REPORTED)
# An ended slice: from when, until when, and the reported columns in their order.
PastSlice: TypeAlias = tuple[Any, ...]
# The columns of a stay's row that its fields become, in their order; and those that hold them as they are.
_STAY_FIELDS = tuple("stage_kind" if name == "kind" else name for name in Stay._fields)
_STAY_COLUMNS = tuple(name for name in Stay._fields if name not in ("kind", "rate", "skipped"))


class StoredStay(NamedTuple):
    """A stay with what its row holds besides: ids, who did it, feedback, tasks, reason."""

    id: int
    stay: Stay
    details: Mapping[str, Any]

    @classmethod
    def of_row(cls, row: Row[Any]) -> StoredStay:
        values = row._mapping
        stay = Stay(
            **{name: values[name] for name in _STAY_COLUMNS},
            kind=values["stage_kind"],
            skipped=tuple(values["skipped"] or ()),
        )
        return cls(values["id"], stay, {name: values[name] for name in DETAILS})


DETAILS = (
    "pipeline_version_id",
    "recorded_at",
    "entered_by",
    "left_by",
    "next_stage_key",
    "is_loaded",
    "feedback_key",
    "feedback_version_id",
    "answers",
    "tasks_done",
    "is_marked",
    "reason_key",
    "reason_note",
    "override_reason",
)
_STAYS_TABLE = StayRow.__table__
_STAYS = scoped(
    select(
        *(
            _STAYS_TABLE.c[name]
            for name in ("id", "record_id", "sequence", "stage_kind", "skipped", *_STAY_COLUMNS, *DETAILS)
        )
    )
    .where(_STAYS_TABLE.c.record_id.in_(bindparam("ids", expanding=True)))
    .order_by(_STAYS_TABLE.c.record_id, _STAYS_TABLE.c.sequence)
)


_SLICES_TABLE = SliceRow.__table__
_OPEN_SLICES = scoped(
    select(*_SLICES_TABLE.c).where(
        _SLICES_TABLE.c.record_id.in_(bindparam("ids", expanding=True)),
        _SLICES_TABLE.c.valid_to.is_(None),
        _SLICES_TABLE.c.superseded_at.is_(None),
    )
)


@dataclass
class Standing:
    """Where one record stands: its row values, its pipeline and all its stays. ``pipeline`` may be None.

    ``stored`` is the row as it was loaded, empty for a new record.
    """

    record: dict[str, Any]
    pipeline: Pipeline | None
    stays: list[StoredStay] = field(default_factory=list)
    stored: Mapping[str, Any] = field(default_factory=dict)

    @property
    def record_id(self) -> int:
        record_id: int = self.record["id"]
        return record_id

    @property
    def open_stay(self) -> StoredStay | None:
        """The running stay, if any: always the last one."""
        return self.stays[-1] if self.stays and self.stays[-1].stay.is_running else None


class Ledger:
    """Collects what a transaction changes in the ledger and writes it in few statements.

    Use: ``watch`` a standing before changing it, change its record values and stays, then ``settle`` it;
    at the end ``write`` once.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._changes = RollupChanges()
        self._stays: dict[int, tuple[int, int, StoredStay]] = {}
        self._replaces = False
        self._slices: list[tuple[Standing, Sequence[PastSlice]]] = []
        self._before: dict[int, tuple[Any, ...]] = {}
        self._slices_due: list[tuple[Standing, datetime | None]] = []

    def watch(self, standing: Standing, *, is_new: bool = False) -> None:
        """Take away what the record contributes now; a new record contributes nothing yet."""
        if not is_new:
            contribution(self._uow, standing, self._changes, -1)
            self._before[standing.record_id] = self._reported(standing)

    def settle(self, standing: Standing, at: datetime | None) -> None:
        """Add what the record contributes after its change, which took effect ``at`` (None: unknown)."""
        contribution(self._uow, standing, self._changes, +1)
        if standing.pipeline is not None:
            standing.record["journey"] = journey.encode([stored.stay for stored in standing.stays])
        if self._before.get(standing.record_id) != self._reported(standing):
            self._slices_due.append((standing, at))

    def settle_history(self, standing: Standing, past: Sequence[PastSlice]) -> None:
        """``settle`` for loaded history: the last slice begins with the last stay; ``past`` come before."""
        self.settle(standing, standing.stays[-1].stay.entered_at)
        self._slices.append((standing, past))

    def put_stay(self, standing: Standing, stored: StoredStay) -> None:
        """Replace the stay of that id among the record's stays, or add it at the end; write it later."""
        position = next(
            (index for index, known in enumerate(standing.stays) if known.id == stored.id),
            len(standing.stays),
        )
        self._replaces = self._replaces or position < len(standing.stays)
        standing.stays[position : position + 1] = [stored]
        self._stays[stored.id] = (standing.record_id, position, stored)

    def put_stays(self, standing: Standing, stays: Sequence[StoredStay]) -> None:
        """Give a record that has no stays yet all of these, in order; write them later."""
        record_id = standing.record_id
        standing.stays.extend(stays)
        for sequence, stored in enumerate(stays):
            self._stays[stored.id] = (record_id, sequence, stored)

    def write(self) -> None:
        """Write stays, slices and roll-up differences."""
        if self._stays:
            _put(self._uow, StayRow, _stay_columns(self._stays.values()), is_new=not self._replaces)
        self._write_slices()
        append(self._uow, self._changes)

    def _reported(self, standing: Standing) -> tuple[Any, ...]:
        return _reported_of(standing.record)

    def _write_slices(self) -> None:
        """Close the open slice of each changed record and open the next one, in one statement."""
        due = {standing.record_id: (standing, at) for standing, at in self._slices_due}
        known = [record_id for record_id in due if record_id in self._before]
        now = self._uow.clock.now()
        rows: list[tuple[Any, ...]] = []
        if known:
            for row in self._uow.session.run(_OPEN_SLICES, ids=known):
                ends = due[row.record_id][1] or now
                closed = {**row._mapping, "valid_to": max(ends, row.valid_from or ends)}
                rows.append(tuple(closed[name] for name in _SLICE_COLUMNS))
        for standing, at in due.values():
            self._slices.append((standing, [(at, None, *self._reported(standing))]))
        ids = iter(new_ids(sum(len(slices) for _, slices in self._slices)))
        for standing, slices in self._slices:
            head = (standing.record_id, standing.record["object_key"], now, None)
            rows += [(self._uow.workspace.id, next(ids), *head, *values) for values in slices]
        if rows:
            columns = dict(zip(_SLICE_COLUMNS, zip(*rows, strict=True), strict=True))
            _put(self._uow, SliceRow, columns, is_new=not known)


_steps: ProcessCache[tuple[str, str], FunnelSteps] = ProcessCache(1024)


def steps_of(pipeline: Pipeline) -> FunnelSteps:
    """The pipeline's own funnel, made once per published version."""
    return _steps.get((pipeline.key, pipeline.checksum), lambda: FunnelSteps.of(pipeline))


def contribution(uow: UnitOfWork, standing: Standing, changes: RollupChanges, sign: int) -> None:
    """Add to ``changes`` what a record contributes to the roll-up; a deleted one contributes nothing."""
    record = standing.record
    if record["deleted_at"] is not None:
        return
    stays = [stored.stay for stored in standing.stays]
    for key in dict.fromkeys(stay.pipeline_key for stay in stays):
        # Sums are by the order of steps that is in force, whatever version a record is pinned to.
        pipeline = uow.catalog.pipelines.get(key)
        if pipeline is None:
            continue
        present = None
        if key == record["pipeline_key"]:
            present = rollup.Present(
                record["stage_key"],
                record["currency"],
                record["amount_minor"] or 0,
                record["probability"] or 0,
            )
        sums = changes.of(Grain.of(key, record["owner_id"], record["department_id"]))
        rollup.add_contributions(sums, stays, steps_of(pipeline), uow.workspace.zone, present, sign)


def _stay_columns(items: Iterable[tuple[int, int, StoredStay]]) -> dict[str, Sequence[Any]]:
    """The columns of ``stay`` for stays with their record and place in it; at least one."""
    record_ids, sequences, stored = zip(*items, strict=True)
    ids, stays, details = zip(*stored, strict=True)
    columns: dict[str, Sequence[Any]] = dict(zip(_STAY_FIELDS, zip(*stays, strict=True), strict=True))
    columns |= zip(DETAILS, zip(*map(itemgetter(*DETAILS), details), strict=True), strict=True)
    columns["rate"] = [None if rate is None else float(rate) for rate in columns["rate"]]
    columns["skipped"] = [list(keys) or None for keys in columns["skipped"]]
    # The session puts in the workspace.
    return columns | {"workspace_id": ids, "id": ids, "record_id": record_ids, "sequence": sequences}


def _put(uow: UnitOfWork, entity: type[Base], columns: Mapping[str, Sequence[Any]], *, is_new: bool) -> None:
    """Insert rows, or update those whose key exists: to close one and open the next is one statement."""
    changed = (f"{name} = excluded.{name}" for name in columns if name not in ("workspace_id", "id"))
    conflict = "" if is_new else f"ON CONFLICT (workspace_id, id) DO UPDATE SET {', '.join(changed)}"
    insert_columns(uow.session, entity, columns, conflict)


def load_stays(uow: UnitOfWork, record_ids: Sequence[int]) -> dict[int, list[StoredStay]]:
    """All stays of some records, in order, in one statement."""
    found: dict[int, list[StoredStay]] = {record_id: [] for record_id in record_ids}
    for row in uow.session.run(_STAYS, ids=list(record_ids)):
        found[row.record_id].append(StoredStay.of_row(row))
    return found
