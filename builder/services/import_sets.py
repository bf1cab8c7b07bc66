"""Several linked files in one run (S25): each becomes records of one object, in order of their references.

The files of a set are jobs like any other; the first one lists them all (``options["set"]``), the others
name it (``options["set_of"]``). They run one after another: what a file refers to by the key of the other
system is there when its turn comes. A file that fails or is stopped stops those behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, TypeAlias

from sqlalchemy import select

from builder.db.imports import ImportJob
from builder.errors import N_, Conflict, FunnelwrightError, Invalid, Problem
from builder.exchange.blobs import BlobStore
from builder.exchange.presets import recognised
from builder.exchange.profile import TableProfile
from builder.services.import_checks import Promises
from builder.services.import_choices import Choices
from builder.services.import_presets import first_choices, preset_choices
from builder.services.import_set_objects import is_left_out
from builder.services.import_setup import Proposal, carry_out, plan_import
from builder.services.imports import (
    DONE,
    DRAFT,
    ENDED,
    cancel,
    column_profile,
    find,
    format_of,
    queue,
    set_plan,
)
from builder.services.unit_of_work import UnitOfWork

TextTest: TypeAlias = Callable[[str], bool]
MOST_FILES = 20
NOTHING_LEFT = N_("Nothing of these files is left to be started.")
TOO_MANY = N_("At most %(most)s files can be brought together.")


@dataclass(frozen=True)
class SetFile:
    """A file of a set with what is planned for it: no proposal when it was started already, or cannot be."""

    job: ImportJob
    profile: TableProfile | None = None
    choices: Choices | None = None
    proposal: Proposal | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def is_ready(self) -> bool:
        return self.proposal is not None and not self.problems

    @property
    def is_log(self) -> bool:
        """Whether its rows are visits."""
        if self.proposal is not None:
            return self.proposal.plan.mode == "log"
        return bool("plan" in self.job.options and self.job.options["plan"]["mode"] == "log")

    @property
    def is_waiting(self) -> bool:
        """Whether it is to be started with the others."""
        return self.job.status == DRAFT and not is_left_out(self.job)

    @property
    def is_left_out(self) -> bool:
        return self.job.status == DRAFT and is_left_out(self.job)


def bind(uow: UnitOfWork, jobs: Sequence[ImportJob]) -> int:
    """Make a set of draft jobs; its id is that of the first. Errors: Conflict for too many."""
    if len(jobs) > MOST_FILES:
        raise Conflict(TOO_MANY, most=MOST_FILES)
    uow.begin()
    first = jobs[0]
    first.options = {**first.options, "set": [str(job.id) for job in jobs]}
    for job in jobs[1:]:
        job.options = {**job.options, "set_of": str(first.id)}
    uow.session.flush()
    return first.id


def set_of(job: ImportJob) -> int | None:
    """The id of the set that the job belongs to."""
    if "set" in job.options:
        return job.id
    return int(job.options["set_of"]) if "set_of" in job.options else None


def jobs_of(uow: UnitOfWork, set_id: int) -> list[ImportJob]:
    """The jobs of a set as its files were chosen. Errors: Forbidden, NotFound."""
    first = find(uow, set_id)
    return [find(uow, int(text)) for text in first.options.get("set", [str(set_id)])]


def look(uow: UnitOfWork, blobs: BlobStore, jobs: Sequence[ImportJob]) -> list[SetFile]:
    """What is planned for each file, in the order in which they will run. Nothing is written."""
    return _in_order(uow, [_looked(uow, blobs, job) for job in jobs])


def _looked(uow: UnitOfWork, blobs: BlobStore, job: ImportJob) -> SetFile:
    if job.status != DRAFT or is_left_out(job):
        return SetFile(job)
    profile = choices = proposal = None
    try:
        profile = column_profile(blobs, job)
        choices = _choices(uow, job, profile)
        if choices.joins:
            profile = column_profile(blobs, job, joins=choices.joins)
        file_format = format_of(job, choices.joins)
        proposal = plan_import(uow, profile, file_format, job.object_key, choices)
        return SetFile(job, profile, choices, proposal, proposal.questions)
    except FunnelwrightError as error:
        problems = tuple(error.problems) or (Problem(error.message_key, "", error.values),)
        return SetFile(job, profile, choices, proposal, problems)


def _choices(uow: UnitOfWork, job: ImportJob, profile: TableProfile) -> Choices:
    """What a person said of the file, else what its preset or its columns say."""
    document = job.options.get("choices")
    if document is not None:
        return Choices.from_document(document)
    definition = uow.shown.object(job.object_key)
    preset = recognised(profile)
    if preset is not None:
        return preset_choices(uow, preset, profile, definition)
    return first_choices(uow, profile, definition)


def _in_order(uow: UnitOfWork, files: Sequence[SetFile]) -> list[SetFile]:
    """Files behind those whose records they refer to; where references go in circles, as they were chosen.

    Of one object, visits come first: a history is only loaded for records that it makes, and what these hold
    besides is then filled in. What is left out stands at the end.
    """
    waiting = [file for file in files if not file.is_left_out]
    ordered: list[SetFile] = []
    while waiting:
        objects = [file.job.object_key for file in waiting]
        logged = {file.job.object_key for file in waiting if file.is_log}
        free = [file for file in waiting if file.is_log or file.job.object_key not in logged]
        ready = next(
            (file for file in free if not (_targets(uow, file) & ({*objects} - {file.job.object_key}))),
            free[0],
        )
        waiting.remove(ready)
        ordered.append(ready)
    return [*ordered, *(file for file in files if file.is_left_out)]


def _targets(uow: UnitOfWork, file: SetFile) -> set[str]:
    """The objects that the columns of a file refer to."""
    if file.proposal is not None:
        keys = [*file.proposal.plan.field_of.values()]
    elif "plan" in file.job.options:
        keys = [key for _, key in file.job.options["plan"]["fields"]]
    else:
        return set()
    definition = uow.shown.objects.get(file.job.object_key)
    targets = definition.fields.targets if definition is not None else {}
    mapped = (targets[key] for key in keys if key in targets)
    found = {str(field.params["target"]) for field in mapped if field.type == "reference"}
    made = (new.document.get("x-target") for new in file.proposal.new_fields) if file.proposal else ()
    return found | {str(target) for target in made if target}


def promises(uow: UnitOfWork, blobs: BlobStore, job: ImportJob) -> Promises:
    """What the other files of the set will bring: for each object, whether it will have a key or name.

    A file is read when something first refers to its object, so most are never read for the page of another.
    """
    set_id = set_of(job)
    found: dict[str, list[TextTest]] = {}
    for other in jobs_of(uow, set_id) if set_id is not None else ():
        if other.id != job.id and other.status == DRAFT and not is_left_out(other):
            found.setdefault(other.object_key, []).append(_read_when_asked(uow, blobs, other))
    return {key: _any_of(tests) for key, tests in found.items()}


def _read_when_asked(uow: UnitOfWork, blobs: BlobStore, job: ImportJob) -> TextTest:
    """Whether a file brings what a text names."""

    @cache
    def test() -> TextTest:
        return promised(uow, [_looked(uow, blobs, job)]).get(job.object_key, lambda _text: False)

    return lambda text: test()(text)


def promised(uow: UnitOfWork, files: Sequence[SetFile]) -> Promises:
    """What files bring that were looked at; those without a proposal promise nothing."""
    found: dict[str, list[TextTest]] = {}
    for file in files:
        if file.profile is not None and file.proposal is not None:
            tests = found.setdefault(file.job.object_key, [])
            tests.append(_brings(uow, file, file.profile, file.proposal))
    return {key: _any_of(tests) for key, tests in found.items()}


def _any_of(tests: Sequence[TextTest]) -> TextTest:
    return lambda text: any(test(text) for test in tests)


def _brings(uow: UnitOfWork, file: SetFile, profile: TableProfile, proposal: Proposal) -> TextTest:
    """Whether a text is a key or a name in the file; with too many to remember, any may be."""
    name = uow.shown.object(file.job.object_key).fields.by_role.get("name")
    naming = [column for column, key in proposal.plan.fields if name is not None and key == name.key]
    known: set[str] = set()
    for column_name in (*naming, proposal.plan.key_column):
        column = profile.column(column_name) if column_name is not None else None
        if column is not None and column.values is None:
            return lambda _text: True
        known |= set(column.values or ()) if column is not None else set()
    return known.__contains__


def start(uow: UnitOfWork, blobs: BlobStore, jobs: Sequence[ImportJob]) -> list[ImportJob]:
    """Publish what the plans need and queue all drafts in their order; the caller enqueues the first of them.

    Errors: Conflict when nothing is left, Invalid with everything that must be decided first, Forbidden.
    """
    files = [file for file in look(uow, blobs, jobs) if file.is_waiting]
    if not files:
        raise Conflict(NOTHING_LEFT)
    problems = tuple(problem for file in files for problem in file.problems)
    if problems or not all(file.is_ready for file in files):
        raise Invalid(N_("Something must be decided first."), problems=problems)
    started: list[ImportJob] = []
    for file in files:
        assert file.profile is not None
        assert file.choices is not None
        # What an earlier file published counts for the plan of this one.
        file_format = format_of(file.job, file.choices.joins)
        proposal = plan_import(uow, file.profile, file_format, file.job.object_key, file.choices)
        set_plan(uow, file.job, carry_out(uow, proposal), file.profile.rows)
        started.append(file.job)
    for job, later in pairwise(started):
        job.options = {**job.options, "then": str(later.id)}
    uow.session.flush()
    for job in started:
        queue(uow, job)
    return started


def following(uow: UnitOfWork, job_id: int) -> int | None:
    """The job to run after one that has ended; without success, those behind it are stopped. Commits.

    One that was stopped and waits to go on stops nobody: whoever carries it on comes to those behind it.
    """
    uow.begin()
    job = _job(uow, job_id)
    later = int(job.options["then"]) if job is not None and "then" in job.options else None
    if job is None or later is None or job.status == DONE:
        uow.rollback()
        return later
    if job.status not in ENDED:
        uow.rollback()
        return None
    while later is not None:
        waiting = _job(uow, later)
        if waiting is None:
            break
        if waiting.status not in ENDED:
            cancel(uow, waiting)
            waiting = _job(uow, later)
        assert waiting is not None
        waiting.problem = waiting.problem or str(N_("The file before it was not imported."))
        later = int(waiting.options["then"]) if "then" in waiting.options else None
    uow.commit()
    return None


def _job(uow: UnitOfWork, job_id: int) -> Any:
    return uow.session.scalar(select(ImportJob).where(ImportJob.id == job_id))
