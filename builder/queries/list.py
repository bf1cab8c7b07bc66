"""The list of an object's records: columns, sort, filter, search words, keyset pages (part 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_

from builder.db.conditions_sql import compile_condition
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import Condition
from builder.domain.fields import ObjectDefinition
from builder.domain.permissions import Actor
from builder.domain.search import query_tokens
from builder.errors import Invalid, Problem
from builder.metadata.catalog import Catalog
from builder.queries import keyset
from builder.queries.keyset import Position, SortColumn
from builder.queries.pages import COUNT_CAP, RecordPages
from builder.queries.probing import FEW, few_of, is_all, least, parts_of
from builder.queries.row import (
    REFERENCE,
    USER,
    RecordRow,
    names_of_members,
    names_of_records,
    pointed_at,
)
from builder.queries.search import containing
from builder.queries.side_by_side import seldom

LARGEST_PAGE = 200
# So many ids cost nothing to look up, and more fill a page soon.
SELDOM = 300


@dataclass(frozen=True)
class ListRequest:
    """What to show. ``columns`` are field keys or ``record.<column>``; unknown ones are left to the caller.

    ``sort`` as in a view (``"-amount"``); its first sortable entry counts, ties are broken by id.
    ``within``: what narrows it to one group (``queries.groups``). ``query`` is searched in the object's
    search fields. ``after`` and ``before`` are cursors of a page.
    """

    object_key: str
    columns: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    filter: Condition | None = None
    query: str = ""
    pipeline_key: str | None = None
    after: str | None = None
    before: str | None = None
    limit: int = 50
    within: tuple[ColumnElement[bool], ...] = ()


@dataclass(frozen=True)
class ListPage:
    """One page. ``total`` counts all pages, exact unless ``is_total_capped`` (then: more than that).

    ``names`` are the names of records that shown reference fields point at, ``members`` those of
    people in shown user fields and of owners. ``problem`` says why the asked page is not this one.
    """

    rows: tuple[RecordRow, ...]
    sort: SortColumn
    total: int
    is_total_capped: bool
    next: str | None
    previous: str | None
    names: Mapping[int, str]
    members: Mapping[int, str]
    problem: Problem | None = None


def list_records(
    session: WorkspaceSession,
    catalog: Catalog,
    actor: Actor,
    request: ListRequest,
    context: EvaluationContext,
) -> ListPage:
    """The page that ``request`` asks for, of records the actor sees; at most seven statements, mostly two.

    How many a field of the filter selects, which are few, rows (with the count), the tail of empty values
    where it begins, words of the query, and names of what the shown columns point at. Errors: NotFound for an
    unknown object, ConditionError for a filter that the database cannot evaluate. A bad cursor gives the
    first page and its ``problem``; so does a bad sort.
    """
    definition = catalog.object(request.object_key)
    sort, problem = sort_of(definition, request.sort)
    clauses = asked(session, actor, definition, request, context)
    is_settled = not (request.query or request.within)
    if request.filter is not None:
        few, is_settled = _few_of_it(session, actor, definition.key, clauses)
        clauses += few
    pages = RecordPages(session, actor, definition.key, clauses, sort, is_settled)
    place, is_backward, cursor_problem = _place(request, sort)
    limit = max(1, min(request.limit, LARGEST_PAGE))
    if is_backward and place is not None:
        found = pages.backward(limit + 1, place)
        page, has_next, has_previous = found[-limit:], True, len(found) > limit
    else:
        found = pages.forward(limit + 1, place)
        page, has_next, has_previous = found[:limit], len(found) > limit, place is not None
    rows = tuple(row for row, _ in page)
    columns = request.columns or definition.list_columns
    total = pages.total or 0
    return ListPage(
        rows=rows,
        sort=sort,
        total=min(total, COUNT_CAP),
        is_total_capped=total > COUNT_CAP,
        next=keyset.write_cursor(sort.spec, page[-1][1]) if page and has_next else None,
        previous=keyset.write_cursor(sort.spec, page[0][1]) if page and has_previous else None,
        names=names_of_records(session, pointed_at(definition, rows, columns, REFERENCE)),
        members=_members(session, definition, rows, columns),
        problem=cursor_problem or problem,
    )


def _few_of_it(
    session: WorkspaceSession, actor: Actor, object_key: str, clauses: list[ColumnElement[bool]]
) -> tuple[list[ColumnElement[bool]], bool]:
    """The ids of few records as a clause, where a field of what is asked selects no more, or all of it
    together (SQLite, for who sees more than their own): otherwise a page that they do not fill would walk the
    order of the list to its end. Nothing where there are many. And whether that settles how to read them, so
    that other values of the same kind are read in the same way.
    """
    parts = parts_of(and_(*clauses))
    if parts:
        count, part = least(session, object_key, parts)
        if count <= FEW:
            return [Record.id.in_(few_of(object_key, part))], True
        if is_all(clauses, part):
            return [], True
    if actor.visibility == "own" and not actor.sees_all_of(object_key):
        return [], False
    ids = seldom(session, clauses, SELDOM)
    return [] if ids is None else [Record.id.in_(ids)], False


def asked(
    session: WorkspaceSession,
    actor: Actor,
    definition: ObjectDefinition,
    request: ListRequest,
    context: EvaluationContext,
) -> list[ColumnElement[bool]]:
    """The live records that a request is about, as clauses on ``record``. Whether the actor sees the records
    is not asked here; by words of hidden fields they find none.
    """
    clauses = [*scope(definition, request.filter, context), *request.within]
    if request.pipeline_key is not None:
        clauses.append(Record.pipeline_key == request.pipeline_key)
    terms = query_tokens(request.query)
    if terms:
        clauses.append(containing(session, actor, terms, request.object_key))
    return clauses


def scope(
    definition: ObjectDefinition, condition: Condition | None, context: EvaluationContext
) -> list[ColumnElement[bool]]:
    """Live records of the object that satisfy the condition, as clauses on ``record``."""
    clauses: list[ColumnElement[bool]] = [Record.object_key == definition.key, Record.deleted_at.is_(None)]
    if condition is not None:
        clauses.append(compile_condition(condition, definition.fields.by_key, context))
    return clauses


def sort_of(definition: ObjectDefinition, sort: tuple[str, ...]) -> tuple[SortColumn, Problem | None]:
    """The order that is asked for; the object's own, with the problem, where there is no such order."""
    try:
        asked = keyset.sort_column(definition, sort[0]) if sort else keyset.default_sort(definition)
    except Invalid as error:
        return keyset.default_sort(definition, sort), Problem(error.message_key, "sort", error.values)
    return asked, None


def _place(request: ListRequest, sort: SortColumn) -> tuple[Position | None, bool, Problem | None]:
    """The place of the cursor, whether to read backwards from it, and what is wrong with it."""
    text = request.after or request.before
    if not text:
        return None, False, None
    try:
        place = keyset.read_cursor(text, sort.spec, sort.kind)
    except Invalid as error:
        return None, False, Problem(error.message_key, "cursor", error.values)
    return place, not request.after, None


def _members(
    session: WorkspaceSession,
    definition: ObjectDefinition,
    rows: tuple[RecordRow, ...],
    columns: tuple[str, ...],
) -> dict[int, str]:
    known = {row.owner_id: row.owner_name for row in rows if row.owner_id is not None}
    missing = pointed_at(definition, rows, columns, USER) - known.keys()
    return known | names_of_members(session, missing)
