"""Event logs become records with their history: one record a key, one stay a row (``load-history``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from builder.domain.money import from_minor, to_minor
from builder.domain.stays import LoggedEntry
from builder.errors import N_, FunnelwrightError, Invalid, Problem
from builder.exchange.cases import Case
from builder.exchange.csv import Row
from builder.exchange.numbers import read_number
from builder.exchange.plan import HistoryPlan, ImportPlan
from builder.exchange.units import Unit
from builder.services.history import LoadedRecord, load_histories
from builder.services.import_existing import Existing, existing
from builder.services.import_names import Names
from builder.services.import_rows import RowImport, Verdict, facts_of, stage_of
from builder.services.records import NewRecord, Refusal
from builder.services.unit_of_work import UnitOfWork

NOT_AN_AMOUNT = N_("“%(value)s” is not an amount.")
OTHER_ROW = N_("Line %(line)s of the same record was refused, and a history with a gap would be wrong.")
LOADED_BEFORE = N_("The history of this record was loaded before.")


@dataclass(frozen=True)
class _Event:
    """One row read: where the record went, when, by whom, what it was worth."""

    entry: LoggedEntry
    user: str


class LogImport(RowImport):
    """Carries out a plan of mode *log*. Field columns take the last filled cell of the record's rows."""

    def __init__(self, uow: UnitOfWork, plan: ImportPlan, columns: Sequence[str]) -> None:
        super().__init__(uow, plan, columns)
        assert plan.history is not None
        self._history: HistoryPlan = plan.history
        self._amount = self.definition.fields.by_role.get("amount")
        self._currency = uow.workspace.currency

    def write_cases(self, group: Sequence[Case]) -> list[Verdict]:
        """Load the histories of some records; the verdicts stand in the order of cases and their rows."""
        self._prepare(group)
        known = existing(self._uow, self._plan.object_key, [case.key for case in group if case.key])
        verdicts: dict[int, list[Verdict]] = {}
        loaded: list[tuple[int, LoadedRecord]] = []
        for position, case in enumerate(group):
            if case.key in known:
                verdicts[position] = self._known(case, known[case.key])
                continue
            outcome = self._read_case(case)
            if isinstance(outcome, LoadedRecord):
                loaded.append((position, outcome))
            else:
                verdicts[position] = outcome
        verdicts.update(self._write_loaded(group, loaded))
        return [verdict for position in range(len(group)) for verdict in verdicts[position]]

    def judge(self, group: Sequence[Case]) -> list[Verdict]:
        """What ``write_cases`` would say, as far as it can be known without writing."""
        known = existing(self._uow, self._plan.object_key, [case.key for case in group if case.key])
        verdicts: list[Verdict] = []
        for case in group:
            outcome = self._read_case(case)
            if case.key in known:
                verdicts += self._known(case, known[case.key])
            elif isinstance(outcome, LoadedRecord):
                verdicts += [Verdict(row.line, "created") for row in case.rows]
            else:
                verdicts += outcome
        return verdicts

    def _known(self, case: Case, stored: Existing) -> list[Verdict]:
        """A history is loaded once."""
        if not stored.is_visible:
            return _all_refused(case.rows, case.rows[0].line, self.hidden())
        return [Verdict(row.line, "unchanged") for row in case.rows]

    def _write_loaded(
        self, group: Sequence[Case], loaded: Sequence[tuple[int, LoadedRecord]]
    ) -> dict[int, list[Verdict]]:
        if not loaded:
            return {}
        assert self.pipeline is not None
        records = [record for _, record in loaded]
        results = load_histories(self._uow, self._plan.object_key, self.pipeline.key, records)
        verdicts: dict[int, list[Verdict]] = {}
        for (position, _), result in zip(loaded, results, strict=True):
            rows = group[position].rows
            if isinstance(result, Refusal):
                verdicts[position] = _all_refused(rows, rows[0].line, self.reason(result))
            else:
                verdicts[position] = [Verdict(row.line, "created") for row in rows]
        return verdicts

    def _prepare(self, group: Sequence[Case]) -> None:
        """Look up what the rows name; whoever acted in the log and is not known is added as a colleague."""
        rows = [row for case in group for row in case.rows if row.problem is None]
        names: Names = self.names
        names.forget_some()
        for column, key in self._plan.fields:
            field = self.definition.fields.targets[key]
            if field.type in ("user", "reference"):
                names.prepare(field, {self.reader.cell(row, column) for row in rows})
        if self._history.user_column is not None:
            users = {self.reader.cell(row, self._history.user_column) for row in rows} - {""}
            names.prepare_members(users, create=self._plan.create_users)

    def _read_case(self, case: Case) -> LoadedRecord | list[Verdict]:
        events: list[_Event] = []
        values: dict[str, Any] = {}
        for row in case.rows:
            read = self.reader.read(row)
            if read.problems:
                return _all_refused(case.rows, row.line, read.problems[0])
            try:
                events.append(self._event(row))
            except FunnelwrightError as error:
                return _all_refused(case.rows, row.line, Problem(error.message_key, "", error.values))
            values.update(read.values)
        return self._record(case, events, values)

    def _event(self, row: Row) -> _Event:
        stage_key = stage_of(self._history.stages, self.reader.cell(row, self._history.stage_column))
        assert self.pipeline is not None
        facts = facts_of(self._amount_of(row), self._currency, self.pipeline.by_key[stage_key].probability)
        at = self.reader.moment(row, self._history.at_column)
        return _Event(LoggedEntry(stage_key, at, facts), self.reader.cell(row, self._history.user_column))

    def _amount_of(self, row: Row) -> int | None:
        column = self._history.amount_column
        text = self.reader.cell(row, column)
        if column is None or not text:
            return None
        shift = Unit.of_code(self._plan.units.get(column, "0:")).shift
        number = read_number(text, self._plan.marks.get(column, "."), shift)
        if number is None:
            raise Invalid(NOT_AN_AMOUNT, value=text[:80])
        return to_minor(number, self._currency)

    def _record(self, case: Case, events: Sequence[_Event], values: dict[str, Any]) -> LoadedRecord:
        amounts = [
            event.entry.facts.amount_minor for event in events if event.entry.facts.amount_minor is not None
        ]
        if amounts and self._amount is not None:
            values.setdefault(self._amount.key, from_minor(amounts[-1], self._currency))
        known = [event.entry.at for event in events if event.entry.at is not None]
        new = NewRecord(
            values,
            external_key=case.key,
            created_at=min(known) if known else self._uow.clock.now(),
            known_ids=self.names.made,
        )
        order = sorted(range(len(events)), key=lambda index: _place_in_time(events, index))
        return LoadedRecord(
            new,
            [events[index].entry for index in order],
            [self._member(events[index].user) for index in order],
        )

    def _member(self, user: str) -> int | None:
        found = self.names.members.find(user) if user else None
        return None if found is None else int(found)


def _place_in_time(events: Sequence[_Event], index: int) -> tuple[float, int]:
    """By time; ties, and rows without a time behind the one before them, follow the file."""
    known = [event.entry.at for event in events[: index + 1] if event.entry.at is not None]
    at = events[index].entry.at or (known[-1] if known else None)
    return (at.timestamp() if at else float("-inf"), index)


def _all_refused(rows: Sequence[Row], line: int, problem: Problem) -> list[Verdict]:
    """The row that is wrong says why; the others of its record say which one that is."""
    other = Problem(OTHER_ROW, "", {"line": line})
    return [Verdict(row.line, "refused", problem if row.line == line else other) for row in rows]
