"""How many records the parts of a question select, counted no further than ``FEW``.

Neither database knows how much of what it walks a filter lets through, and the longer the walk, the dearer
the error. So parts that an index serves (owner, departments, sight, values of slots) are counted first, each
along its index and up to a cap: where one selects few, these are read and everything else is asked of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from time import monotonic
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, BooleanClauseList, ColumnClause

from builder.db.records import NUMBER_SLOTS, TEXT_SLOTS, Record
from builder.db.tenancy import WorkspaceSession

FEW = 2000
Part: TypeAlias = "Sequence[ColumnElement[bool]]"
_SLOTS = frozenset(TEXT_SLOTS + NUMBER_SLOTS)
# Comparisons that are a range of an index, or a few.
_RANGES = frozenset(
    {operators.eq, operators.lt, operators.le, operators.gt, operators.ge, operators.in_op}
    | {operators.between_op}
)
# How long a part is taken to select many after it was counted, in seconds. It seldom stops doing so, and then
# a list takes longer, but shows the same.
MANY_FOR = 60.0


class KnownMany:
    """Parts that were found to select many a short while ago, in this process."""

    LARGEST = 4096

    def __init__(self) -> None:
        self._until: dict[Hashable, float] = {}

    def holds(self, key: Hashable) -> bool:
        return self._until.get(key, 0.0) > monotonic()

    def keep(self, key: Hashable) -> None:
        if len(self._until) >= self.LARGEST:
            self._until.clear()
        self._until[key] = monotonic() + MANY_FOR

    def forget(self) -> None:
        self._until.clear()


_known = KnownMany()
forget_many = _known.forget


def parts_of(condition: ColumnElement[bool] | None) -> list[list[ColumnElement[bool]]]:
    """What must hold of single slots, slot by slot: what the index of a slot could serve."""
    found: dict[str, list[ColumnElement[bool]]] = {}
    for term in () if condition is None else _conjuncts(condition):
        if isinstance(term, BinaryExpression) and term.operator in _RANGES:
            name = getattr(term.left, "name", None)
            if name in _SLOTS:
                found.setdefault(name, []).append(term)
    return list(found.values())


def _conjuncts(condition: ColumnElement[bool]) -> Iterator[ColumnElement[Any]]:
    if isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
        for part in condition.clauses:
            yield from _conjuncts(part)
    else:
        yield condition


def is_all(clauses: Sequence[ColumnElement[bool]], part: Part) -> bool:
    """Whether nothing else than ``part`` is asked of the live records of an object."""
    return _columns(clauses) - _columns(part) <= {"object_key", "deleted_at"}


def _columns(clauses: Sequence[ColumnElement[bool]]) -> set[str]:
    parts = (part for clause in clauses for part in visitors.iterate(clause))
    return {part.name for part in parts if isinstance(part, ColumnClause)}


def least(session: WorkspaceSession, object_key: str, parts: Sequence[Part]) -> tuple[int, Part]:
    """The part that selects the fewest live records of the object, and how many, at most ``FEW`` + 1; one
    statement, none where all of them are known to select more. There must be a part.
    """
    keys = [_key(session.workspace_id, object_key, part) for part in parts]
    asked = [place for place, key in enumerate(keys) if key is None or not _known.holds(key)]
    if not asked:
        return FEW + 1, parts[0]
    counts = session.execute(select(*(_capped_count(object_key, parts[place]) for place in asked))).one()
    for place, count in zip(asked, counts, strict=True):
        if count > FEW and (key := keys[place]) is not None:
            _known.keep(key)
    count, place = min(zip(counts, asked, strict=True))
    return count, parts[place]


def _key(workspace_id: int, object_key: str, part: Part) -> Hashable | None:
    """What a part is known by; nothing where it is more than comparisons of a column with values."""
    terms = []
    for term in part:
        if not isinstance(term, BinaryExpression) or not isinstance(term.left, ColumnClause):
            return None
        values = [each.value for each in visitors.iterate(term.right) if isinstance(each, BindParameter)]
        told = tuple(tuple(value) if isinstance(value, list | tuple) else value for value in values)
        terms.append((term.left.name, term.operator.__name__, told))
    return workspace_id, object_key, FEW, tuple(terms)


def few_of(object_key: str, part: Part) -> Any:
    """A list of the ids that a part of few selects. Its limit cuts nothing off: it keeps the databases from
    asking something else first.
    """
    return select(_live(object_key, part, Record.id).limit(2 * FEW).subquery().c.id)


def _capped_count(object_key: str, part: Part) -> Any:
    counted = _live(object_key, part, literal(1).label("one")).limit(FEW + 1).subquery()
    return select(func.count()).select_from(counted).scalar_subquery()


def _live(object_key: str, part: Part, column: Any) -> Select[*tuple[Any, ...]]:
    return select(column).where(Record.object_key == object_key, Record.deleted_at.is_(None), *part)
