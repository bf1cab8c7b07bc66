"""The heads of a board's columns: how many records of a stage a reader sees, and their sums per currency.

Without a filter they come from the roll-up, which is exact at commit; with one they are counted. What the
reader sees only because it was shared is in no cell of the roll-up that is theirs: it is counted beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)

from builder.db.ledger import FunnelRollup, RollupDelta
from builder.db.records import Record, RecordShare
from builder.db.tenancy import ScopedStatement, WorkspaceSession, scoped
from builder.domain import rollup
from builder.domain.permissions import Actor
from builder.domain.pipeline import Pipeline
from builder.queries.side_by_side import side_by_side
from builder.queries.visibility import ownership


@dataclass(frozen=True, slots=True)
class CurrencySum:
    """Sums in minor units; ``weighted_minor`` is the sum of amount × probability, rounded once; ``None`` for
    whom the probability of records is hidden.
    """

    currency: str
    amount_minor: int
    weighted_minor: int | None


@dataclass(frozen=True, slots=True)
class ColumnHead:
    """All visible records of a stage: how many, and their sums per currency, ordered by code; no sums for
    whom amounts are hidden (S118).
    """

    count: int = 0
    sums: tuple[CurrencySum, ...] = ()


@dataclass
class Scope:
    """Which records of which pipeline, for whom."""

    session: WorkspaceSession
    pipeline: Pipeline
    actor: Actor
    condition: ColumnElement[bool] | None
    clauses: tuple[ColumnElement[bool], ...] = field(init=False)

    def __post_init__(self) -> None:
        filtered = () if self.condition is None else (self.condition,)
        self.clauses = (Record.pipeline_key == self.pipeline.key, Record.deleted_at.is_(None), *filtered)

    @property
    def is_rolled_up(self) -> bool:
        """Whether the roll-up holds the heads."""
        return self.condition is None and self.pipeline.is_counted

    @property
    def is_all(self) -> bool:
        """Whether the actor sees every record of the pipeline."""
        return self.actor.sees_all_of(self.pipeline.object_key)


def only_shared(scope: Scope) -> tuple[ColumnElement[bool], ...]:
    """The clauses of records that the actor sees only because they were shared."""
    ids = select(RecordShare.record_id).where(RecordShare.member_id == scope.actor.member_id)
    is_own = or_(*ownership(scope.actor))
    # Nobody's record is nobody's own: comparing gives null.
    return (Record.id.in_(ids), *scope.clauses, is_own.is_distinct_from(true()))


def heads_of(scope: Scope) -> Mapping[str, ColumnHead]:
    """Heads by stage, in one statement; stages without a record may be missing."""
    if not scope.is_rolled_up:
        return added_up(scope, _counted(scope))
    grain, about = rolled_up_for(scope)
    return added_up(scope, scope.session.run(_rolled_up(grain), **about))


def added_up(scope: Scope, rows: Iterable[Sequence[Any]]) -> Mapping[str, ColumnHead]:
    """Heads by stage from rows of stage, currency, count, amount, and amount × percent."""
    sums: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    for row in rows:
        stage_key, currency, *counted = tuple[Any, ...](row)
        total = sums[stage_key][currency or ""]
        for place, number in enumerate(counted):
            total[place] += int(number or 0)
    return {stage_key: head_of(scope, by_currency) for stage_key, by_currency in sums.items()}


def head_of(scope: Scope, by_currency: Mapping[str, Sequence[int]]) -> ColumnHead:
    """A head from count, amount, and amount × percent by currency, as far as the reader may see them."""
    count = sum(total[0] for total in by_currency.values())
    if scope.actor.hides(scope.pipeline.object_key, "amount"):
        return ColumnHead(count)
    is_weighted = not scope.actor.hides(scope.pipeline.object_key, "probability")
    return ColumnHead(
        count,
        tuple(
            # The sums of amount × percent are exact; they are rounded once, half up.
            CurrencySum(currency, total[1], (total[2] + 50) // 100 if is_weighted else None)
            for currency, total in sorted(by_currency.items())
            if total[1] or total[2]
        ),
    )


def rolled_up_for(scope: Scope) -> tuple[str, dict[str, Any]]:
    """Which statement of ``ROLLED_UP`` holds the actor's heads, and its parameters."""
    actor, departments = scope.actor, sorted(scope.actor.visible_department_ids)
    grain = "own"
    if scope.is_all:
        grain = "all"
    elif actor.visibility in ("department", "subtree") and departments:
        grain = "departments"
    about = {"pipeline": scope.pipeline.key, "member": actor.member_id, "departments": departments}
    return grain, about


