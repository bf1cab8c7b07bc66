"""Counting a pipeline anew in the background, after a publish changed its steps (issue 4: publish ≤ 1 s).

The roll-up follows the order of steps that is in force, so another order needs other sums of every record.
While they are made, the live version says how far: records up to that id are in the sums, and every write
goes on adding what it changes of those; the others are left out of sums until their turn. Readers count the
records and stays themselves meanwhile (``Pipeline.is_counted``): slower, and as exact.

Where it stands is kept with the version as its one slot, for a pipeline copies no fields; the definitions'
stamp changes with every step, so that every write knows which records count.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select, update

from builder.db.definitions import DefinitionVersion
from builder.db.ids import new_id
from builder.db.ledger import StayRow
from builder.db.people import Workspace
from builder.domain.pipeline import Pipeline
from builder.metadata.compiler import COUNTED_UPTO
from builder.services.ledger import contribution
from builder.services.rollup import RollupChanges, add_to_base
from builder.services.standings import load_standings
from builder.services.unit_of_work import UnitOfWork

BATCH = 1000
FEW = 5000
"""As many stays are counted at once, with the publish itself."""

FROM_THE_START = {COUNTED_UPTO: "0"}


def is_large(uow: UnitOfWork, pipeline_key: str) -> bool:
    """Whether counting a pipeline takes longer than a person should wait for."""
    some = select(StayRow.id).where(StayRow.pipeline_key == pipeline_key).offset(FEW).limit(1)
    return uow.session.scalar(some) is not None


def count_batch(uow: UnitOfWork, pipeline_key: str) -> bool:
    """Add the next records to the sums; answers whether there may be more. The caller commits.

    Alone, so that no write between changes what is being added. Run again after a crash it goes on where it
    stood, and for a pipeline that is counted it does nothing.
    """
    uow.begin(alone=True)
    pipeline = uow.catalog.pipelines.get(pipeline_key)
    if pipeline is None or pipeline.counted_upto is None:
        return False
    ids = uow.session.scalars(
        select(StayRow.record_id)
        .where(StayRow.pipeline_key == pipeline_key, StayRow.record_id > pipeline.counted_upto)
        .distinct()
        .order_by(StayRow.record_id)
        .limit(BATCH)
    ).all()
    is_more = len(ids) == BATCH
    _say(uow, pipeline, ids[-1] if is_more else None)
    changes = RollupChanges()
    for standing in load_standings(uow, ids, of_everyone=True).values():
        contribution(uow, standing.record, standing.stays, changes, +1)
    add_to_base(uow, changes.cells(uow.workspace.id, pipeline_key))
    return is_more


def _say(uow: UnitOfWork, pipeline: Pipeline, upto: int | None) -> None:
    """Remember how far the sums go (``None``: all), for every process by a new stamp."""
    slots = {} if upto is None else {COUNTED_UPTO: str(upto)}
    version = update(DefinitionVersion).where(DefinitionVersion.id == pipeline.version_id)
    uow.session.execute(version.values(slots=slots))
    renew_stamp(uow)


def renew_stamp(uow: UnitOfWork) -> None:
    """A new stamp, unlike any before even after a rollback, and with it the new catalog."""
    stamp = new_id()
    uow.session.execute(
        update(Workspace).where(Workspace.id == uow.workspace.id).values(definitions_stamp=stamp)
    )
    uow.workspace = replace(uow.workspace, definitions_stamp=stamp)
    uow.renew_catalog()
