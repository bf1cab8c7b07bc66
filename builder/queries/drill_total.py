"""How many rows stand behind a figure: what the funnel itself says, where it says so quickly (B4)."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Select, and_, func, select

from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.funnel import Mode, StepFigures
from builder.domain.pipeline import Pipeline
from builder.queries.behind import Figure, clause_of
from builder.queries.funnel import funnel_report, snapshot, source_of
from builder.queries.population import Population, clauses

# Each of these modes counts whatever those before it count.
_WIDENING = ("strict", "visited", "filled_unless_lost", "filled")


def total_behind(
    session: WorkspaceSession, population: Population, pipeline: Pipeline, figure: Figure
) -> int:
    """Exactly how many. At most two statements: the sums of the roll-up or of journeys, which cost the same
    whatever the number of rows; where neither tells, the rows are counted.
    """
    if figure.name == "now":
        told = _present(session, population, pipeline, figure)
    else:
        told = _told(session, population, pipeline, figure)
    return _counted(session, population, pipeline, figure) if told is None else told


def _present(
    session: WorkspaceSession, population: Population, pipeline: Pipeline, figure: Figure
) -> int | None:
    if population.condition is not None or not pipeline.is_counted:
        return None
    stages = snapshot(session, population, pipeline, currency="").stages
    return next((stock.n for stock in stages if stock.stage == figure.stage), None)


def _told(
    session: WorkspaceSession, population: Population, pipeline: Pipeline, figure: Figure
) -> int | None:
    if source_of(population, pipeline, "none", None) == "stays":
        return None
    modes = [figure.mode]
    if figure.except_mode and figure.name in ("numerator", "denominator") and figure.unit == "record":
        modes.append(figure.except_mode)
        if not set(modes) <= set(_WIDENING):
            return None
    numbers = []
    for mode in modes:
        report = funnel_report(session, population, pipeline, cast(Mode, mode), currency="", amounts="none")
        step = next((step for step in report.figures.steps if step.stage == figure.stage), None)
        number = None if step is None else _number(step, figure)
        if number is None:
            return None
        numbers.append(number)
    return max(0, numbers[0] - sum(numbers[1:]))


def _number(step: StepFigures, figure: Figure) -> int | None:
    if figure.name not in ("numerator", "denominator"):
        return cast(int, getattr(step, figure.name))
    if figure.unit == "stay":
        return step.exits if figure.name == "denominator" else step.advanced + step.won
    return step.reached if figure.name == "denominator" else step.numerator


def _counted(session: WorkspaceSession, population: Population, pipeline: Pipeline, figure: Figure) -> int:
    people = clauses(population.only(pipeline.key), is_there_now=figure.name == "now")
    where = and_(people, clause_of(pipeline, figure, population.edges))
    statement: Select[*tuple[int]] = select(func.count()).select_from(Record).where(where)
    if figure.unit == "stay":
        of_record = and_(Record.workspace_id == StayRow.workspace_id, Record.id == StayRow.record_id)
        statement = select(func.count(StayRow.id)).select_from(StayRow).join(Record, of_record).where(where)
    return int(session.scalar(statement) or 0)
