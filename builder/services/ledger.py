"""Writing the ledger: stays, slices, the journey and the roll-up of a record that enters or leaves stages.

Everything that changes where a record stands, who owns it or what it is worth goes through ``Ledger``, so
that the rows of single writes, of imports and of loaded history are the same (idea 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import bindparam, select

from builder.db.ids import new_ids
from builder.db.ledger import SliceRow, StayRow
from builder.db.rows import Insertion, insertion
from builder.db.tenancy import scoped
from builder.domain import journey, rollup
from builder.domain.pipeline import Pipeline
from builder.domain.reach import FunnelSteps
from builder.domain.stays import Stay
from builder.domain.win_sums import Ending
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
_ending = itemgetter(*Ending._fields)
_counted_of = itemgetter(*REPORTED, "started_at", "closed_at", "reason_key", "deleted_at")
_SLICE_HEAD = ("workspace_id", "id", "record_id", "object_key", "recorded_at", "superseded_at")
_SLICE_COLUMNS = (*_SLICE_HEAD, "valid_from", "valid_to", *REPORTED)
# From when, until when, and the reported columns in their order.
SliceValues: TypeAlias = tuple[Any, ...]
# A slice that is there already is the open one, which ends; not before it began, should a clock be set back.
_CLOSE_SLICE = (
    "ON CONFLICT (workspace_id, id) DO UPDATE SET valid_to ="
    " CASE WHEN slice.valid_from > excluded.valid_to THEN slice.valid_from ELSE excluded.valid_to END"
)
# The columns of a stay's row that its fields become, in their order; and those that hold them as they are.
_STAY_FIELDS = tuple("stage_kind" if name == "kind" else name for name in Stay._fields)
_STAY_COLUMNS = tuple(name for name in Stay._fields if name not in ("kind", "rate", "skipped"))


class StoredStay(NamedTuple):
    """A stay with what its row holds besides: ids, who did it, feedback, tasks, reason."""

    id: int
    stay: Stay
    details: Mapping[str, Any]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> StoredStay:
        """By the columns of its row."""
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
_WRITTEN = (*_STAY_FIELDS, *DETAILS, "record_id", "sequence")
# A stay that is there already is given its new values: to close one and open the next is one statement.
_PUT_STAY = "ON CONFLICT (workspace_id, id) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in _WRITTEN
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


class StaysLater:
    """The stays of some records, in order: all read in one statement when those of one are asked for.

    ``known``: those of the only record, where they have been read with it.
    """

    def __init__(
        self,
        uow: UnitOfWork,
        record_ids: Iterable[int],
        known: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        self._uow = uow
        self._ids = list(record_ids)
        self._known = known

    def of(self, record_id: int) -> list[StoredStay]:
        return self._found.get(record_id, [])

    @cached_property
    def _found(self) -> dict[int, list[StoredStay]]:
        found: dict[int, list[StoredStay]] = {record_id: [] for record_id in self._ids}
        if not self._ids:
            return found
        rows: Iterable[Any] | None = self._known
        if rows is None:
            rows = self._uow.session.run(_STAYS, ids=self._ids).mappings()
        row: Any
        for row in rows:
            found[row["record_id"]].append(StoredStay.of(row))
        return found


@dataclass
class Standing:
    """Where one record stands: its row values, its pipeline and all its stays. ``pipeline`` may be None.

    ``stored`` is the row as it was loaded, empty for a new record.
    """

    record: dict[str, Any]
    pipeline: Pipeline | None
    stays_later: StaysLater | None = None
    stored: Mapping[str, Any] = field(default_factory=dict)

    @property
    def record_id(self) -> int:
        record_id: int = self.record["id"]
        return record_id

    @cached_property
    def stays(self) -> list[StoredStay]:
        return [] if self.stays_later is None else self.stays_later.of(self.record_id)

    @property
    def open_stay(self) -> StoredStay | None:
        """The running stay, if any: always the last one."""
        return self.stays[-1] if self.stays and self.stays[-1].stay.is_running else None


class Ledger:
    """Collects what a transaction changes in the ledger and writes it in few statements.

    Use: change the record values and stays of a standing, then ``settle`` it, once, before its row is
    written; at the end ``write`` once.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self.changes = RollupChanges()
        self._stays: dict[int, tuple[int, int, StoredStay]] = {}
        self._stays_before: dict[int, Sequence[StoredStay]] = {}
        self._replaces_stay = False
        self._slices: list[tuple[Any, ...]] = []
        self._closes_slice = False

    def settle(self, standing: Standing, at: datetime | None, past: Sequence[SliceValues] = ()) -> None:
        """Put what the record contributes in place of what it contributed before; the change took effect
        ``at`` (None: unknown). ``past``: for loaded history, the slices that ended.
        """
        record, stored = standing.record, standing.stored
        has_moved = standing.record_id in self._stays_before
        if stored and not has_moved and _counted_of(record) == _counted_of(stored):
            return
        if stored:
            before = self._stays_before[standing.record_id] if has_moved else standing.stays
            contribution(self._uow, stored, before, self.changes, -1)
        record["cycle"] = ending_of(record).cycle_micros
        contribution(self._uow, record, standing.stays, self.changes, +1)
        if standing.pipeline is not None:
            record["journey"] = journey.encode([stored.stay for stored in standing.stays])
        if not stored or _reported_of(record) != _reported_of(stored):
            self._begin_slice(standing, at, past)

    def _begin_slice(self, standing: Standing, at: datetime | None, past: Sequence[SliceValues]) -> None:
        record, stored, now = standing.record, standing.stored, self._uow.clock.now()
        ids = new_ids(len(past) + 1)
        slices = [*zip(ids, (*past, (at, None, *_reported_of(record))), strict=True)]
        if stored:
            self._closes_slice = True
            slices.append((stored["slice_id"], (None, at or now, *_reported_of(stored))))
        head = (standing.record_id, record["object_key"], now, None)
        self._slices += [(self._uow.workspace.id, slice_id, *head, *values) for slice_id, values in slices]
        record["slice_id"] = ids[-1]

    def put_stay(self, standing: Standing, stored: StoredStay) -> None:
        """Replace the stay of that id among the record's stays, or add it at the end; write it later."""
        self._stays_before.setdefault(standing.record_id, tuple(standing.stays))
        position = next(
            (index for index, known in enumerate(standing.stays) if known.id == stored.id),
            len(standing.stays),
        )
        self._replaces_stay = self._replaces_stay or position < len(standing.stays)
        standing.stays[position : position + 1] = [stored]
        self._stays[stored.id] = (standing.record_id, position, stored)

    def put_stays(self, standing: Standing, stays: Sequence[StoredStay]) -> None:
        """Give a record that has no stays yet all of these, in order; write them later."""
        record_id = standing.record_id
        standing.stays.extend(stays)
        for sequence, stored in enumerate(stays):
            self._stays[stored.id] = (record_id, sequence, stored)

    def insertions(self) -> list[Insertion]:
        """Stays and slices, ready to be written."""
        session, ready = self._uow.session, []
        if self._stays:
            columns = _stay_columns(self._stays.values())
            ready.append(insertion(session, StayRow, columns, _PUT_STAY if self._replaces_stay else ""))
        if self._slices:
            columns = dict(zip(_SLICE_COLUMNS, zip(*self._slices, strict=True), strict=True))
            ready.append(insertion(session, SliceRow, columns, _CLOSE_SLICE if self._closes_slice else ""))
        return ready

    def write(self) -> None:
        """Write stays, slices and roll-up differences."""
        for each in self.insertions():
            each.write(self._uow.session)
        append(self._uow, self.changes)


