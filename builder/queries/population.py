"""The records that a report is about: which pipelines, whose, which of them, and what the reader may see.

Insights count what row visibility opens: one's own records and those of one's departments, and every record
of an object without an owner. Single records shared with a person (``record_share``) are readable but do not
enter that person's figures, so that roll-ups and lists agree (B4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select

from builder.db.people import Department
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.period import ALL_TIME, Period
from builder.domain.permissions import Actor

NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Live records of these pipelines that ``actor`` sees, narrowed by owner, departments and a condition.

    ``owner_id`` and the members of ``department_ids`` are ids, or −1 for records without one; ``None``
    does not narrow. ``condition`` is a compiled condition (``db.conditions_sql``). ``period`` is that of the
    report, in days of ``time_zone``; what it means (entered or closed in it) each report says.
    ``is_rolled_up``: the sums of all its pipelines are complete (``Pipeline.is_counted``).
    """

    pipelines: tuple[str, ...]
    object_key: str
    actor: Actor
    owner_id: int | None = None
    department_ids: tuple[int, ...] | None = None
    condition: ColumnElement[bool] | None = None
    period: Period = ALL_TIME
    time_zone: str = "UTC"
    is_rolled_up: bool = False

    def only(self, pipeline_key: str) -> Population:
        return replace(self, pipelines=(pipeline_key,))

    @property
    def hides_amounts(self) -> bool:
        """Whether amounts are hidden from the reader (S118): no figure tells one, nothing is ranked by it."""
        return self.actor.hides(self.object_key, "amount")

    @property
    def edges(self) -> tuple[datetime | None, datetime | None]:
        return self.period.edges(self.time_zone)


def visible(
    actor: Actor,
    object_key: str,
    owner: Any,
    department: Any,
) -> ColumnElement[bool] | None:
    """Row visibility of an object on an owner and a department column; ``None``: everything is visible."""
    if actor.sees_all_of(object_key):
        return None
    own = owner == actor.member_id
    if actor.visibility in ("department", "subtree") and actor.visible_department_ids:
        return or_(own, department.in_(sorted(actor.visible_department_ids)))
    return own


def matching(column: Any, ids: Iterable[int], *, nobody: bool) -> ColumnElement[bool]:
    """``column`` is one of ``ids``; −1 means no value: null in ``record``, −1 itself in roll-ups."""
    wanted = sorted(set(ids))
    if nobody and NOBODY in wanted:
        rest = [value for value in wanted if value != NOBODY]
        return or_(column.is_(None), column.in_(rest)) if rest else column.is_(None)
    if not wanted:
        return false()
    return column == wanted[0] if len(wanted) == 1 else column.in_(wanted)


def narrowed(
    population: Population,
    owner: Any = Record.owner_id,
    department: Any = Record.department_id,
    *,
    nobody: bool = True,
) -> list[ColumnElement[bool]]:
    """Owner, departments and visibility as clauses on ``record`` (or on the roll-up's columns)."""
    clauses = []
    if population.owner_id is not None:
        clauses.append(matching(owner, [population.owner_id], nobody=nobody))
    if population.department_ids is not None:
        clauses.append(matching(department, population.department_ids, nobody=nobody))
    seen = visible(population.actor, population.object_key, owner, department)
    if seen is not None:
        clauses.append(seen)
    return clauses


def clauses(population: Population, *, is_there_now: bool = True) -> ColumnElement[bool]:
    """The population as one clause on ``record``, whatever the period.

    ``is_there_now``: only records that are in one of its pipelines at present; otherwise those that have
    left for another pipeline as well, which a funnel goes on counting.
    """
    parts = [
        Record.object_key == population.object_key,
        Record.deleted_at.is_(None),
        *narrowed(population),
    ]
    if is_there_now:
        parts.append(matching_keys(population.pipelines))
    if population.condition is not None:
        parts.append(population.condition)
    return and_(*parts)


def matching_keys(keys: tuple[str, ...], column: Any = Record.pipeline_key) -> ColumnElement[bool]:
    """``column`` names one of these pipelines."""
    matches: ColumnElement[bool] = column == keys[0] if len(keys) == 1 else column.in_(keys)
    return matches


def subtree(session: WorkspaceSession, department_id: int) -> tuple[int, ...]:
    """The department and all below it; empty when there is no such department."""
    path = session.scalar(select(Department.path).where(Department.id == department_id))
    if path is None:
        return ()
    # '/' + 1 = '0': a prefix as a range, which an index serves under row-level security.
    rows = session.scalars(
        select(Department.id).where(Department.path >= path, Department.path < path.rstrip("/") + "0")
    )
    return tuple(rows)
