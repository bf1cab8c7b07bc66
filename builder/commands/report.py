"""report: the figures of Insights on the command line, as tables or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from builder.commands.context import open_workspace, print_json
from builder.commands.reasons import reasons
from builder.commands.report_documents import funnel_document, stays_document, wins_document
from builder.commands.report_tables import print_funnel, print_stays, print_wins

if TYPE_CHECKING:
    from builder.domain.pipeline import Pipeline
    from builder.queries.population import Population
    from builder.services.unit_of_work import UnitOfWork

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def report() -> None:
    """Print the figures of Insights."""


report.add_command(reasons)


def _common(command: Any) -> Any:
    for decorate in (
        click.option("--json", "as_json", is_flag=True, help="Answer with JSON."),
        click.option("--currency", default="", help="Whose amounts to print (default: the workspace's)."),
        click.option("--to", "end", type=_DAY, help="First day after the period."),
        click.option("--from", "first", type=_DAY, help="First day of the period, in the workspace's zone."),
        click.option("-w", "--workspace", required=True, metavar="KEY", help="The workspace."),
    ):
        command = decorate(command)
    return command


@report.command()
@_common
@click.option("--by", metavar="FIELD", help="owner, department, close_month, close_quarter or a field.")
@click.option("--object", "object_key", metavar="KEY", help="Which records (default: those that sell).")
@click.option("--pipeline", metavar="NAME", help="Only records of this pipeline.")
def wins(workspace: str, as_json: bool, by: str | None, **options: Any) -> None:
    """Wins and losses: M5, M6, M7, M27 and the cycle M10. With a period: of records closed in it."""
    from builder.queries.dimensions import dimension
    from builder.queries.reports import object_named, pipeline_named
    from builder.queries.wins import win_report

    with open_workspace(workspace) as uow:
        catalog = uow.catalog
        if options["pipeline"]:
            pipelines: tuple[Pipeline, ...] = (pipeline_named(catalog, options["pipeline"]),)
            definition = catalog.object(pipelines[0].object_key)
        else:
            definition = object_named(catalog, options["object_key"])
            pipelines = catalog.pipelines_of(definition.key)
        found = win_report(
            uow.session,
            _population(uow, pipelines, definition.key, options),
            currency=options["currency"] or uow.workspace.currency,
            by=dimension(by, definition) if by else None,
        )
        locale = uow.workspace.locale
        if as_json:
            print_json(wins_document(found, locale))
        else:
            print_wins(found, locale)


@report.command()
@_common
@click.option("--pipeline", required=True, metavar="NAME", help="The pipeline, by key or label.")
@click.option(
    "--mode",
    type=click.Choice(["visited", "strict", "filled", "stay"]),
    default="visited",
    show_default=True,
    help="How conversion is counted (M2a–d).",
)
@click.option("--by", metavar="FIELD", help="owner, department or a field.")
@click.option("--amounts", type=click.Choice(["entry", "now"]), default="entry", show_default=True)
@click.option(
    "--lost-do-not-fill",
    "keeps_lost",
    is_flag=True,
    help="With --mode filled: lost records count only at stages that they visited.",
)
def funnel(workspace: str, as_json: bool, mode: Any, by: str | None, amounts: Any, **options: Any) -> None:
    """The funnel of a pipeline: entries and how they ended (M1), conversion (M2), cumulative (M3)."""
    from builder.domain.funnel import UNLESS_LOST
    from builder.queries.dimensions import dimension
    from builder.queries.funnel import funnel_report
    from builder.queries.reports import pipeline_named

    if options["keeps_lost"]:
        if mode != "filled":
            raise click.UsageError("--lost-do-not-fill belongs to --mode filled.")
        mode = UNLESS_LOST
    with open_workspace(workspace) as uow:
        pipeline = pipeline_named(uow.catalog, options["pipeline"])
        definition = uow.catalog.object(pipeline.object_key)
        found = funnel_report(
            uow.session,
            _population(uow, (pipeline,), definition.key, options),
            pipeline,
            mode,
            currency=options["currency"] or uow.workspace.currency,
            amounts=amounts,
            by=dimension(by, definition) if by else None,
        )
        locale = uow.workspace.locale
        if as_json:
            print_json(funnel_document(found, pipeline, locale))
        else:
            print_funnel(found, pipeline, locale)


@report.command()
@_common
@click.option("--pipeline", required=True, metavar="NAME", help="The pipeline, by key or label.")
def stays(workspace: str, as_json: bool, **options: Any) -> None:
    """Time in stage (completed stays) and which stage follows which; with a period: of stays begun in it."""
    from builder.queries.reports import pipeline_named
    from builder.queries.stays import stay_report

    with open_workspace(workspace) as uow:
        pipeline = pipeline_named(uow.catalog, options["pipeline"])
        population = _population(uow, (pipeline,), pipeline.object_key, options)
        found = stay_report(uow.session, population, pipeline)
        locale = uow.workspace.locale
        if as_json:
            print_json(stays_document(found, pipeline, locale))
        else:
            print_stays(found, pipeline, locale)


def _population(
    uow: UnitOfWork, pipelines: Sequence[Pipeline], object_key: str, options: dict[str, Any]
) -> Population:
    from builder.domain.period import Period
    from builder.queries.population import Population

    first, end = options["first"], options["end"]
    period = Period.read(first.date().isoformat() if first else "", end.date().isoformat() if end else "")
    return Population(
        tuple(pipeline.key for pipeline in pipelines),
        object_key,
        uow.actor,
        period=period,
        time_zone=uow.workspace.time_zone,
        is_rolled_up=all(pipeline.is_counted for pipeline in pipelines),
    )
