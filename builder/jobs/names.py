"""Names that clients and workers share. They are stored with every job, so they never change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.settings import Settings

if TYPE_CHECKING:
    from dbos import DBOSConfig

APPLICATION = "funnelwright"
# Recovery asks for jobs of this version: fixed, so that an upgrade goes on with what was begun before it.
VERSION = "1"
SCHEMA = "dbos"
IMPORTS_QUEUE = "imports"
IMPORT_WORKFLOW = "import_file"
UNDO_WORKFLOW = "undo_import"
EXPORTS_QUEUE = "exports"
EXPORT_WORKFLOW = "export_records"
EXPIRY_WORKFLOW = "remove_export"
HANDOVERS_QUEUE = "handovers"
HANDOVER_WORKFLOW = "hand_over"
MIGRATIONS_QUEUE = "migrations"
MIGRATION_WORKFLOW = "migrate_records"
COUNTING_WORKFLOW = "count_pipeline"
BULK_QUEUE = "bulk"
BULK_WORKFLOW = "carry_out_batch"
BULK_UNDO_WORKFLOW = "undo_batch"
DUPLICATES_QUEUE = "duplicates"
DUPLICATES_WORKFLOW = "search_duplicates"
SAMPLES_QUEUE = "samples"
SAMPLE_WORKFLOW = "make_sample_company"
MAILS_QUEUE = "mails"
MAIL_WORKFLOW = "send_mail"


def config(settings: Settings, executor_id: str, *, run_migrations: bool) -> DBOSConfig:
    """DBOS on our database. Its pool is small: a worker does one thing at a time."""
    return {
        "name": APPLICATION,
        "system_database_url": settings.database_url,
        "sys_db_pool_size": 4,
        "dbos_system_schema": SCHEMA,
        "application_version": VERSION,
        "executor_id": executor_id,
        "log_level": "WARNING",
        "run_migrations": run_migrations,
        "max_executor_threads": 8,
        "enable_otlp": False,
    }
