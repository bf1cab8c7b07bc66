"""Background exports on DBOS: a worker makes the file, and removes it when its time is over."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from builder.db.exports import ExportJob
from builder.exchange.export_plan import ExportPlan
from builder.jobs.queue import open_queue
from builder.jobs.runner import blob_store
from builder.jobs.tables import migrate
from builder.services import exports
from builder.services.imports import blob_key
from builder.services.records import NewRecord, create_many
from builder.settings import Settings
from tests.factories import World, make_world
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.postgres import APP_ROLE

pytestmark = pytest.mark.usefixtures("own_database")

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60


@pytest.fixture
def settings(database_url: FreshDatabase, settings_for: Callable[..., Settings]) -> Settings:
    made = settings_for(database_url)
    migrate(made.database_owner_url, None if made.is_sqlite else APP_ROLE)
    return made


@pytest.fixture
def worker(settings: Settings) -> Iterator[Callable[[], None]]:
    """Start a worker process, killed at the end."""
    started: list[subprocess.Popen[bytes]] = []
    env = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": settings.database_owner_url,
        "FUNNELWRIGHT_DATA": str(settings.data_folder),
        "SECRET_KEY": settings.secret_key,
    }
    yield lambda: started.append(
        subprocess.Popen([sys.executable, "-m", "builder.cli", "worker"], cwd=ROOT, env=env)
    )
    for process in started:
        process.kill()
        process.wait()


def job_of(world: World, job_id: int) -> ExportJob:
    with world.work() as uow:
        return uow.session.get_one(ExportJob, (uow.workspace.id, job_id))


def waited(holds: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError(f"waited in vain: {what}")


def test_a_worker_makes_the_file_and_removes_it_when_its_time_is_over(
    settings: Settings, worker: Callable[[], None]
) -> None:
    world = make_world(settings.database_url)
    plan = ExportPlan("client", (("title", "Title"),), sort=("title",), file_name="clients")
    with world.work() as uow, open_queue(settings) as queue:
        create_many(uow, "client", [NewRecord({"title": name}) for name in ("Beta", "Acme")])
        uow.commit()
        job_id = exports.queue(uow, plan).id
        queue.enqueue_export(uow.session, uow.workspace.key, job_id, 12.0)
        uow.commit()
        workspace_id = uow.workspace.id
    worker()
    waited(lambda: job_of(world, job_id).status == "done", "the file is made")
    job = job_of(world, job_id)
    assert job.file_id is not None
    blobs = blob_store(settings)
    with blobs.open(blob_key(workspace_id, job.file_id)) as file:
        assert file.read().decode("utf-8-sig").split() == ["Title", "Acme", "Beta"]
    waited(lambda: job_of(world, job_id).file_id is None, "the file is removed")
    waited(
        lambda: not any(path.is_file() for path in settings.data_folder.glob("files/*/*")), "so are its bytes"
    )
    world.engine.dispose()
