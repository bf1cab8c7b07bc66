"""Where a person may be mentioned outside of records: every text that the workspace stores (S120).

The tables are walked by what they are, not by a list of names: a table that comes later is walked too.
Definitions are processes and people of the company are its own; neither is about customers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, String, Text, cast, func, literal, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import JSON

from builder.db.base import Base, WorkspaceScoped
from builder.domain.blackout import Marks
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import chunks

# What is no text that somebody wrote about others: keys, words of the product, the company's own people.
_SPARED = frozenset(
    {
        *("definition", "definition_version", "change_set", "pack_base", "library_pack"),
        *("member", "department", "record"),
    }
)
_Column = InstrumentedAttribute[Any]


def black_out(uow: UnitOfWork, marks: Marks) -> None:
    """Take the marks out of every text of the workspace but those of records."""
    for entity, columns in _written():
        for row in _found(uow, entity, columns, marks):
            values = {
                column.key: without
                for column, value in zip(columns, row[1:], strict=True)
                if (without := marks.blacked_out(value)) != value
            }
            if values:
                table: Any = entity
                uow.session.execute(
                    update(table)
                    .where(table.id == row[0])
                    .values(**values)
                    .execution_options(synchronize_session=False)
                )


def mentioning(uow: UnitOfWork, marks: Marks, own: Sequence[int]) -> int:
    """In how many rows that belong to other records, or to none, the marks stand."""
    count = 0
    for entity, columns in _written():
        for row in _found(uow, entity, columns, marks):
            is_held = any(marks.blacked_out(value) != value for value in row[1:])
            count += is_held and not _belongs(uow, entity, row[0], own)
    return count


def _belongs(uow: UnitOfWork, entity: type[Base], row_id: int, own: Sequence[int]) -> bool:
    table: Any = entity
    if not hasattr(table, "record_id"):
        return False
    return uow.session.scalar(select(table.record_id).where(table.id == row_id)) in own


def _written() -> Iterator[tuple[type[Base], list[_Column]]]:
    """Every table with rows of their own, and its columns that hold text."""
    entities: list[type[Base]] = [mapper.class_ for mapper in Base.registry.mappers]
    for entity in sorted(entities, key=lambda one: one.__tablename__):
        if WorkspaceScoped not in entity.__mro__ or entity.__tablename__ in _SPARED:
            continue
        columns = [
            getattr(entity, column.key)
            for column in entity.__table__.columns
            if isinstance(column.type, (JSON, String, Text)) and not column.key.endswith("_key")
        ]
        if columns:
            yield entity, columns


def _found(uow: UnitOfWork, entity: type[Base], columns: Sequence[_Column], marks: Marks) -> Iterator[Any]:
    if not marks.texts:
        return
    table: Any = entity
    ids = uow.session.scalars(
        select(table.id).where(or_(*(holds(uow, column, marks) for column in columns)))
    ).all()
    for part in chunks(sorted(ids)):
        yield from uow.session.execute(select(table.id, *columns).where(table.id.in_(part))).all()


def holds(uow: UnitOfWork, column: _Column, marks: Marks) -> ColumnElement[bool]:
    """Rows whose text may hold one of the marks: more than do, none too few."""
    is_sqlite = uow.session.get_bind().dialect.name == "sqlite"
    # SQLite's lower() leaves everything but ASCII alone; PostgreSQL is told to do the same.
    text: Any = cast(column, Text)
    plain = func.lower(text) if is_sqlite else func.lower(text.collate("C"))
    place = func.instr if is_sqlite else func.strpos
    return (
        or_(*(place(plain, literal(needle)) > 0 for needle in marks.needles))
        if marks.needles
        else literal(False)
    )
