"""Rows of a file become records: a batch at a time, each row with its verdict (part 9).

Everything that a batch needs is read in a few statements whatever its size: names, existing records by key,
then the services that single forms use, so that imported rows equal typed ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from builder.domain.fields import FieldSet, ObjectDefinition
from builder.domain.pipeline import Pipeline, Stage
from builder.domain.stays import NO_FACTS, EntryFacts, LoggedEntry
from builder.errors import N_, Conflict, FunnelwrightError, Problem
from builder.exchange.csv import Row
from builder.exchange.history_log import Visit, folded, visits_of_row
from builder.exchange.plan import BY_RULES, ImportPlan
from builder.exchange.values import ReadRow, RowReader
from builder.fieldtypes.base import FieldContext
from builder.fieldtypes.registry import type_of
from builder.services.entries import Entry
from builder.services.history import LoadedRecord, make_histories_ready
from builder.services.import_existing import Existing, existing, existing_by_value
from builder.services.import_names import Names
from builder.services.ready_records import ReadyRecords
from builder.services.records import (
    NewRecord,
    Refusal,
    Saved,
    SaveRecord,
    make_ready,
    problem_of_unmet,
    save,
)
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import problem_of

Status: TypeAlias = Literal["created", "updated", "unchanged", "refused"]
# Types of fields by whose values records are known again.
_TELLING = ("text", "email", "phone", "url")
NO_STAGE = N_("The stage is empty.")
UNKNOWN_STAGE = N_("There is no stage “%(stage)s”.")
OTHER_STAGE = N_(
    "This record is here already, in the stage “%(now)s”; the file says “%(stage)s”. History is loaded once."
)


class Verdict(NamedTuple):
    """What became of the row at ``line``; ``reason`` says why it was refused, its place is the column."""

    line: int
    status: Status
    reason: Problem | None = None


KNOWN = N_("A record with this key is here already, or stands further up in the file.")
SEVERAL = N_("Several records hold this already, so it cannot be said which one the row means.")
HIDDEN = N_("There is a record with this key already, but you may not see it. It was not changed.")


class NewRows(NamedTuple):
    """Rows that become records: what is told of each by its ``id()``, and what is to be written for them."""

    items: Sequence[ReadRow]
    verdicts: Mapping[int, Verdict]
    records: ReadyRecords | None


class ReadyRows(NamedTuple):
    """Rows as they were read, and those that become records, by the definitions of ``stamp``."""

    stamp: int
    read: Sequence[ReadRow]
    new: NewRows


def context_of(uow: UnitOfWork) -> FieldContext:
    """How texts of a file are read: in the workspace's language, zone and currency."""
    return FieldContext(
        locale=uow.workspace.locale,
        time_zone=uow.workspace.time_zone,
        currency=uow.workspace.currency,
        now=uow.clock.now(),
        member_id=str(uow.actor.member_id) if uow.actor.member_id else None,
    )


