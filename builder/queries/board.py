"""The board of a pipeline: columns of cards, and heads with count, amount and weighted amount (part 6).

One LIMIT statement a column, never a window over all. Heads come from the roll-up, which is exact at commit;
with a filter they are counted. Records that were only shared with the actor are few: they are read once for
all columns, and counted beside the roll-up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    func,
    or_,
    select,
    union_all,
)

from builder.db.base import from_micros, to_micros
from builder.db.conditions_sql import compile_condition
from builder.db.engine import PREPARED
from builder.db.people import Member
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import Condition
from builder.domain.permissions import Actor
from builder.domain.pipeline import Pipeline
from builder.errors import Invalid, Problem
from builder.metadata.catalog import Catalog
from builder.queries import keyset
from builder.queries.board_heads import ColumnHead, Scope, heads_of, only_shared
from builder.queries.keyset import Position
from builder.queries.row import REFERENCE, USER, names_of_members, names_of_records
from builder.queries.veils import as_seen
from builder.queries.visibility import is_broad, ownership

CARDS = 50
_ORDER = "-record.stage_entered_at"
_EARLIEST = from_micros(-(1 << 50))
_ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Card:
    """What a card shows. ``amount_minor`` in minor units of ``currency``, ``probability`` in percent."""

    id: int
    name: str
    number: str | None
    owner_id: int | None
    department_id: int | None
    stage_key: str
    stage_entered_at: datetime | None
    amount_minor: int | None
    currency: str | None
    expected_close_on: Any
    probability: int | None
    revision: int
    updated_at: datetime
    data: Mapping[str, Any]
    owner_name: str = ""


@dataclass(frozen=True, slots=True)
class BoardColumn:
    """``next`` is the cursor of the cards that follow, ``None`` when these are all."""

    stage_key: str
    head: ColumnHead
    cards: tuple[Card, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class CardNames:
    """Names of the records and members that cards refer to, by id."""

    records: Mapping[int, str]
    members: Mapping[int, str]


@dataclass(frozen=True)
class Board:
    """Columns in the order of the stages; stages of older versions that still hold records come last."""

    pipeline: Pipeline
    columns: tuple[BoardColumn, ...]
    names: CardNames
    problem: Problem | None = None


def board(
    session: WorkspaceSession,
    catalog: Catalog,
    actor: Actor,
    pipeline: Pipeline,
    context: EvaluationContext,
    *,
    filter: Condition | None = None,
    folded: Collection[str] = (),
    shown: Collection[str] = (),
    limit: int = CARDS,
) -> Board:
    """The first cards of every column; of the ``folded`` stages only the heads. One statement a column with
    cards, and at most three more; a fourth when ``shown``, the fields that cards show besides the usual ones,
    name people.

    Errors: ConditionError for a filter that the database cannot evaluate.
    """
    scope = scope_of(session, catalog, actor, pipeline, context, filter)
    heads, shared = heads_of(scope), shared_cards(scope)
    keys = dict.fromkeys((*pipeline.by_key, *sorted(key for key, head in heads.items() if head.count)))
    columns = tuple(
        BoardColumn(key, heads.get(key, ColumnHead()), (), None)
        if key in folded
        else column_of(scope, shared, key, heads.get(key, ColumnHead()), None, limit)
        for key in keys
    )
    cards = [card for column in columns for card in column.cards]
    return Board(pipeline, columns, names_on(session, catalog, pipeline, cards, shown))


def board_column(
    session: WorkspaceSession,
    catalog: Catalog,
    actor: Actor,
    pipeline: Pipeline,
    stage_key: str,
    context: EvaluationContext,
    *,
    filter: Condition | None = None,
    after: str | None = None,
    shown: Collection[str] = (),
    limit: int = CARDS,
) -> Board:
    """One column, beyond the cursor ``after``; a bad cursor gives its beginning and a ``problem``."""
    place, problem = None, None
    if after:
        try:
            place = keyset.read_cursor(after, _ORDER, "instant")
        except Invalid as error:
            problem = Problem(error.message_key, "cursor", error.values)
    scope = scope_of(session, catalog, actor, pipeline, context, filter)
    head = heads_of(scope).get(stage_key, ColumnHead())
    columns = (column_of(scope, shared_cards(scope), stage_key, head, place, limit),)
    names = names_on(session, catalog, pipeline, columns[0].cards, shown)
    return Board(pipeline, columns, names, problem)


def scope_of(
    session: WorkspaceSession,
    catalog: Catalog,
    actor: Actor,
    pipeline: Pipeline,
    context: EvaluationContext,
    filter: Condition | None,
) -> Scope:
    """What a board asks about. Errors: ConditionError as ``board``."""
    condition = None
    if filter is not None:
        fields = catalog.object(pipeline.object_key).fields.by_key
        condition = compile_condition(filter, fields, context)
    return Scope(session, pipeline, actor, condition)


# Made once: naming the columns for each stage costs as much as reading its cards.
_CARDS: Select[*tuple[Any, ...]] = (
    select(
        Record.id,
        Record.name,
        Record.number,
        Record.owner_id,
        Record.department_id,
        Record.stage_key,
        Record.stage_entered_at,
        Record.amount_minor,
        Record.currency,
        Record.expected_close_on,
        Record.probability,
        Record.revision,
        Record.updated_at,
        Record.data,
        func.coalesce(Member.name, ""),
    )
    .select_from(Record)
    .outerjoin(Member, Member.id == Record.owner_id)
)


def _card(scope: Scope, row: Row[*tuple[Any, ...]]) -> Card:
    values: tuple[Any, ...] = tuple(row)
    return as_seen(Card(*values), scope.actor.veils.get(scope.pipeline.object_key))


def shared_cards(scope: Scope) -> list[Card]:
    """Cards that the actor sees only because they were shared; one statement, none for who sees all or with
    whom nothing is shared.
    """
    if scope.is_all or not scope.actor.has_shares:
        return []
    return [
        _card(scope, row)
        for row in scope.session.execute(_CARDS.where(*only_shared(scope)).execution_options(**PREPARED))
    ]


def column_of(
    scope: Scope,
    shared: Iterable[Card],
    stage_key: str,
    head: ColumnHead,
    after: Position | None,
    limit: int,
) -> BoardColumn:
    """The cards of one column from the place ``after`` on. One statement."""
    found = (
        _first_cards(scope, stage_key, limit + 1)
        if after is None
        else _more(scope, stage_key, after, limit + 1)
    )
    added = [card for card in shared if card.stage_key == stage_key and _is_beyond(card, after)]
    if added:
        found = sorted((*found, *added), key=_sort_key, reverse=True)
    cards = tuple(found[:limit])
    is_more = len(found) > limit
    return BoardColumn(
        stage_key, head, cards, keyset.write_cursor(_ORDER, _place(cards[-1])) if is_more else None
    )


def _first_cards(scope: Scope, stage_key: str, limit: int) -> list[Card]:
    entered: Any = Record.stage_entered_at
    order = (entered.desc().nulls_last(), Record.id.desc())
    return _cards(scope, stage_key, (), order, limit)


def _more(scope: Scope, stage_key: str, after: Position, limit: int) -> list[Card]:
    """Cards beyond a place: those entered earlier, then those whose entry is unknown."""
    entered: Any = Record.stage_entered_at
    record_id: Any = Record.id
    found: list[Card] = []
    if not after.is_tail:
        at = from_micros(int(after.value))
        beyond = (entered <= at, or_(entered < at, record_id < after.id))
        found = _cards(scope, stage_key, beyond, (entered.desc().nulls_last(), record_id.desc()), limit)
    if len(found) < limit:
        below = (record_id < after.id,) if after.is_tail else ()
        found += _cards(
            scope, stage_key, (entered.is_(None), *below), (record_id.desc(),), limit - len(found)
        )
    return found


def _cards(
    scope: Scope, stage_key: str, beyond: Iterable[ColumnElement[bool]], order: tuple[Any, ...], limit: int
) -> list[Card]:
    clauses = (*scope.clauses, Record.stage_key == stage_key, *beyond)
    statement = _CARDS.order_by(*order).limit(limit)
    if scope.condition is None:
        statement = statement.execution_options(**PREPARED)
    own = () if scope.is_all else ownership(scope.actor)
    if len(own) < 2 or is_broad(scope.actor):
        own = (or_(*own),) if own else ()
        return [_card(scope, row) for row in scope.session.execute(statement.where(*clauses, *own))]
    parts = [
        select(Record.id).where(*clauses, branch).order_by(*order).limit(limit).subquery() for branch in own
    ]
    ids = union_all(*(select(part.c.id) for part in parts))
    return [_card(scope, row) for row in scope.session.execute(statement.where(Record.id.in_(ids)))]


def names_on(
    session: WorkspaceSession,
    catalog: Catalog,
    pipeline: Pipeline,
    cards: Iterable[Card],
    shown: Collection[str] = (),
) -> CardNames:
    """Names of the accounts on the cards, and of whatever the ``shown`` fields refer to."""
    fields = catalog.object(pipeline.object_key).fields
    account = account_field(catalog, pipeline)
    keys = {REFERENCE: {account} if account else set(), USER: set()}
    for field in fields:
        if field.key in shown and field.type in keys and field.role != "owner":
            keys[field.type].add(field.key)
    ids = {
        kind: {int(value) for card in cards for key in found if (value := card.data.get(key))}
        for kind, found in keys.items()
    }
    return CardNames(names_of_records(session, ids[REFERENCE]), names_of_members(session, ids[USER]))


def account_field(catalog: Catalog, pipeline: Pipeline) -> str:
    """The field of role *account*, when it is a reference; otherwise nothing."""
    account = catalog.object(pipeline.object_key).fields.by_role.get(_ACCOUNT)
    return account.key if account is not None and account.type == REFERENCE else ""


def _sort_key(card: Card) -> tuple[datetime, int]:
    return card.stage_entered_at or _EARLIEST, card.id


def _place(card: Card) -> Position:
    entered = card.stage_entered_at
    # In the tail only the id orders; the value must still be an instant.
    return Position(entered is None, 0 if entered is None else to_micros(entered), card.id)


def _is_beyond(card: Card, after: Position | None) -> bool:
    if after is None:
        return True
    entered = card.stage_entered_at
    if after.is_tail or entered is None:
        return entered is None and (not after.is_tail or card.id < after.id)
    return (to_micros(entered), card.id) < (int(after.value), after.id)
