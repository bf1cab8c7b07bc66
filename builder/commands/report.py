"""report: the figures of Insights on the command line, as tables or as JSON.

Amounts are plain numbers in major units of ``currency``, rates are fractions of 1, ``null`` where there is
nothing to divide by.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from builder.commands.context import open_workspace, print_json
from builder.commands.reasons import reasons

if TYPE_CHECKING:
    from builder.domain.funnel import FunnelFigures
    from builder.domain.pipeline import Pipeline
    from builder.domain.wins import WinFigures
    from builder.queries.dimensions import GroupName
    from builder.queries.funnel import FunnelReport
    from builder.queries.population import Population
    from builder.queries.stays import StayReport
    from builder.queries.wins import WinReport
    from builder.services.unit_of_work import UnitOfWork

_DAY = click.DateTime(["%Y-%m-%d"])
_FLOW = (
    "entered",
    "advanced",
    "back",
    "repeated",
    "won",
    "lost",
    "invalid",
    "changed_pipeline",
    "migrated",
    "still_there",
)


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
            print_json(_wins_document(found, locale))
        else:
            _print_wins(found, locale)


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
            print_json(_funnel_document(found, pipeline, locale))
        else:
            _print_funnel(found, pipeline, locale)


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
            print_json(_stays_document(found, pipeline, locale))
        else:
            _print_stays(found, pipeline, locale)


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
    )


def _number(value: Fraction | float | int | None) -> int | float | None:
    """A JSON number: whole ones without a point."""
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)


def _rate(value: Fraction | None) -> float | None:
    return None if value is None else float(value)


def _major(minor: Fraction | float | int | None, currency: str) -> int | float | None:
    """Minor units as a plain number of major units."""
    from builder.domain.money import exponent

    if minor is None:
        return None
    return _number(Fraction(minor) / 10 ** (exponent(currency) if currency else 0))


def _key(name: GroupName, locale: str) -> str | None:
    return name.label.text(locale) if name.label else name.text


def _wins_document(found: WinReport, locale: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "currency": found.currency,
        "total": _wins_figures(found.total, found.currency),
        "groups": [
            {"key": _key(group.name, locale), **_wins_figures(group.figures, found.currency)}
            for group in found.groups
        ],
    }
    return document


def _wins_figures(figures: WinFigures, currency: str) -> dict[str, Any]:
    counts = figures.counts
    return {
        "opportunities": figures.opportunities,
        "won": counts.won,
        "lost": counts.lost,
        "invalid": counts.invalid,
        "open": counts.open,
        "win_rate": _rate(figures.win_rate),
        "win_rate_broad": _rate(figures.win_rate_broad),
        "win_rate_by_value": _rate(figures.win_rate_by_value),
        "won_share": _rate(figures.won_share),
        "won_amount": _major(counts.won_minor, currency),
        "average_won": _major(figures.average_won_minor, currency),
        "median_won": _major(counts.median_won_minor, currency),
        "cycle_days": {
            "n": counts.cycle.n,
            "mean": _number(counts.cycle.mean),
            "median": _number(counts.cycle.median),
        },
        "other_currency": counts.other_currency,
    }


def _stage_name(pipeline: Pipeline, key: str, locale: str) -> str:
    stage = pipeline.by_key.get(key)
    return stage.label.text(locale) if stage else key


def _funnel_document(found: FunnelReport, pipeline: Pipeline, locale: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "definition": found.figures.definition,
        "mode": found.figures.mode,
        "currency": found.currency,
        "steps": _steps(found.figures, pipeline, found.currency, locale),
        "identity": found.figures.identity,
    }
    if found.groups:
        document["groups"] = [
            {
                "key": _key(group.name, locale),
                "steps": _steps(group.figures, pipeline, found.currency, locale),
                "identity": group.figures.identity,
            }
            for group in found.groups
        ]
    return document


def _steps(figures: FunnelFigures, pipeline: Pipeline, currency: str, locale: str) -> list[dict[str, Any]]:
    return [
        {
            "stage": _stage_name(pipeline, step.stage, locale),
            **{name: getattr(step, name) for name in _FLOW},
            "numerator": step.numerator,
            "denominator": step.denominator,
            "rate": _rate(step.rate),
            "reached": step.reached,
            "cumulative": _rate(step.cumulative),
            "win_rate": _rate(step.win_rate),
            "amount": _major(step.amount_minor, currency),
            "key": step.stage,
        }
        for step in figures.steps
    ]


def _stays_document(found: StayReport, pipeline: Pipeline, locale: str) -> dict[str, Any]:
    return {
        "stages": [
            {
                "stage": _stage_name(pipeline, time.stage_key, locale),
                "n": time.n,
                "mean_seconds": _number(time.mean_seconds),
                "median_seconds": _number(time.median_seconds),
                "entered": time.entered,
                "running": time.running,
                "key": time.stage_key,
            }
            for time in found.stages
        ],
        "directly_follows": [
            {
                "from": _stage_name(pipeline, pair.source, locale),
                "to": _stage_name(pipeline, pair.target, locale),
                "n": pair.n,
                "mean_seconds": _number(pair.mean_seconds),
            }
            for pair in found.follows
        ],
    }


def _print_wins(found: WinReport, locale: str) -> None:
    lines = [("Total", found.total)]
    lines += [(_key(group.name, locale) or "(none)", group.figures) for group in found.groups]
    rows = []
    for label, figures in lines:
        counts = figures.counts
        rows.append(
            (
                label,
                figures.opportunities,
                counts.won,
                counts.lost,
                counts.invalid,
                counts.open,
                _percent(figures.win_rate),
                _percent(figures.won_share),
                _plain(_major(counts.won_minor, found.currency)),
                _plain(_number(counts.cycle.median)),
            )
        )
    amount = f"won {found.currency}".strip()
    _print_table(
        ("", "all", "won", "lost", "invalid", "open", "win rate", "won share", amount, "days (median)"), rows
    )


def _print_funnel(found: FunnelReport, pipeline: Pipeline, locale: str) -> None:
    click.echo(found.figures.definition)
    rows = [
        (
            _stage_name(pipeline, step.stage, locale),
            step.entered,
            step.reached,
            "—" if step.denominator is None else f"{step.numerator}/{step.denominator}",
            _percent(step.rate),
            _percent(step.cumulative),
            step.still_there,
            _plain(_major(step.amount_minor, found.currency)),
        )
        for step in found.figures.steps
    ]
    amount = f"amount {found.currency}".strip()
    _print_table(("", "entered", "reached", "to next", "rate", "of first", "still there", amount), rows)
    click.echo("Identity of M1: holds." if found.figures.identity else "Identity of M1: BROKEN.")


def _print_stays(found: StayReport, pipeline: Pipeline, locale: str) -> None:
    rows = [
        (
            _stage_name(pipeline, time.stage_key, locale),
            time.n,
            _plain(_number(time.mean_seconds)),
            _plain(_number(time.median_seconds)),
            time.running,
        )
        for time in found.stages
    ]
    _print_table(("", "completed", "mean s", "median s", "running"), rows)
    click.echo()
    pairs = [
        (
            _stage_name(pipeline, pair.source, locale),
            _stage_name(pipeline, pair.target, locale),
            pair.n,
            _plain(_number(pair.mean_seconds)),
        )
        for pair in found.follows
    ]
    _print_table(("from", "to", "n", "mean s"), pairs)


def _percent(value: Fraction | None) -> str:
    return "—" if value is None else f"{float(value):.2%}"


def _plain(value: int | float | None) -> str:
    if value is None:
        return "—"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _print_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns as wide as their longest text: words to the left, the rest to the right."""
    texts = [tuple(str(cell) for cell in row) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(headers, *texts, strict=True)]
    for line in (tuple(headers), *texts):
        first, *others = (
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        click.echo("  ".join((first, *others)).rstrip())