class RowImport:
    """Carries out a plan of mode *rows*. Made once a run; ``write`` once a batch, in its transaction."""

    def __init__(self, uow: UnitOfWork, plan: ImportPlan, columns: Sequence[str]) -> None:
        self._uow = uow
        self._plan = plan
        self.definition: ObjectDefinition = uow.shown.object(plan.object_key)
        self.names = Names(uow, create_users=plan.create_users, create_references=plan.create_references)
        self.reader = RowReader(plan, columns, self.definition.fields, context_of(uow), self.names.resolve)
        key_field = self.definition.fields.targets.get(plan.field_of.get(plan.key_column or "", ""))
        # The field that the key column fills, where its values can tell records.
        self._key_field = key_field if key_field is not None and key_field.type in _TELLING else None
        self.pipeline: Pipeline | None = (
            None if plan.history is None else uow.catalog.pipeline(plan.history.pipeline)
        )

    def write(self, rows: Sequence[Row], ahead: ReadyRows | None = None) -> list[Verdict]:
        """Create and update records; the verdicts stand in the order of the rows. Errors: Forbidden.

        ``ahead``: the same rows as they were made ready beforehand, which is used as far as it still holds.
        """
        self._uow.begin()
        if ahead is not None and ahead.stamp != self._uow.workspace.definitions_stamp:
            ahead = None
        read = self._read(rows) if ahead is None else ahead.read
        verdicts = {id(item): _refused(item, item.problems[0]) for item in read if item.problems}
        for part in _without_repeats([item for item in read if not item.problems], self.identity):
            verdicts.update(self._write_part(part, ahead))
        return [verdicts[id(item)] for item in read]

    def make_ready(self, rows: Sequence[Row]) -> ReadyRows:
        """Read rows, and make those ready that are new and come before any key comes again. Writes nothing.

        Errors: Forbidden.
        """
        self._uow.begin_snapshot()
        read = self._read(rows)
        part = next(_without_repeats([item for item in read if not item.problems], self.identity), [])
        known = self.stored(part)
        self._uow.pause()
        new = self._new([item for item in part if item.key not in known])
        self._uow.pause()
        return ReadyRows(self._uow.workspace.definitions_stamp, read, new)

    def _read(self, rows: Sequence[Row]) -> list[ReadRow]:
        prepare_names(self._plan, self.definition.fields, self.reader, self.names, rows)
        self._uow.pause()
        return [self.reader.read(row) for row in rows]

    def stored(self, items: Sequence[ReadRow]) -> dict[str, Existing]:
        """The records that are here already, by the keys of rows: those that have the key, else those whose
        field that the key column fills holds the same.
        """
        known = existing(self._uow, self._plan.object_key, [item.key for item in items if item.key])
        if self._key_field is None or self._key_field.slot is None:
            return known
        wanted = {
            item.key: value
            for item in items
            if item.key and item.key not in known and (value := self._key_value(item)) is not None
        }
        return known | existing_by_value(self._uow, self._plan.object_key, self._key_field.slot, wanted)

    def _key_value(self, item: ReadRow) -> str | None:
        """What the field that the key column fills would hold for filters: texts without regard to case."""
        field = self._key_field
        if field is None or field.slot is None or field.key not in item.values:
            return None
        value = type_of(field).slot_value(item.values[field.key])
        return value if isinstance(value, str) else None

    def identity(self, item: ReadRow) -> str | None:
        """What tells rows of the same record within the file."""
        value = self._key_value(item)
        return item.key if value is None else value

    def _write_part(self, part: Sequence[ReadRow], ahead: ReadyRows | None) -> dict[int, Verdict]:
        """Rows of different keys: those that are stored already are changed, the others created."""
        known = self.stored(part)
        old = [item for item in part if item.key in known]
        items = [item for item in part if item.key not in known]
        verdicts = {id(item): self._update(item, known[item.key or ""]) for item in old}
        # What somebody stored since, or the rows before these did, is not new any more.
        new = ahead.new if ahead is not None and ahead.new.items == items else None
        if new is None or (new.records is not None and not new.records.still_hold(self._uow)):
            new = self._new(items)
        if new.records is not None:
            new.records.write(self._uow)
        verdicts.update(new.verdicts)
        return verdicts

    def _new(self, items: Sequence[ReadRow]) -> NewRows:
        """Rows that become records, made ready, each with its verdict."""
        if not items:
            return NewRows(items, {}, None)
        return self._loading(items) if self.pipeline is not None else self._creating(items)

    def _creating(self, items: Sequence[ReadRow]) -> NewRows:
        pipeline = self._plan.entry_pipeline
        # Nobody can be asked row by row: whoever starts the import accepts what a gate only warns of.
        key = None if pipeline == BY_RULES else pipeline
        entry = None if pipeline is None else Entry(key, is_confirmed=True)
        news = [NewRecord(item.values, entry, item.key, known_ids=self.names.made) for item in items]
        results, records = make_ready(self._uow, self._plan.object_key, news)
        return NewRows(items, self._verdicts(items, results), records)

    def _verdicts(self, items: Sequence[ReadRow], results: Sequence[Saved | Refusal]) -> dict[int, Verdict]:
        return {
            id(item): _refused(item, self.reason(result))
            if isinstance(result, Refusal)
            else Verdict(item.row.line, "created")
            for item, result in zip(items, results, strict=True)
        }

    def _loading(self, items: Sequence[ReadRow]) -> NewRows:
        verdicts: dict[int, Verdict] = {}
        loaded: list[LoadedRecord] = []
        fit: list[ReadRow] = []
        for item in items:
            try:
                loaded.append(self._loaded(item))
                fit.append(item)
            except FunnelwrightError as error:
                place = self._plan.history.stage_column if self._plan.history else ""
                verdicts[id(item)] = _refused(item, Problem(error.message_key, place, error.values))
        if not loaded:
            return NewRows(items, verdicts, None)
        assert self.pipeline is not None
        results, records = make_histories_ready(self._uow, self._plan.object_key, self.pipeline.key, loaded)
        return NewRows(items, verdicts | self._verdicts(fit, results), records)

    def _loaded(self, item: ReadRow) -> LoadedRecord:
        visits = self.visits(item)
        known = [visit.at for visit in visits if visit.at is not None]
        new = NewRecord(
            item.values,
            external_key=item.key,
            created_at=known[0] if known else self._uow.clock.now(),
            known_ids=self.names.made,
        )
        return LoadedRecord(new, [LoggedEntry(visit.stage_key, visit.at) for visit in visits])

    def visits(self, item: ReadRow) -> tuple[Visit, ...]:
        """The history that a row tells. Errors: Invalid."""
        history, pipeline = self._plan.history, self.pipeline
        assert history is not None
        assert pipeline is not None
        stage = pipeline.by_key[self.stage_key(item.row)]
        closed = None if stage.is_open else self.reader.moment(item.row, history.closed_column)
        at = self.reader.moment(item.row, history.at_column)
        return visits_of_row(pipeline, stage, at, closed, last_open=self._last_open(item.row))

    def _last_open(self, row: Row) -> Stage | None:
        """The stage that a record stood in when it was closed, where a column of its own says that it was."""
        history, pipeline = self._plan.history, self.pipeline
        if history is None or pipeline is None or history.status_column is None:
            return None
        key = history.stages.get(folded(self.reader.cell(row, history.stage_column)))
        found = None if key is None else pipeline.by_key[key]
        return found if found is not None and found.is_open else None

    def stage_key(self, row: Row) -> str:
        """The stage that the row names. Errors: Invalid."""
        history = self._plan.history
        assert history is not None
        if history.status_column is not None:
            status = self.reader.cell(row, history.status_column)
            if status and folded(status) not in history.statuses:
                raise Conflict(UNKNOWN_STAGE, stage=status[:80])
            if (closing := history.statuses.get(folded(status))) is not None:
                return closing
        return stage_of(history.stages, self.reader.cell(row, history.stage_column))

    def _update(self, item: ReadRow, stored: Existing) -> Verdict:
        """Change what differs; a second run of the same file changes nothing."""
        if not stored.is_visible:
            return _refused(item, self.hidden())
        if stored.is_one_of_several:
            return _refused(item, self.several())
        if self._plan.known_rows != "change":
            return self._left(item)
        try:
            if self.pipeline is not None and stored.stage_key is not None:
                self.same_stage(item, stored.stage_key)
            values = self.changes(item, stored)
            if not values:
                return Verdict(item.row.line, "unchanged")
            saved = save(self._uow, SaveRecord(stored.id, values, known_ids=self.names.made))
        except FunnelwrightError as error:
            problem = (
                self.named(error.problems[0])
                if error.problems
                else Problem(error.message_key, "", error.values)
            )
            return _refused(item, problem)
        return Verdict(item.row.line, "updated" if saved.changed else "unchanged")

    def _left(self, item: ReadRow) -> Verdict:
        """What becomes of a row that must not change its record."""
        if self._plan.known_rows == "leave":
            return Verdict(item.row.line, "unchanged")
        return _refused(item, self.known())

    def several(self) -> Problem:
        """Why a row is refused that may mean several records."""
        return Problem(SEVERAL, self._plan.key_column or "")

    def known(self) -> Problem:
        """Why a row is refused whose record is here already, where a person wants that."""
        return Problem(KNOWN, self._plan.key_column or "")

    def changes(self, item: ReadRow, stored: Existing) -> dict[str, Any]:
        """The values of a row that differ from what is stored."""
        found = (
            (key, self.reader.onto(key, stored.data.get(key), value)) for key, value in item.values.items()
        )
        return {
            key: value
            for key, value in found
            if stored.data.get(key) != value and not self.reader.is_same(key, stored.data.get(key), value)
        }

    def hidden(self) -> Problem:
        """Why a row is refused whose key belongs to a record that the actor does not see."""
        return Problem(HIDDEN, self._plan.key_column or "")

    def same_stage(self, item: ReadRow, now: str) -> None:
        """Errors: Conflict when the file puts a stored record elsewhere than where it stands."""
        told = self.stage_key(item.row)
        if told != now:
            assert self.pipeline is not None
            labels = {stage.key: stage.label for stage in self.pipeline.stages}
            raise Conflict(OTHER_STAGE, now=labels.get(now, now), stage=labels[told])

    def reason(self, refusal: Refusal) -> Problem:
        """The first reason, placed at the column that the field came from."""
        if refusal.faults:
            return self.named(problem_of(refusal.faults[0]))
        return self.named(problem_of_unmet(refusal.unmet[0]))

    def named(self, problem: Problem) -> Problem:
        """A problem of a field, placed at its column; a field that no column fills is named itself."""
        columns = {key: column for column, key in self._plan.fields}
        field = self.definition.fields.by_key.get(problem.place)
        label = field.label.text(self._uow.workspace.locale) if field else problem.place
        return Problem(problem.message, columns.get(problem.place, label), problem.values)


