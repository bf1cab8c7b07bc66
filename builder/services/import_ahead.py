"""The next rows of an import are made ready in a thread while the ones before them are written.

Whoever writes waits for the database, which does its work outside of the interpreter, so that both together
take little longer than the longer of them. A thread and no process: nothing has to be shipped to it, it sees
what the import sees, and it ends with it; what it made ready and nobody wrote is nowhere.
"""

from __future__ import annotations

from collections.abc import Container, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count, islice

from builder.exchange.csv import Row, Table
from builder.exchange.plan import ImportPlan
from builder.exchange.values import UNKNOWN_NAME, ReadRow
from builder.services.import_rows import ReadyRows, RowImport
from builder.services.numbers import number_fields
from builder.services.unit_of_work import UnitOfWork


def batches_of(
    uow: UnitOfWork, plan: ImportPlan, table: Table, size: int, done: Container[int]
) -> Generator[tuple[list[Row], ReadyRows | None]]:
    """The rows of a file, ``size`` at a time, made ready where that can be done before others are written.

    ``done``: the numbers of batches that nobody will write. Errors: Forbidden.
    """
    rows = table.rows()
    if not _is_independent(uow, plan):
        while batch := list(islice(rows, size)):
            yield batch, None
        return
    with uow.beside() as reading, ThreadPoolExecutor(1, "import-ahead") as thread:
        ahead = _Ahead(reading, plan, table)

        def following(number: int) -> tuple[list[Row], ReadyRows | None]:
            batch = list(islice(rows, size))
            return batch, ahead.make_ready(batch) if batch and number not in done else None

        coming = thread.submit(following, 0)
        for number in count(1):
            batch, ready = coming.result()
            if not batch:
                return
            coming = thread.submit(following, number)
            yield batch, ready
            del batch, ready


class _Ahead:
    """Makes rows ready that name nothing but what is there: what is missing is made when it is their turn."""

    def __init__(self, uow: UnitOfWork, plan: ImportPlan, table: Table) -> None:
        self._uow = uow
        self._plan = replace(plan, create_users=False, create_references=False)
        self._makes_names = plan.create_users or plan.create_references
        self._columns = table.columns
        self._importing: RowImport | None = None

    def make_ready(self, rows: list[Row]) -> ReadyRows | None:
        """``None`` where names must be made first. Errors: Forbidden."""
        if self._importing is None:
            self._importing = RowImport(self._uow, self._plan, self._columns)
        ready = self._importing.make_ready(rows)
        if not self._makes_names or not any(map(_names_unknown, ready.read)):
            return ready
        # They are made soon; then all names are read anew.
        self._importing = None
        return None


def _names_unknown(item: ReadRow) -> bool:
    return any(problem.message == UNKNOWN_NAME for problem in item.problems)


def _is_independent(uow: UnitOfWork, plan: ImportPlan) -> bool:
    """Whether rows read the same before and after those in front of them are written.

    Not where rows name records that other rows make, and where records take the next number of a counter.
    That a key comes again is seen when its row is written.
    """
    definition = uow.shown.object(plan.object_key)
    named = (definition.fields.targets.get(key) for _, key in plan.fields)
    return not (
        number_fields(uow.catalog.object(plan.object_key))
        or any(
            field is not None and field.type == "reference" and field.params["target"] == plan.object_key
            for field in named
        )
    )
