"""Background imports on DBOS: a killed worker is taken over, and no row is lost or doubled."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from builder.db.imports import ImportJob
from builder.db.records import Record
from builder.exchange.profile import profile
from builder.jobs.queue import open_queue
from builder.jobs.runner import blob_store
from builder.jobs.tables import migrate
from builder.services import import_set_objects, import_sets, imports
from builder.services.import_choices import Choices
from builder.services.import_setup import carry_out, plan_import
from builder.services.maintenance import verify
from builder.settings import Settings
from tests.factories import World, make_world
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.postgres import APP_ROLE

pytestmark = pytest.mark.usefixtures("own_database")

ROOT = Path(__file__).resolve().parents[3]
ROWS = 2_500
PATIENCE = 240


@pytest.fixture
def settings(database_url: FreshDatabase, settings_for: Callable[..., Settings]) -> Settings:
    made = settings_for(database_url)
    migrate(made.database_owner_url, None if made.is_sqlite else APP_ROLE)
    return made


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    made = make_world(settings.database_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def workers(settings: Settings) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start a worker process; those that still live are killed at the end."""
    started: list[subprocess.Popen[bytes]] = []
    env = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": settings.database_owner_url,
        "FUNNELWRIGHT_DATA": str(settings.data_folder),
        "SECRET_KEY": settings.secret_key,
    }

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "builder.cli", "worker"], cwd=ROOT, env=env, stderr=subprocess.PIPE
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def enqueue(world: World, settings: Settings, rows: int, *, commit: bool = True) -> int:
    text = "ref,title,worth,client\n" + "".join(
        f"R{n},Title {n},{n}.50,Client {n % 40}\n" for n in range(rows)
    )
    blobs = blob_store(settings)
    with world.work() as uow, open_queue(settings) as queue:
        job = imports.receive(uow, blobs, io.BytesIO(text.encode()), "file.csv", "matter")
        with imports.OpenFile(blobs, job) as table:
            columns = profile(table)
        choices = Choices(key_column="ref", create_references=True, entry_pipeline="free")
        proposal = plan_import(uow, columns, imports.format_of(job), "matter", choices)
        imports.set_plan(uow, job, carry_out(uow, proposal), columns.rows)
        imports.queue(uow, job)
        queue.enqueue_import(uow.session, uow.workspace.key, job.id)
        if commit:
            uow.commit()
        else:
            uow.rollback()
        return job.id


def wait_for(world: World, job_id: int, holds: Callable[[Any], bool]) -> Any:
    """The job's figures as soon as they are so."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        with world.work() as uow:
            row = uow.session.execute(
                select(ImportJob.status, ImportJob.done_rows, ImportJob.created_rows, ImportJob.problem)
                .where(ImportJob.id == job_id)
            ).one()  # fmt: skip
        if holds(row):
            return row
        time.sleep(0.05)
    raise AssertionError(f"waited in vain: {row}")


@pytest.mark.slow
def test_an_import_whose_worker_was_killed_is_finished_by_the_next_one(
    world: World, settings: Settings, workers: Callable[[], subprocess.Popen[bytes]]
) -> None:
    job_id = enqueue(world, settings, ROWS)
    first = workers()
    wait_for(world, job_id, lambda job: job.done_rows >= 500)
    first.send_signal(signal.SIGKILL)
    first.wait()
    with world.work() as uow:
        status, done = uow.session.execute(
            select(ImportJob.status, ImportJob.done_rows).where(ImportJob.id == job_id)
        ).one()
    assert status == "running"
    assert done < ROWS
    workers()
    end = wait_for(world, job_id, lambda job: job.status not in ("queued", "running"))
    assert (end.status, end.done_rows, end.created_rows, end.problem) == ("done", ROWS, ROWS, None)
    with world.work() as uow:
        grouped = select(Record.object_key, func.count()).group_by(Record.object_key)
        counts = {row[0]: row[1] for row in uow.session.execute(grouped)}
        keys = uow.session.scalar(select(func.count(Record.external_key.distinct())))
        assert counts == {"matter": ROWS, "client": 40}
        assert keys == ROWS
        assert not verify(uow).differences


def test_work_that_was_rolled_back_is_never_begun(
    world: World, settings: Settings, workers: Callable[[], subprocess.Popen[bytes]]
) -> None:
    enqueue(world, settings, 5, commit=False)
    job_id = enqueue(world, settings, 7)
    workers()
    wait_for(world, job_id, lambda job: job.status == "done")
    with world.work() as uow:
        assert uow.session.scalar(select(func.count()).where(Record.object_key == "matter")) == 7


def test_one_process_only_runs_the_jobs_of_a_sqlite_database(
    sqlite_database: FreshDatabase, settings_for: Callable[..., Settings]
) -> None:
    from builder.db.locks import lock_file
    from builder.jobs.runner import LOCK_FILE, JobRunner

    settings = settings_for(sqlite_database)
    held = lock_file(settings.data_folder / LOCK_FILE)
    assert held is not None
    assert JobRunner(settings).start() is False
    held.release()
    again = lock_file(settings.data_folder / LOCK_FILE)
    assert again is not None
    again.release()


def test_files_that_were_brought_together_run_one_after_another(
    world: World, settings: Settings, workers: Callable[[], subprocess.Popen[bytes]]
) -> None:
    blobs = blob_store(settings)
    files = {
        "matters.csv": "ID,Title,Client\nM1,First,K2\nM2,Second,K1\n",
        "clients.csv": "ID,Name\nK1,Acme\nK2,Beta\n",
    }
    with world.work() as uow, open_queue(settings) as queue:
        jobs = []
        for name, text in files.items():
            job = imports.receive(uow, blobs, io.BytesIO(text.encode()), name, "matter")
            import_set_objects.set_object(
                uow, job, import_set_objects.likely_object(uow, imports.column_profile(blobs, job), name)
            )
            jobs.append(job)
        import_sets.bind(uow, jobs)
        started = import_sets.start(uow, blobs, jobs)
        queue.enqueue_import(uow.session, uow.workspace.key, started[0].id)
        uow.commit()
        ids = [job.id for job in started]
    workers()
    done = [
        wait_for(world, job_id, lambda row: row.status in ("done", "failed", "cancelled")) for job_id in ids
    ]
    assert [(row.status, row.created_rows) for row in done] == [("done", 2), ("done", 2)]
