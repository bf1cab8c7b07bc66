"""Values of existing records read anew after a field of their object got another type (part 2)."""

from __future__ import annotations

from sqlalchemy import bindparam, or_, select, update

from builder.db.records import Record
from builder.domain.fields import JsonValue, ObjectDefinition
from builder.metadata.retyping import reading, retypings
from builder.services.unit_of_work import UnitOfWork

BATCH = 1000


def convert_values(uow: UnitOfWork, before: ObjectDefinition, now: ObjectDefinition) -> int:
    """Bring the values of all records, deleted ones too, to the types that their fields have now.

    What does not fit is put aside in the record itself (``metadata.retyping``). Formulas are computed anew.
    How many records were written. Runs in the transaction of the publish, so that nobody reads a value of
    one type as another, a batch in memory at a time.
    """
    context = reading(uow.workspace, uow.clock.now())
    changes = list(retypings(before.fields, now.fields, context))
    if not changes:
        return 0
    held = or_(
        *(Record.data[name].as_string().is_not(None) for one in changes for name in (one.key, one.kept))
    )
    written, last = 0, 0
    while True:
        rows = uow.session.execute(
            select(Record.id, Record.data)
            .where(Record.object_key == now.key, Record.id > last, held)
            .order_by(Record.id)
            .limit(BATCH)
        ).all()
        if not rows:
            return written
        last = rows[-1].id
        changed = []
        for row in rows:
            data = row.data
            for one in changes:
                data = one.applied(data)
            changed.append((row.id, now.fields.computation.apply(data)))
        _write(uow, changed)
        written += len(changed)


def _write(uow: UnitOfWork, changed: list[tuple[int, dict[str, JsonValue]]]) -> None:
    table = Record.__table__
    statement = (
        update(table)  # type: ignore[arg-type]
        .where(table.c.workspace_id == bindparam("b_workspace"), table.c.id == bindparam("b_id"))
        .values(data=bindparam("b_data", type_=table.c.data.type))
    )
    rows = [{"b_workspace": uow.workspace.id, "b_id": id, "b_data": data} for id, data in changed]
    # Through the connection, because the session takes many rows of one statement by primary key only.
    uow.session.connection().execute(statement, rows)
