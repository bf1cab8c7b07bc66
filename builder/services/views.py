"""Saving, renaming, sharing and deleting views of lists, boards and calendars (part 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, select, update

from builder.db.conditions_sql import compile_condition
from builder.db.definitions import SavedView
from builder.db.ids import new_id
from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import Condition, parse, to_document
from builder.domain.fields import ObjectDefinition
from builder.domain.grouping import can_group
from builder.domain.kinds import RECORD_COLUMNS, WEIGHTED
from builder.domain.saved_view import can_divide, can_place
from builder.errors import N_, Forbidden, FunnelwrightError, Invalid, NotFound, Problem, Stale
from builder.queries.groups import NOT_GROUPED
from builder.queries.keyset import UNSORTABLE, is_sortable
from builder.services import postings
from builder.services.unit_of_work import UnitOfWork

NOT_SAVED = N_("The view was not saved.")
NAME_MISSING = N_("Give the view a name.")
NAME_LONG = N_("The name may have at most %(most)s characters.")
NAME_TAKEN = N_("You already have a view called “%(name)s”.")
NAME_UNREADABLE = N_("The name contains characters that cannot be stored.")
UNKNOWN_COLUMN = N_("There is no column “%(column)s”.")
TOO_MANY_COLUMNS = N_("A view shows at most %(most)s columns.")
UNKNOWN_LAYOUT = N_("There is no layout “%(layout)s”.")
UNKNOWN_PIPELINE = N_("Records of this kind do not enter the pipeline “%(pipeline)s”.")
BOARD_WITHOUT_PIPELINE = N_("A board needs a pipeline.")
CALENDAR_WITHOUT_DATE = N_("A calendar needs a date by which it places records.")
UNKNOWN_LANES = N_("A board cannot be divided by “%(field)s”.")
UNKNOWN_DATE = N_("“%(field)s” is no date by which records can be found.")
NOT_YOURS = N_("Only the person who saved this view may change it.")
LAYOUTS = ("list", "board", "calendar")
LONGEST_NAME = 200
MOST_COLUMNS = 40


@dataclass(frozen=True)
class SaveView:
    """A view as it should be. ``view_id`` None makes a new one, otherwise that one is replaced, at the
    ``revision`` that the person saw.

    ``columns`` and ``sort`` as in ``domain.saved_view.View``; ``filter`` is a condition document or None.
    """

    object_key: str
    name: str
    layout: str = "list"
    columns: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    filter: Mapping[str, Any] | None = None
    pipeline: str | None = None
    lanes: str = ""
    date: str = ""
    group: str = ""
    widths: Mapping[str, int] = field(default_factory=dict)
    is_shared: bool = False
    view_id: int | None = None
    revision: int | None = None


def save_view(uow: UnitOfWork, command: SaveView) -> int:
    """Make or replace a view; its id. Sharing needs the right ``view.share``.

    Errors: NotFound (object, view), Forbidden, Stale, Invalid with every problem and its place.
    """
    uow.begin()
    definition = uow.shown.object(command.object_key)
    if command.view_id is not None:
        stored = _own(uow, command.view_id, command.revision)
        if stored.object_key != command.object_key:
            raise NotFound()
    if command.is_shared:
        uow.require("view.share")
    name = " ".join(command.name.split())
    problems = (*_name_problems(uow, command, name), *_problems(uow, definition, command))
    if problems:
        raise Invalid(NOT_SAVED, problems=problems)
    document = {
        "layout": command.layout,
        "columns": list(command.columns),
        "sort": list(command.sort),
        "filter": None if command.filter is None else to_document(parse(command.filter)),
        "pipeline": command.pipeline,
        "lanes": command.lanes,
        "date": command.date,
        "group": command.group,
        "widths": {name: command.widths[name] for name in command.columns if name in command.widths},
    }
    facts = {
        "name": name,
        "is_shared": command.is_shared,
        "document": document,
        "updated_at": uow.clock.now(),
    }
    return _write(uow, command, facts)


def _write(uow: UnitOfWork, command: SaveView, facts: Mapping[str, Any]) -> int:
    view_id = command.view_id
    if view_id is None:
        view_id = new_id()
        uow.session.add(
            SavedView(
                workspace_id=uow.workspace.id,
                id=view_id,
                member_id=uow.actor.member_id,
                object_key=command.object_key,
                created_at=uow.clock.now(),
                **facts,
            )
        )
    else:
        uow.session.execute(
            update(SavedView)
            .where(SavedView.id == view_id)
            .values(**facts, revision=SavedView.revision + 1)
            .execution_options(synchronize_session=False)
        )
    logged = {"view_id": str(view_id), "name": facts["name"], "is_shared": facts["is_shared"]}
    uow.log("view.saved", object_key=command.object_key, data=logged)
    return view_id


def delete_view(uow: UnitOfWork, view_id: int, revision: int) -> None:
    """Errors: NotFound, Forbidden, Stale."""
    uow.begin()
    stored = _own(uow, view_id, revision)
    uow.session.execute(delete(SavedView).where(SavedView.id == view_id))
    postings.forget_made(uow, view_id)
    uow.log("view.deleted", object_key=stored.object_key, data={"view_id": str(view_id), "name": stored.name})


@dataclass(frozen=True, slots=True)
class _Stored:
    object_key: str
    name: str


def _own(uow: UnitOfWork, view_id: int, revision: int | None) -> _Stored:
    """The view, locked, when the actor may change it: their own, or a shared one with ``definitions.edit``.

    Errors: NotFound, Forbidden, Stale.
    """
    row = uow.session.execute(
        select(
            SavedView.object_key, SavedView.name, SavedView.member_id, SavedView.is_shared, SavedView.revision
        )
        .where(SavedView.id == view_id)
        .with_for_update()
    ).one_or_none()
    is_own = row is not None and row.member_id == uow.actor.member_id
    # Somebody else's private view is not there for this person.
    if row is None or not (is_own or row.is_shared):
        raise NotFound()
    if not is_own and not uow.actor.can("definitions.edit"):
        raise Forbidden(NOT_YOURS)
    if row.revision != revision:
        raise Stale()
    return _Stored(row.object_key, row.name)


def _name_problems(uow: UnitOfWork, command: SaveView, name: str) -> Iterator[Problem]:
    if not name:
        yield Problem(NAME_MISSING, "name")
        return
    if "\x00" in name or any("\ud800" <= character <= "\udfff" for character in name):
        yield Problem(NAME_UNREADABLE, "name")
        return
    if len(name) > LONGEST_NAME:
        yield Problem(NAME_LONG, "name", {"most": LONGEST_NAME})
        return
    others = select(func.count()).where(
        SavedView.object_key == command.object_key,
        SavedView.member_id == uow.actor.member_id,
        SavedView.name == name,
        SavedView.id != (command.view_id or 0),
    )
    if uow.session.scalar(others):
        yield Problem(NAME_TAKEN, "name", {"name": name})


def _problems(uow: UnitOfWork, definition: ObjectDefinition, command: SaveView) -> Iterator[Problem]:
    if command.layout not in LAYOUTS:
        yield Problem(UNKNOWN_LAYOUT, "layout", {"layout": command.layout[:80]})
    if len(command.columns) > MOST_COLUMNS:
        yield Problem(TOO_MANY_COLUMNS, "columns", {"most": MOST_COLUMNS})
    for column in command.columns:
        if not _is_column(definition, column):
            yield Problem(UNKNOWN_COLUMN, "columns", {"column": column[:80]})
    for sort in command.sort:
        if not is_sortable(definition, sort):
            yield Problem(UNSORTABLE, "sort", {"column": sort.removeprefix("-")[:80]})
    pipelines = {pipeline.key for pipeline in uow.catalog.pipelines_of(command.object_key)}
    if command.pipeline is not None and command.pipeline not in pipelines:
        yield Problem(UNKNOWN_PIPELINE, "pipeline", {"pipeline": command.pipeline[:80]})
    if command.layout == "board" and command.pipeline is None:
        yield Problem(BOARD_WITHOUT_PIPELINE, "pipeline")
    if command.layout == "calendar" and not command.date:
        yield Problem(CALENDAR_WITHOUT_DATE, "date")
    if command.lanes and not can_divide(definition, command.lanes):
        yield Problem(UNKNOWN_LANES, "lanes", {"field": command.lanes[:80]})
    if command.date and not can_place(definition, command.date):
        yield Problem(UNKNOWN_DATE, "date", {"field": command.date[:80]})
    if command.group and not can_group(definition, command.group):
        yield Problem(NOT_GROUPED, "group", {"column": command.group[:80]})
    if command.filter is not None:
        yield from _filter_problems(uow, definition, command.filter)


def _filter_problems(
    uow: UnitOfWork, definition: ObjectDefinition, document: Mapping[str, Any]
) -> Iterator[Problem]:
    """Whatever stops the database from evaluating the filter."""
    context = EvaluationContext(
        uow.clock.now(),
        uow.workspace.time_zone,
        uow.actor.member_id,
        limits=uow.catalog.time_limits,
    )
    try:
        condition: Condition = parse(document)
        compile_condition(condition, definition.fields.by_key, context)
    except FunnelwrightError as error:
        yield Problem(error.message_key, "filter", dict(error.values))


def _is_column(definition: ObjectDefinition, column: str) -> bool:
    head, _, name = column.partition(".")
    is_own = head == "record" and (name in RECORD_COLUMNS or column == WEIGHTED)
    return column in definition.fields.by_key or is_own
