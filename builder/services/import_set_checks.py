"""The dry run of several linked files (S25): what each would bring, in the order in which they will run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from builder.db.imports import ImportJob
from builder.errors import FunnelwrightError, Problem
from builder.exchange.blobs import BlobStore
from builder.services.import_checks import Report, check_plan
from builder.services.import_sets import SetFile, look, promised
from builder.services.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class CheckedFile:
    """A file of a set and what would become of its rows; no report where it has none (``problem``)."""

    file: SetFile
    report: Report | None = None
    problem: Problem | None = None


def check_set(
    uow: UnitOfWork, blobs: BlobStore, jobs: Sequence[ImportJob], limit: int | None = None
) -> list[CheckedFile]:
    """Judge the rows of all files that were not started, at most ``limit`` of them together.

    Each file counts on what all others bring; a key that an earlier file of the same object brings is a
    change in a later one. Files that something must be decided of have no report. Nothing is written.
    Errors: Forbidden.
    """
    files = [file for file in look(uow, blobs, jobs) if file.is_waiting]
    keys: dict[str, set[str]] = {}
    found: list[CheckedFile] = []
    for file in files:
        if not file.is_ready:
            found.append(CheckedFile(file))
            continue
        found.append(_checked(uow, blobs, file, files, keys.setdefault(file.job.object_key, set()), limit))
        report = found[-1].report
        if limit is not None and report is not None:
            limit = max(0, limit - report.rows)
    return found


def _checked(
    uow: UnitOfWork,
    blobs: BlobStore,
    file: SetFile,
    files: Sequence[SetFile],
    seen: set[str],
    limit: int | None,
) -> CheckedFile:
    assert file.proposal is not None
    promises = promised(uow, [other for other in files if other is not file])
    try:
        report = check_plan(
            uow, blobs, file.job, file.proposal.plan, file.proposal.unpublished, limit, promises, seen
        )
    except FunnelwrightError as error:
        return CheckedFile(file, problem=Problem(error.message_key, "", error.values))
    return CheckedFile(file, report)
