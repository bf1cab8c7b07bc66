"""How far pipelines are counted anew after a publish changed their steps (``services.counting``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import case, func, select

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Counting:
    """A pipeline that is being counted: so many of its records are in the sums."""

    pipeline: Pipeline
    done: int
    count: int


def countings(session: WorkspaceSession, pipelines: Iterable[Pipeline]) -> list[Counting]:
    """Those of the pipelines that are being counted: no statement while none is, else one each."""
    found = []
    for pipeline in pipelines:
        if pipeline.counted_upto is not None:
            is_done = case((Record.id <= pipeline.counted_upto, 1), else_=0)
            asked = select(func.coalesce(func.sum(is_done), 0), func.count()).where(
                Record.pipeline_key == pipeline.key
            )
            done, count = session.execute(asked).one()
            found.append(Counting(pipeline, int(done), count))
    return found
