"""How fast the command line imports a file: values checked, references found by name, history loaded."""

from __future__ import annotations

import csv
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from random import Random

from sqlalchemy import func, select

from builder.db.people import Member
from builder.db.records import Record
from tests.bench import documents as company
from tests.bench.databases import Database
from tests.bench.world import WORKSPACE, histories, work


def imported(database: Database, count: int, folder: Path) -> tuple[float, float]:
    """Rows a second by the clock and by processor time; what a file of one row takes is taken off."""
    with work(database) as uow:
        members = dict(uow.session.execute(select(Member.id, Member.name)).tuples().all())
        accounts = dict(
            uow.session.execute(select(Record.id, Record.name).where(Record.object_key == company.ACCOUNT))
            .tuples()
            .all()
        )
    chance = Random(77)
    items = list(histories(chance, count + 1, list(members), list(accounts), first=10_000_000))
    rows = []
    for item in items:
        row = dict(item.new.values)
        row["is_renewal"] = "yes" if row["is_renewal"] else "no"
        row["is_public"] = "no"
        row["account"] = accounts[int(str(row["account"]))]
        row["holder"] = members[int(str(row["holder"]))]
        first, last = item.entries[0], item.entries[-1]
        closed = last.stage_key in ("won", "lost")
        row |= {"stage_now": last.stage_key, "entered": first.at and first.at.isoformat()}
        row |= {"ended": last.at.isoformat() if closed and last.at else ""}
        rows.append(row)
    small, large = folder / "one.csv", folder / "many.csv"
    for path, part in ((small, rows[:1]), (large, rows[1:])):
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(part)
    before = _count(database)
    base, base_cpu = _run(database, small, folder)
    elapsed, cpu = _run(database, large, folder)
    if _count(database) != before + count + 1:
        raise SystemExit(f"{_count(database) - before} of {count + 1} rows were imported")
    return count / (elapsed - base), count / (cpu - base_cpu)


def _count(database: Database) -> int:
    with work(database) as uow:
        found = uow.session.scalar(
            select(func.count()).select_from(Record).where(Record.object_key == company.OBJECT)
        )
    return int(found or 0)


def _run(database: Database, path: Path, folder: Path) -> tuple[float, float]:
    environment = {
        **os.environ,
        "DATABASE_URL": database.url,
        "DATABASE_OWNER_URL": database.owner_url,
        "FUNNELWRIGHT_DATA": str(folder / "data"),
    }
    command = [sys.executable, "-m", "builder.cli", "import", str(path), "-w", WORKSPACE]
    command += ["--object", company.OBJECT, "--load-history", "--pipeline", company.PIPELINE]
    command += ["--stage", "stage_now", "--at", "entered", "--closed", "ended", "--strict", "--json"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    elapsed, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"import failed: {done.stdout[-2000:]} {done.stderr[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return elapsed, cpu
