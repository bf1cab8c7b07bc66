"""Import jobs, their batches (each commits with its own idempotency row) and stored files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from builder.db.base import Base, WorkspaceScoped, key_string


class StoredFile(Base, WorkspaceScoped):
    """A file in the blob store: who may see it is decided by what it belongs to.

    ``purpose`` is ``record`` for files of records, and ``record_id`` the record that such a file belongs to,
    none before it is attached. Files of jobs have neither.
    """

    __tablename__ = "stored_file"

    name: Mapped[str] = mapped_column(String(400))
    media_type: Mapped[str] = mapped_column(String(120))
    size: Mapped[int]
    checksum: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    created_by: Mapped[int | None]
    purpose: Mapped[str | None] = mapped_column(key_string(20))
    record_id: Mapped[int | None]


class ImportJob(Base, WorkspaceScoped):
    """One file being imported. ``options`` hold format, mapping and mode; counts rise per batch.

    ``removed_records``, ``restored_records`` and ``kept_records`` say what undoing it did.
    """

    __tablename__ = "import_job"
    __table_args__ = (Index("ix_import_job_created", "workspace_id", "created_at"),)

    object_key: Mapped[str] = mapped_column(key_string())
    file_id: Mapped[int]
    result_file_id: Mapped[int | None]
    status: Mapped[str] = mapped_column(key_string(20))
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    total_rows: Mapped[int | None]
    done_rows: Mapped[int] = mapped_column(default=0)
    created_rows: Mapped[int] = mapped_column(default=0)
    updated_rows: Mapped[int] = mapped_column(default=0)
    unchanged_rows: Mapped[int] = mapped_column(default=0)
    refused_rows: Mapped[int] = mapped_column(default=0)
    removed_records: Mapped[int] = mapped_column(default=0)
    restored_records: Mapped[int] = mapped_column(default=0)
    kept_records: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    created_by: Mapped[int | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class ImportMapping(Base, WorkspaceScoped):
    """How the columns of a kind of file are taken over, kept under a name for the next such file.

    ``columns`` are the headers that it was made for, ``columns_key`` a digest of them by which it is found;
    ``document`` holds the choices. Whoever may import may use and change it.
    """

    __tablename__ = "import_mapping"
    __table_args__ = (UniqueConstraint("workspace_id", "object_key", "name"),)

    object_key: Mapped[str] = mapped_column(key_string())
    name: Mapped[str] = mapped_column(String(100))
    columns: Mapped[list[Any]] = mapped_column(JSON)
    columns_key: Mapped[str] = mapped_column(String(64))
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    revision: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime]
    created_by: Mapped[int | None]
    updated_at: Mapped[datetime]


class ImportBatch(Base, WorkspaceScoped):
    """Rows ``first_row``… of a job, written in one transaction: a repeated step finds it and does nothing.

    ``verdicts`` has one letter a row: c created, u updated, n unchanged (nothing to do), r refused;
    ``lines`` are the lines of those rows; ``refusals`` hold ``[line, column, message key, values]`` of the
    refused ones. The ``batch`` of the same id is what it did to records.
    """

    __tablename__ = "import_batch"
    __table_args__ = (UniqueConstraint("workspace_id", "job_id", "number"),)

    job_id: Mapped[int]
    number: Mapped[int] = mapped_column(Integer)
    first_row: Mapped[int]
    rows: Mapped[int] = mapped_column(Integer)
    verdicts: Mapped[str] = mapped_column(Text, default="")
    lines: Mapped[list[Any]] = mapped_column(JSON, default=list)
    refusals: Mapped[list[Any]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime]
