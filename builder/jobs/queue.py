"""Handing work to the background, in the transaction of what it is about: both are there or neither."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from builder.db.ids import new_id
from builder.exchange.mail import Mail, sealed
from builder.jobs.names import (
    APPLICATION,
    BULK_QUEUE,
    BULK_UNDO_WORKFLOW,
    BULK_WORKFLOW,
    COUNTING_WORKFLOW,
    DUPLICATES_QUEUE,
    DUPLICATES_WORKFLOW,
    EXPIRY_WORKFLOW,
    EXPORT_WORKFLOW,
    EXPORTS_QUEUE,
    HANDOVER_WORKFLOW,
    HANDOVERS_QUEUE,
    IMPORT_WORKFLOW,
    IMPORTS_QUEUE,
    MAIL_WORKFLOW,
    MAILS_QUEUE,
    MIGRATION_WORKFLOW,
    MIGRATIONS_QUEUE,
    SAMPLE_WORKFLOW,
    SAMPLES_QUEUE,
    SCHEMA,
    UNDO_WORKFLOW,
    VERSION,
)
from builder.settings import Settings

if TYPE_CHECKING:
    from dbos import DBOSClient, EnqueueOptions

    from builder.db.tenancy import WorkspaceSession


class JobQueue:
    """A client of DBOS, made when first needed: most web processes never enqueue anything."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._client: DBOSClient | None = None

    def enqueue_import(
        self, session: WorkspaceSession, workspace_key: str, job_id: int, *, again: bool = False
    ) -> None:
        """Let a worker carry out the import once the running transaction commits.

        The workflow's id is the job's, so a job that is enqueued twice runs once; ``again``: one that was
        stopped goes on.
        """
        self._connected().enqueue_in_transaction(
            session,
            {
                "queue_name": IMPORTS_QUEUE,
                "workflow_name": IMPORT_WORKFLOW,
                "workflow_id": f"import-{job_id}-{new_id()}" if again else f"import-{job_id}",
                "app_version": VERSION,
            },
            workspace_key,
            job_id,
        )

    def enqueue_undo(self, session: WorkspaceSession, workspace_key: str, job_id: int) -> None:
        """Let a worker undo the import once the running transaction, which has marked it so, commits."""
        self._connected().enqueue_in_transaction(
            session,
            {
                "queue_name": IMPORTS_QUEUE,
                "workflow_name": UNDO_WORKFLOW,
                # One that could not go on may be asked for again.
                "workflow_id": f"{UNDO_WORKFLOW}-{job_id}-{new_id()}",
                "app_version": VERSION,
            },
            workspace_key,
            job_id,
        )

    def enqueue_export(
        self, session: WorkspaceSession, workspace_key: str, job_id: int, kept_seconds: float
    ) -> None:
        """Let a worker carry out the export, and remove its file after ``kept_seconds``."""
        for workflow, delay in ((EXPORT_WORKFLOW, None), (EXPIRY_WORKFLOW, kept_seconds)):
            options: EnqueueOptions = {
                "queue_name": EXPORTS_QUEUE,
                "workflow_name": workflow,
                "workflow_id": f"{workflow}-{job_id}",
                "app_version": VERSION,
            }
            if delay is not None:
                options["delay_seconds"] = delay
            self._connected().enqueue_in_transaction(session, options, workspace_key, job_id)

    def enqueue_handover(
        self, session: WorkspaceSession, workspace_key: str, member_id: int, actor_id: int
    ) -> None:
        """Let a worker hand over what a member owns, as ``actor_id``, who asked for it."""
        self._connected().enqueue_in_transaction(
            session,
            {
                "queue_name": HANDOVERS_QUEUE,
                "workflow_name": HANDOVER_WORKFLOW,
                "workflow_id": f"{HANDOVER_WORKFLOW}-{member_id}-{new_id()}",
                "app_version": VERSION,
            },
            workspace_key,
            member_id,
            actor_id,
        )

    def enqueue_migration(
        self,
        session: WorkspaceSession,
        workspace_key: str,
        pipeline_key: str,
        version_id: int,
        mapping: dict[str, str],
        actor_id: int,
    ) -> None:
        """Let a worker bring open records to that version, from stages that are gone as ``mapping`` says."""
        self._connected().enqueue_in_transaction(
            session,
            {
                "queue_name": MIGRATIONS_QUEUE,
                "workflow_name": MIGRATION_WORKFLOW,
                "workflow_id": f"{MIGRATION_WORKFLOW}-{version_id}-{new_id()}",
                "app_version": VERSION,
            },
            workspace_key,
            pipeline_key,
            version_id,
            mapping,
            actor_id,
        )

    def enqueue_counting(self, session: WorkspaceSession, workspace_key: str, pipeline_key: str) -> None:
        """Let a worker count a pipeline anew, once the running transaction commits."""
        self._connected().enqueue_in_transaction(
            session,
            {
                "queue_name": MIGRATIONS_QUEUE,
                "workflow_name": COUNTING_WORKFLOW,
                "workflow_id": f"{COUNTING_WORKFLOW}-{new_id()}",
                "app_version": VERSION,
            },
            workspace_key,
            pipeline_key,
        )

    def enqueue_sample(self, session: WorkspaceSession, workspace_key: str, order_id: int) -> None:
        """Let a worker make the sample company of an order, once the running transaction commits."""
        self._connected().enqueue_in_transaction(
            session,
            {
                "queue_name": SAMPLES_QUEUE,
                "workflow_name": SAMPLE_WORKFLOW,
                "workflow_id": f"{SAMPLE_WORKFLOW}-{order_id}",
                "app_version": VERSION,
            },
            workspace_key,
            order_id,
        )

    def enqueue_bulk(self, session: WorkspaceSession, workspace_key: str, batch_id: int) -> None:
        """Let a worker do what stands in the plan of the batch, once the running transaction commits."""
        self._enqueue_batch(session, BULK_WORKFLOW, f"{BULK_WORKFLOW}-{batch_id}", workspace_key, batch_id)

    def enqueue_bulk_undo(self, session: WorkspaceSession, workspace_key: str, batch_id: int) -> None:
        """Let a worker undo the batch once the running transaction, which has marked it so, commits."""
        # One that could not go on may be asked for again.
        name = f"{BULK_UNDO_WORKFLOW}-{batch_id}-{new_id()}"
        self._enqueue_batch(session, BULK_UNDO_WORKFLOW, name, workspace_key, batch_id)

    def _enqueue_batch(
        self, session: WorkspaceSession, workflow: str, workflow_id: str, workspace_key: str, batch_id: int
    ) -> None:
        self._connected().enqueue_in_transaction(
            session,
            {
                "queue_name": BULK_QUEUE,
                "workflow_name": workflow,
                "workflow_id": workflow_id,
                "app_version": VERSION,
            },
            workspace_key,
            batch_id,
        )

    def enqueue_duplicates(self, session: WorkspaceSession, workspace_key: str, search_id: int) -> None:
        """Let a worker search for duplicates once the running transaction commits."""
        self._connected().enqueue_in_transaction(
            session,
            {
                "queue_name": DUPLICATES_QUEUE,
                "workflow_name": DUPLICATES_WORKFLOW,
                "workflow_id": f"{DUPLICATES_WORKFLOW}-{search_id}",
                "app_version": VERSION,
            },
            workspace_key,
            search_id,
        )

    def enqueue_mail(self, session: WorkspaceSession, mail: Mail) -> None:
        """Let a worker send the mail once the running transaction commits.

        It waits sealed: a link in it opens an account, and the tables of jobs are read by more people than
        the mail is.
        """
        self._connected().enqueue_in_transaction(
            session,
            {
                "queue_name": MAILS_QUEUE,
                "workflow_name": MAIL_WORKFLOW,
                "workflow_id": f"{MAIL_WORKFLOW}-{new_id()}",
                "app_version": VERSION,
            },
            sealed(mail, self._settings.secret_key),
        )

    def committed(self) -> None:
        """The transaction that enqueued has committed; workers find the work by themselves."""

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.destroy()
                self._client = None

    def _connected(self) -> DBOSClient:
        from dbos import DBOSClient

        with self._lock:
            if self._client is None:
                self._client = DBOSClient(
                    system_database_url=self._settings.database_url,
                    dbos_system_schema=SCHEMA,
                    application_name=APPLICATION,
                    system_database_pool_size=1,
                    lazy=True,
                )
            return self._client


@contextmanager
def open_queue(settings: Settings) -> Iterator[JobQueue]:
    """For the command line."""
    queue = JobQueue(settings)
    try:
        yield queue
    finally:
        queue.close()