def _counted(scope: Scope) -> Iterable[Row[Any]]:
    own = () if scope.is_all else (or_(*ownership(scope.actor)),)
    of_object = Record.object_key == scope.pipeline.object_key
    statement: Any = side_by_side(_sums_of(Record).where(of_object, *scope.clauses, *own))
    if scope.actor.has_shares and not scope.is_all:
        statement = union_all(statement, _sums_of(Record).where(*only_shared(scope)))
    return scope.session.execute(statement)


def _sums_of(record: Any) -> Select[*tuple[Any, ...]]:
    """Heads from records themselves; ``record``: the class, or the columns of its table."""
    amount = func.coalesce(record.amount_minor, 0)
    return select(
        record.stage_key,
        record.currency,
        func.count(),
        cast(func.sum(amount), BigInteger),
        cast(func.sum(amount * func.coalesce(record.probability, 0)), BigInteger),
    ).group_by(record.stage_key, record.currency)


_PIPELINE = bindparam("pipeline", type_=FunnelRollup.pipeline_key.type)
_MEMBER = bindparam("member", type_=BigInteger)
_DEPARTMENTS = bindparam("departments", type_=BigInteger, expanding=True)
_RECORD = Record.__table__.c
_SHARE = RecordShare.__table__.c
_CELLS = FunnelRollup.__table__.c
_DELTAS = RollupDelta.__table__.c
# Spelled out: PostgreSQL takes one plan for all parameters only where it knows how few rows that reads.
_NOW: ColumnElement[str] = literal_column(f"'{rollup.NOW}'")


def _summed(cell: Any, *grain: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    sums = (cast(func.sum(cell[name]), BigInteger) for name in ("n", "amount_minor", "weighted_minor"))
    return (
        select(cell.stage_key, cell.currency, *sums)
        .where(cell.pipeline_key == _PIPELINE, cell.measure == _NOW, *grain)
        .group_by(cell.stage_key, cell.currency)
    )


def _and_shared(place: Any) -> tuple[Select[*tuple[Any, ...]], ...]:
    """Cells of the own ``place`` (by owner and department), and what was only shared."""
    shared = (
        _sums_of(_RECORD)
        .join_from(
            RecordShare.__table__,
            Record.__table__,
            and_(_RECORD.workspace_id == _SHARE.workspace_id, _RECORD.id == _SHARE.record_id),
        )
        .where(
            _SHARE.member_id == _MEMBER,
            _RECORD.pipeline_key == _PIPELINE,
            _RECORD.deleted_at.is_(None),
            place(_RECORD).is_distinct_from(true()),
        )
    )
    return _summed(_CELLS, place(_CELLS)), _summed(_DELTAS, place(_DELTAS)), shared


# The types of the columns of a head, and by grain the statements whose rows together are the heads.
HEAD_COLUMNS = (FunnelRollup.stage_key.type, FunnelRollup.currency.type, *(3 * (BigInteger(),)))
ROLLED_UP: Mapping[str, tuple[Select[*tuple[Any, ...]], ...]] = {
    "all": (_summed(_CELLS, _CELLS.owner_id == 0, _CELLS.department_id == 0), _summed(_DELTAS)),
    "own": _and_shared(lambda of: of.owner_id == _MEMBER),
    "departments": _and_shared(lambda of: or_(of.owner_id == _MEMBER, of.department_id.in_(_DEPARTMENTS))),
}


@cache
def _rolled_up(grain: str) -> ScopedStatement:
    """Made once: every board asks for heads, and building them costs more than reading them."""
    return scoped(*ROLLED_UP[grain])
