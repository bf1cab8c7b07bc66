"""What many rows ask for: an import of contacts and its memory, the search for duplicates, the import undone.

Contacts of the pack *b2b* in a database of their own, by key, with e-mail addresses and telephone numbers that
are judged; one in twenty looks like an earlier one.
"""

from __future__ import annotations

import csv
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import NamedTuple

from sqlalchemy import select

from builder.clock import SystemClock
from builder.db.engine import make_engine
from builder.db.imports import ImportJob
from builder.db.tenancy import WorkspaceSession
from builder.metadata.packs import load, locate
from builder.services import duplicate_search, import_undo, maintenance, packs, workspaces
from builder.services.unit_of_work import UnitOfWork
from tests.bench.databases import Database, PostgresDatabases, SqliteFiles

WORKSPACE = "volume"
FIRST = (
    "Anna",
    "Ben",
    "Carla",
    "David",
    "Eva",
    "Felix",
    "Gina",
    "Hans",
    "Ida",
    "Jan",
    "Karla",
    "Leon",
    "Maria",
)
SYLLABLES = (
    "ber",
    "ling",
    "mann",
    "stein",
    "bach",
    "wald",
    "feld",
    "hof",
    "roth",
    "schmi",
    "mei",
    "sau",
    "kel",
)
CHINESE = ("王", "李", "张", "刘", "陈", "杨", "黄", "赵"), ("国", "建", "文", "明", "志", "海", "伟", "芳")
COMPANIES = 2_000
SAME_AGAIN = 0.05


class Taken(NamedTuple):
    """What a part took: seconds by the clock and of the processor; ``megabytes``: the most that its process
    held of its own.
    """

    elapsed: float
    cpu: float
    megabytes: float = 0.0


class Figures(NamedTuple):
    """``base``: an import of one row, which is what starting and ending one takes."""

    base: Taken
    imported: Taken
    searched: Taken
    pairs: int
    undone: Taken


def volume_figures(store: SqliteFiles | PostgresDatabases, folder: Path, rows: int) -> Figures:
    """Import, search and undo ``rows`` contacts. Exits when one of them is not what it should be."""
    database = store.make(f"fw_volume_{os.getpid()}")
    try:
        with closing(WorkspaceSession(make_engine(database.url), expire_on_commit=False)) as session:
            facts = workspaces.WorkspaceFacts(WORKSPACE, time_zone="Asia/Shanghai", currency="CNY")
            uow = workspaces.create(session, SystemClock(), facts)
            packs.install(uow, load(locate("b2b")))
            uow.commit()
        small, large = _files(folder, rows)
        base, imported = _imported(database, small, folder), _imported(database, large, folder)
        # As PostgreSQL does by itself within a minute: without statistics it takes any index that begins with
        # the workspace.
        store.settle(database.name)
        with closing(WorkspaceSession(make_engine(database.url), expire_on_commit=False)) as session:
            uow = workspaces.open_workspace(session, SystemClock(), WORKSPACE)
            searched, pairs = _searched(uow)
            undone = _undone(uow, rows)
            if not (report := maintenance.verify(uow)).is_clean:
                raise SystemExit(f"not sound after undoing: {report.differences} {report.examples}")
        return Figures(base, imported, searched, pairs, undone)
    finally:
        store.drop(database.name)


def _searched(uow: UnitOfWork) -> tuple[Taken, int]:
    search_id = duplicate_search.ask(uow, "contact")
    uow.commit()
    taken = _timed(lambda: duplicate_search.run_as_asker(uow, search_id))
    found = uow.session.get(duplicate_search.DuplicateSearch, (uow.workspace.id, search_id))
    if found is None or not found.found_pairs:
        raise SystemExit("no pair of contacts looks alike")
    return taken, found.found_pairs


def _undone(uow: UnitOfWork, rows: int) -> Taken:
    job = uow.session.scalars(select(ImportJob).order_by(ImportJob.id.desc())).first()
    assert job is not None
    import_undo.begin_undo(uow, job)
    uow.commit()
    taken = _timed(lambda: import_undo.undo(uow, job.id))
    uow.session.refresh(job)
    if job.removed_records != rows:
        raise SystemExit(f"{job.removed_records} of {rows} contacts were taken away")
    return taken


def _timed(work: Callable[[], object]) -> Taken:
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return Taken(time.perf_counter() - began, time.process_time() - cpu)


def _files(folder: Path, rows: int) -> tuple[Path, Path]:
    """A file of one contact and one of ``rows``."""
    chance = Random(11)
    found: list[list[str]] = []
    for number in range(rows + 1):
        if found and chance.random() < SAME_AGAIN:
            name, _, mobile, title = chance.choice(found)[1:]
            found.append([f"C{number}", name.upper(), f"other{number}@example.org", mobile, title])
            continue
        mail = f"p{number}@firm{chance.randrange(COMPANIES)}.example.com"
        found.append([f"C{number}", _name(chance), mail, f"+86138{chance.randrange(10**8):08}", "CEO"])
    paths = folder / "contact.csv", folder / "contacts.csv"
    for path, part in zip(paths, (found[:1], found[1:]), strict=True):
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["contact_id", "name", "email", "mobile", "job_title"])
            writer.writerows(part)
    return paths


def _name(chance: Random) -> str:
    if chance.random() < 0.3:
        return chance.choice(CHINESE[0]) + "".join(chance.choices(CHINESE[1], k=2))
    return f"{chance.choice(FIRST)} {''.join(chance.choices(SYLLABLES, k=3)).title()}"


def _imported(database: Database, path: Path, folder: Path) -> Taken:
    environment = {
        **os.environ,
        "DATABASE_URL": database.url,
        "DATABASE_OWNER_URL": database.owner_url,
        "FUNNELWRIGHT_DATA": str(folder / "data"),
    }
    command = [sys.executable, "-m", "builder.cli", "import", str(path), "-w", WORKSPACE]
    command += ["--object", "contact", "--key", "contact_id", "--strict", "--json"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        held = [0.0]
        watch = threading.Thread(target=_watch, args=(process, held))
        watch.start()
        told, _ = process.communicate()
        watch.join()
    elapsed, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"import failed: {told[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(elapsed, cpu, max(held))


def _watch(process: subprocess.Popen[str], held: list[float]) -> None:
    """Note what the process holds of its own; pages of files that it maps belong to the system."""
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        try:
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except FileNotFoundError:
            return
        held.append(int(lines.get("RssAnon", "0 kB").split()[0]) / 1024)
        time.sleep(0.2)