def stage_of(stages: Mapping[str, str], text: str) -> str:
    """The stage key that a text of the file means. Errors: Conflict."""
    if not text:
        raise Conflict(NO_STAGE)
    try:
        return stages[folded(text)]
    except KeyError:
        raise Conflict(UNKNOWN_STAGE, stage=text[:80]) from None


def prepare_names(
    plan: ImportPlan, fields: FieldSet, reader: RowReader, names: Names, rows: Iterable[Row]
) -> None:
    """Look up (and create, where the plan says so) everything that the rows name, a column at a time."""
    pointing = [
        (column, fields.targets[key])
        for column, key in plan.fields
        if fields.targets[key].type in ("user", "reference")
    ]
    if not pointing:
        return
    names.forget_some()
    readable = [row for row in rows if row.problem is None]
    for column, field in pointing:
        names.prepare(field, {reader.cell(row, column) for row in readable})


def _without_repeats(
    items: Sequence[ReadRow], identity: Callable[[ReadRow], str | None]
) -> Iterator[list[ReadRow]]:
    """Cut where a key comes again, so that its second row finds the record of the first."""
    part: list[ReadRow] = []
    seen: set[str] = set()
    for item in items:
        known = None if item.key is None else identity(item)
        if known is not None and known in seen:
            yield part
            part, seen = [], set()
        part.append(item)
        if known is not None:
            seen.add(known)
    if part:
        yield part


def _refused(item: ReadRow, problem: Problem) -> Verdict:
    return Verdict(item.row.line, "refused", problem)


def facts_of(amount_minor: int | None, currency: str, probability: int | None) -> EntryFacts:
    """What a log tells of the record when it entered a stage."""
    if amount_minor is None:
        return NO_FACTS
    return EntryFacts(amount_minor=amount_minor, currency=currency, probability=probability)
