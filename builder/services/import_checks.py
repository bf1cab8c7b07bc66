"""The dry run: every row of a file judged as the import would judge it, and nothing written.

Fields and pipelines that are not published yet are compiled for the check only; people and records that the
import would create count as known. What depends on the state of a pipeline (the gate of the first stage) is
judged by the import itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, TypeAlias

from builder.db.imports import ImportJob
from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.domain.pipeline import Pipeline
from builder.errors import FunnelwrightError, Problem
from builder.exchange.blobs import BlobStore
from builder.exchange.cases import cases
from builder.exchange.csv import Row, Table
from builder.exchange.plan import ImportPlan
from builder.exchange.results import RefusedRow
from builder.exchange.values import ReadRow
from builder.metadata.compiler import compiled
from builder.services.batches import plain_values
from builder.services.import_existing import Existing
from builder.services.import_log import LogImport
from builder.services.import_rows import RowImport, prepare_names
from builder.services.imports import OpenFile
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import NO_MEMBER, NO_RECORD, Draft, check, problem_of

LISTED = 200
_CHUNK = 500
# Stands for a record or member that the import would create.
PROMISED = "9223372036854775807"
# Of each object: whether another file that is imported with this one brings a record of that key or name.
Promises: TypeAlias = Mapping[str, Callable[[str], bool]]


@dataclass
class Report:
    """What an import would do. ``refusals``: the first ones, in file order; ``cases``: records of a log."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    cases: int = 0
    refusals: list[RefusedRow] = field(default_factory=list)

    def refuse(self, line: int, problem: Problem) -> None:
        self.refused += 1
        if len(self.refusals) < LISTED:
            self.refusals.append(RefusedRow(line, problem.place, problem.message, plain_values(problem)))


