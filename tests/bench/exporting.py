"""How fast records become a file: all that everybody sees, and what one rep sees of it."""

from __future__ import annotations

import tempfile
import time
from typing import BinaryIO, cast

from builder.exchange.export_plan import ExportPlan, Format
from builder.services import exports
from tests.bench import documents as company
from tests.bench.databases import Database
from tests.bench.world import work

COLUMNS = 10


def exported(database: Database, kind: Format, *, is_exact: bool = False) -> tuple[int, float, float]:
    """How many rows of ten columns were written, and rows a second by the clock and by processor time."""
    with work(database) as uow, tempfile.TemporaryFile() as file:
        fields = uow.catalog.object(company.OBJECT).fields
        columns = tuple((field.key, field.key) for field in fields)[:COLUMNS]
        plan = ExportPlan(company.OBJECT, columns, format=kind, is_exact=is_exact)
        began, began_cpu = time.perf_counter(), time.process_time()
        rows = exports.write(uow, plan, cast(BinaryIO, file))
        elapsed, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    return rows, rows / elapsed, rows / cpu
