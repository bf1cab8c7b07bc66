"""What a board shows anew after a move: the heads of its columns and the card at its present place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    bindparam,
    cast,
    func,
    null,
    select,
)

from builder.db.people import Member
from builder.db.records import Link, Record, RecordShare
from builder.db.tenancy import ScopedStatement, WorkspaceSession, scoped
from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import Condition
from builder.domain.permissions import Actor
from builder.domain.pipeline import Pipeline
from builder.metadata.catalog import Catalog
from builder.queries.board import Card, account_field, scope_of
from builder.queries.board_heads import (
    HEAD_COLUMNS,
    ROLLED_UP,
    ColumnHead,
    Scope,
    added_up,
    heads_of,
    rolled_up_for,
)
from builder.queries.veils import as_seen


def after_move(
    session: WorkspaceSession,
    catalog: Catalog,
    actor: Actor,
    pipeline: Pipeline,
    record_id: int,
    context: EvaluationContext,
    *,
    filter: Condition | None = None,
) -> tuple[Mapping[str, ColumnHead], Card | None, Mapping[int, str]]:
    """The heads by stage, the present card of a record of this pipeline and the name of its account by id.

    No card when the actor does not see it or it is in no stage of the pipeline any more. One statement; two
    with a filter, by which heads are counted. Errors: ConditionError as ``board``.
    """
    scope = scope_of(session, catalog, actor, pipeline, context, filter)
    asked = {
        "record_id": record_id,
        "pipeline_key": pipeline.key,
        "member_id": actor.member_id,
        "account_field": account_field(catalog, pipeline),
    }
    if not scope.is_rolled_up:
        rows = [tuple(row) for row in session.run(_alone(), **asked)]
        return heads_of(scope), *_card(scope, rows)
    grain, about = rolled_up_for(scope)
    rows = [tuple(row) for row in session.run(_with_heads(grain), **asked, **about)]
    heads = [row[-len(HEAD_COLUMNS) :] for row in rows if row[0] is None]
    cards = [row[: -len(HEAD_COLUMNS)] for row in rows if row[0] is not None]
    return added_up(scope, heads), *_card(scope, cards)


def _card(scope: Scope, rows: Sequence[tuple[Any, ...]]) -> tuple[Card | None, Mapping[int, str]]:
    """The only card there may be."""
    if not rows:
        return None, {}
    ((*values, share_id, account_id, account_name),) = rows
    actor, object_key = scope.actor, scope.pipeline.object_key
    card = as_seen(Card(*values), actor.veils.get(object_key))
    if not actor.can_see(object_key, card.owner_id, card.department_id, is_shared=share_id is not None):
        return None, {}
    return card, {} if account_id is None else {account_id: account_name}


def _one_card() -> Select[*tuple[Any, ...]]:
    """A card with its share for the reader and its account, by the link that holds the reference."""
    record, account = Record.__table__, Record.__table__.alias("account")
    share, link, owner = RecordShare.__table__, Link.__table__, Member.__table__
    columns = (record.c[name] for name in Card.__dataclass_fields__ if name != "owner_name")

    def beside(other: FromClause, *matches: ColumnElement[bool]) -> ColumnElement[bool]:
        return and_(other.c.workspace_id == record.c.workspace_id, *matches)

    is_shared = beside(share, share.c.record_id == record.c.id, share.c.member_id == bindparam("member_id"))
    names_it = beside(link, link.c.record_id == record.c.id, link.c.field_key == bindparam("account_field"))
    return (
        select(
            *columns,
            func.coalesce(owner.c.name, "").label("owner_name"),
            share.c.id.label("share_id"),
            account.c.id.label("account_id"),
            account.c.name.label("account_name"),
        )
        .select_from(
            record.outerjoin(owner, beside(owner, owner.c.id == record.c.owner_id))
            .outerjoin(share, is_shared)
            .outerjoin(link, names_it)
            .outerjoin(account, beside(account, account.c.id == link.c.target_id))
        )
        .where(
            record.c.id == bindparam("record_id"),
            record.c.pipeline_key == bindparam("pipeline_key"),
            record.c.deleted_at.is_(None),
        )
    )


# Both are made at the first move that a process answers: together they would take a twentieth of its start.
@cache
def _alone() -> ScopedStatement:
    return scoped(_one_card())


@cache
def _with_heads(grain: str) -> ScopedStatement:
    """The card and, as further rows whose columns of a card are empty, the heads of the grain."""
    card = _one_card()
    no_head = tuple(cast(null(), kind) for kind in HEAD_COLUMNS)
    no_card = tuple(null() for _ in card.selected_columns)
    beside: Iterator[Any] = (
        head.with_only_columns(*no_card, *head.selected_columns) for head in ROLLED_UP[grain]
    )
    return scoped(card.add_columns(*no_head), *beside)
