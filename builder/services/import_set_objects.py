"""What the rows of each file of a set become, or that it is left out (S25)."""

from __future__ import annotations

from builder.db.imports import ImportJob
from builder.errors import Conflict
from builder.exchange.mapping import plain, suggest
from builder.exchange.presets import lists_people, recognised
from builder.exchange.profile import TableProfile
from builder.services.imports import DRAFT, NOT_A_DRAFT
from builder.services.unit_of_work import UnitOfWork


def is_left_out(job: ImportJob) -> bool:
    """Whether the file is not started with the others of its set."""
    return bool(job.options.get("left_out"))


def leave_out(uow: UnitOfWork, job: ImportJob) -> None:
    """Do not start a draft with the others of its set; naming an object for it takes it in again.

    Errors: Conflict when it was started.
    """
    if job.status != DRAFT:
        raise Conflict(NOT_A_DRAFT)
    uow.begin()
    job.options = {**job.options, "left_out": True}


def likely_object(uow: UnitOfWork, profile: TableProfile, file_name: str) -> str | None:
    """The object that the rows of a file most likely are: called like it, or with most of its columns.

    ``None`` for a list of colleagues, and where no column is like a field of any object.
    """
    if lists_people(profile):
        return None
    stem = plain(file_name.partition(".")[0])
    preset = recognised(profile)

    def score(key: str) -> tuple[bool, int, int]:
        definition = uow.shown.object(key)
        labels = (definition.label.translations, definition.label_plural.translations)
        names = {plain(key), *(plain(text) for texts in labels for _, text in texts)}
        known = preset.fields(profile, definition) if preset is not None else {}
        likes = [item.certainty for item in suggest(profile, definition) if item.field is not None]
        return stem in names, sum(value is not None for value in known.values()), len(likes)

    scores = {key: score(key) for key in uow.shown.objects}
    best = max(scores, key=scores.__getitem__)
    return best if any(scores[best]) else None


def set_object(uow: UnitOfWork, job: ImportJob, object_key: str) -> None:
    """The rows of a draft are to become another object's; what was planned for them is void.

    Errors: Conflict when it was started, NotFound (object).
    """
    uow.shown.object(object_key)
    if job.status != DRAFT:
        raise Conflict(NOT_A_DRAFT)
    if is_left_out(job):
        uow.begin()
        job.options = {name: value for name, value in job.options.items() if name != "left_out"}
    if job.object_key == object_key:
        return
    uow.begin()
    job.object_key = object_key
    job.options = {name: job.options[name] for name in ("format", "set", "set_of") if name in job.options}