_steps: ProcessCache[tuple[str, str], FunnelSteps] = ProcessCache(1024)


def steps_of(pipeline: Pipeline) -> FunnelSteps:
    """The pipeline's own funnel, made once per published version."""
    return _steps.get((pipeline.key, pipeline.checksum), lambda: FunnelSteps.of(pipeline))


def ending_of(record: Mapping[str, Any]) -> Ending:
    """How a record ended, by its row values."""
    return Ending(*_ending(record))


def contribution(
    uow: UnitOfWork,
    record: Mapping[str, Any],
    stored: Sequence[StoredStay],
    changes: RollupChanges,
    sign: int,
) -> None:
    """Add to ``changes`` what a record with these stays contributes to the roll-up; a deleted one contributes
    nothing.
    """
    if record["deleted_at"] is not None:
        return
    stays = [each.stay for each in stored]
    for key in dict.fromkeys(stay.pipeline_key for stay in stays):
        # Sums are by the order of steps that is in force, whatever version a record is pinned to.
        pipeline = uow.catalog.pipelines.get(key)
        if pipeline is None or not pipeline.counts(record["id"]):
            continue
        present = None
        if key == record["pipeline_key"]:
            present = rollup.Present(record["stage_key"], record["probability"] or 0, ending_of(record))
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
