"""The process that runs jobs: inside the one web process on SQLite, in workers of their own on PostgreSQL.

An executor's name is unique among the living, because its holder keeps a lock of that name, and stable over
restarts, because the first free number is taken. DBOS resumes the jobs of its own name at launch; a sweep
hands on the jobs of names that nobody holds any more.
"""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import structlog
from dbos import DBOS

from builder.db.engine import make_engine
from builder.db.locks import HeldLock, advisory_lock, is_free, lock_file
from builder.errors import N_, Unavailable
from builder.exchange.blobs import FolderBlobStore
from builder.jobs import bulk, counting, duplicates, exports, handovers, imports, mails, migrations, samples
from builder.jobs.names import (
    BULK_QUEUE,
    DUPLICATES_QUEUE,
    EXPORTS_QUEUE,
    HANDOVERS_QUEUE,
    IMPORTS_QUEUE,
    MAILS_QUEUE,
    MIGRATIONS_QUEUE,
    SAMPLES_QUEUE,
    VERSION,
    config,
)
from builder.settings import Settings

_log = structlog.get_logger("funnelwright.jobs")
SWEEP_SECONDS = 15.0
MOST_WORKERS_A_HOST = 64
TOO_MANY = N_("There are %(limit)s workers on this machine already.")
LOCK_FILE = "jobs.lock"


class JobRunner:
    """Runs jobs from ``start`` until ``stop``. One per process, made after the fork."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engine: Any = None
        self._lock: HeldLock | None = None
        self._ended = threading.Event()
        self.executor_id = ""

    def start(self) -> bool:
        """Launch; false when another process runs the jobs of this SQLite database already."""
        self._engine = make_engine(self._settings.database_url)
        if not self._take_name():
            self._engine.dispose()
            return False
        house = imports.system_house(self._engine, blob_store(self._settings))
        imports.settle_in(house)
        exports.settle_in(house)
        handovers.settle_in(house)
        migrations.settle_in(house)
        counting.settle_in(house)
        bulk.settle_in(house)
        duplicates.settle_in(house)
        samples.settle_in(house)
        mails.settle_in(self._settings)
        DBOS(config=config(self._settings, self.executor_id, run_migrations=self._settings.is_sqlite))
        DBOS.launch()
        # On SQLite two writers only wait for each other.
        DBOS.register_queue(
            IMPORTS_QUEUE, worker_concurrency=1 if self._settings.is_sqlite else 2, polling_interval_sec=1.0
        )
        # One at a time: whoever waits for an export waits less than those whose pages it would slow down.
        for queue in (
            EXPORTS_QUEUE,
            HANDOVERS_QUEUE,
            MIGRATIONS_QUEUE,
            BULK_QUEUE,
            DUPLICATES_QUEUE,
            SAMPLES_QUEUE,
            MAILS_QUEUE,
        ):
            DBOS.register_queue(queue, worker_concurrency=1, polling_interval_sec=1.0)
        if not self._settings.is_sqlite:
            threading.Thread(target=self._sweep, name="job-sweep", daemon=True).start()
        _log.info("jobs run here", executor=self.executor_id)
        return True

    def stop(self) -> None:
        """End after the running batches; what is unfinished goes on at the next start."""
        self._ended.set()
        DBOS.destroy(workflow_completion_timeout_sec=0)
        if self._lock is not None:
            self._lock.release()
        self._engine.dispose()

    def _take_name(self) -> bool:
        if self._settings.is_sqlite:
            self.executor_id = "local"
            self._lock = lock_file(self._settings.data_folder / LOCK_FILE)
            return self._lock is not None
        host = socket.gethostname()[:100]
        for number in range(1, MOST_WORKERS_A_HOST + 1):
            name = f"{host}-{number}"
            self._lock = advisory_lock(self._engine, name)
            if self._lock is not None:
                self.executor_id = name
                return True
        raise Unavailable(TOO_MANY, limit=MOST_WORKERS_A_HOST)

    def _sweep(self) -> None:
        """Hand on the unfinished jobs of workers that are gone."""
        while not self._ended.wait(SWEEP_SECONDS):
            self.sweep_once()

    def sweep_once(self) -> list[str]:
        """The executors whose jobs were handed on."""
        pending = DBOS.list_workflows(
            status="PENDING", app_version=VERSION, load_input=False, load_output=False
        )
        names = {workflow.executor_id for workflow in pending if workflow.executor_id}
        gone = [name for name in sorted(names - {self.executor_id}) if is_free(self._engine, name)]
        if gone:
            DBOS._recover_pending_workflows(gone)
            _log.warning("jobs of workers that are gone are resumed", executors=gone)
        return gone


def blob_store(settings: Settings) -> FolderBlobStore:
    """Where files of this installation are: a folder below FUNNELWRIGHT_DATA."""
    return FolderBlobStore(Path(settings.data_folder) / "files")
