"""All ids behind a figure at once: what its pages and its total are compared with."""

from __future__ import annotations

from sqlalchemy import and_, select

from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.pipeline import Pipeline
from builder.queries.behind import Figure, clause_of
from builder.queries.population import Population, clauses


def figure_ids(
    session: WorkspaceSession, population: Population, pipeline: Pipeline, figure: Figure
) -> list[int]:
    """Of records, or of stays where the figure counts stays."""
    people = clauses(population.only(pipeline.key), is_there_now=figure.name == "now")
    where = and_(people, clause_of(pipeline, figure, population.edges))
    if figure.unit == "record":
        return list(session.scalars(select(Record.id).where(where).order_by(Record.id)))
    of_record = and_(Record.workspace_id == StayRow.workspace_id, Record.id == StayRow.record_id)
    rows = select(StayRow.id).join(Record, of_record).where(where).order_by(StayRow.id)
    return list(session.scalars(rows))