@dataclass(frozen=True)
class Sample:
    """The first rows under the fields that they will fill: column, field label, then cells by row."""

    columns: tuple[tuple[str, Any], ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def preview(uow: UnitOfWork, blobs: BlobStore, job: ImportJob, rows: int = 8) -> Sample:
    """The beginning of a planned job's file."""
    plan = ImportPlan.from_document(job.options["plan"])
    fields = with_unpublished(uow, job.options.get("unpublished", {})).shown.object(plan.object_key).fields
    with OpenFile(blobs, job, plan.format) as table:
        places = [table.columns.index(column) for column, _ in plan.fields]
        first = list(islice(table.rows(), rows))
    return Sample(
        tuple((column, fields.targets[key].label) for column, key in plan.fields),
        tuple((row.line, tuple(row.cells[place][:80] for place in places)) for row in first),
    )


def check_file(
    uow: UnitOfWork,
    blobs: BlobStore,
    job: ImportJob,
    limit: int | None = None,
    promises: Promises | None = None,
) -> Report:
    """Judge the rows of a planned job, at most the first ``limit`` of them.

    Errors: Forbidden, Invalid for a plan that does not fit the file.
    """
    plan = ImportPlan.from_document(job.options["plan"])
    return check_plan(uow, blobs, job, plan, job.options.get("unpublished", {}), limit, promises)


def check_plan(
    uow: UnitOfWork,
    blobs: BlobStore,
    job: ImportJob,
    plan: ImportPlan,
    unpublished: Mapping[str, Any],
    limit: int | None = None,
    promises: Promises | None = None,
    seen: set[str] | None = None,
) -> Report:
    """As ``check_file`` for a plan that is not kept yet. ``seen``: keys that rows before these bring; those
    of this file are added.
    """
    uow.require("import")
    work = with_unpublished(uow, unpublished)
    report = Report()
    with OpenFile(blobs, job, plan.format) as table:
        if plan.mode == "log":
            _check_log(work, plan, table, report, set() if seen is None else seen)
        else:
            checking = RowCheck(work, plan, table.columns, promises)
            _check_rows(checking, work, table, report, limit, set() if seen is None else seen)
    return report


def with_unpublished(uow: UnitOfWork, documents: Mapping[str, Any]) -> UnitOfWork:
    """The unit of work with definitions as they would be once published. It must not write."""
    objects, pipelines = dict(uow.catalog.objects), dict(uow.catalog.pipelines)
    for document in documents.values():
        definition = compiled(document)
        if isinstance(definition, ObjectDefinition):
            objects[definition.key] = definition
        elif isinstance(definition, Pipeline):
            pipelines[definition.key] = definition
    catalog = replace(uow.catalog, objects=objects, pipelines=pipelines)
    return UnitOfWork(uow.session, uow.workspace, uow.actor, catalog, uow.clock, uow.request_id)


class RowCheck(RowImport):
    """Reads rows as the import does; what it would create is promised."""

    def __init__(
        self, uow: UnitOfWork, plan: ImportPlan, columns: Sequence[str], promises: Promises | None = None
    ) -> None:
        self.plan = plan
        self._promises = promises or {}
        super().__init__(uow, replace(plan, create_users=False, create_references=False), columns)
        self.reader.resolve = self._resolve
        self.session = uow.session

    def _resolve(self, wanted: FieldDefinition, text: str) -> str | None:
        found = self.names.resolve(wanted, text)
        can_create = self.plan.create_users if wanted.type == "user" else self.plan.create_references
        return PROMISED if found is None and (can_create or self._is_brought(wanted, text)) else found

    def _is_brought(self, wanted: FieldDefinition, text: str) -> bool:
        """Whether another file of the same set brings what is named."""
        brings = self._promises.get(str(wanted.params.get("target", "")))
        return brings is not None and brings(text)

    def told_by(self, item: ReadRow) -> set[str]:
        """By what rows after this one mean its record: other files by its key, this one by ``identity``."""
        return {text for text in (item.key, self.identity(item)) if item.key is not None and text is not None}

    def comes_again(self, item: ReadRow, seen: set[str]) -> bool:
        """Whether rows before this one bring its record."""
        return not seen.isdisjoint(self.told_by(item))

    def read(self, rows: Sequence[Row]) -> list[ReadRow]:
        prepare_names(self._plan, self.definition.fields, self.reader, self.names, rows)
        return [self.reader.read(row) for row in rows]

    def first_fault(
        self, item: ReadRow, stored: Existing | None, faults: Sequence[Any], *, is_brought: bool = False
    ) -> Problem | None:
        """The first reason against a row whose values were checked; ``is_brought``: rows before it bring its
        record, whose history it does not tell any more.
        """
        real = [fault for fault in faults if not _is_promised(fault, item)]
        if real:
            return self.named(problem_of(real[0]))
        if self.pipeline is None:
            return None
        try:
            if stored is None and is_brought:
                self.stage_key(item.row)
            elif stored is None:
                self.visits(item)
            elif stored.stage_key is not None:
                self.same_stage(item, stored.stage_key)
        except FunnelwrightError as error:
            place = self._plan.history.stage_column if self._plan.history else ""
            return Problem(error.message_key, place, error.values)
        return None


def _is_promised(fault: Any, item: ReadRow) -> bool:
    return fault.message_key in (NO_RECORD, NO_MEMBER) and item.values.get(fault.field) == PROMISED


def _check_rows(
    checking: RowCheck, uow: UnitOfWork, table: Table, report: Report, limit: int | None, seen: set[str]
) -> None:
    plan = checking.plan
    stream = islice(table.rows(), limit)
    while rows := list(islice(stream, _CHUNK)):
        read = checking.read(rows)
        known = checking.stored(read)
        good = [item for item in read if not item.problems]
        drafts = [_draft(item, known.get(item.key or "")) for item in good]
        outcomes = dict(zip(map(id, good), check(uow, checking.definition, drafts), strict=True))
        for item in read:
            report.rows += 1
            stored = known.get(item.key or "")
            is_brought = checking.comes_again(item, seen)
            # A record that must not change is not judged by values that it will not get.
            is_left = plan.known_rows != "change" and (stored is not None or is_brought)
            faults = outcomes[id(item)].faults if id(item) in outcomes and not is_left else ()
            problem = (
                item.problems[0]
                if item.problems
                else checking.first_fault(item, stored, faults, is_brought=is_brought)
            )
            if stored is not None and not stored.is_visible:
                problem = checking.hidden()
            elif stored is not None and stored.is_one_of_several:
                problem = checking.several()
            elif is_left and not item.problems:
                problem = checking.known() if plan.known_rows == "refuse" else None
            if problem is not None:
                report.refuse(item.row.line, problem)
                continue
            _count(checking, report, item, stored, is_brought=is_brought)
            seen |= checking.told_by(item)


def _draft(item: ReadRow, stored: Existing | None) -> Draft:
    return Draft({} if stored is None else stored.data, item.values)


def _count(
    checking: RowCheck, report: Report, item: ReadRow, stored: Existing | None, *, is_brought: bool
) -> None:
    if stored is None and not is_brought:
        report.created += 1
    elif checking.plan.known_rows == "leave" or (stored is not None and not checking.changes(item, stored)):
        report.unchanged += 1
    else:
        report.updated += 1


def _check_log(uow: UnitOfWork, plan: ImportPlan, table: Table, report: Report, seen: set[str]) -> None:
    checking = LogImport(uow, replace(plan, create_users=False, create_references=False), table.columns)
    found = cases(table.rows(), table.columns.index(plan.key_column or ""))
    while some := list(islice(found, _CHUNK)):
        report.cases += len(some)
        seen.update(case.key for case in some if case.key)
        for verdict in checking.judge(some):
            report.rows += 1
            if verdict.reason is not None:
                report.refuse(verdict.line, verdict.reason)
            elif verdict.status == "unchanged":
                report.unchanged += 1
            else:
                report.created += 1
