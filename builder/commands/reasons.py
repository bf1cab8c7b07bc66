"""report reasons: win tactics, loss and invalid reasons, ranked (S40)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from builder.commands.context import open_workspace, print_json

if TYPE_CHECKING:
    from builder.domain.pipeline import Pipeline
    from builder.queries.reasons import ReasonReport, Tally

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("-w", "--workspace", required=True, metavar="KEY", help="The workspace.")
@click.option("--pipeline", required=True, metavar="NAME", help="The pipeline, by key or label.")
@click.option("--from", "first", type=_DAY, help="First day of the period, in the workspace's zone.")
@click.option("--to", "end", type=_DAY, help="First day after the period.")
@click.option("--currency", default="", help="Whose amounts to print (default: the workspace's).")
@click.option("--rank", type=click.Choice(["count", "amount"]), default="count", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
def reasons(workspace: str, pipeline: str, currency: str, rank: Any, as_json: bool, **period: Any) -> None:
    """Why records ended as they did: tactics that won, reasons of what was lost or invalid, by stage left.
    With a period: of records closed in it."""
    from builder.domain.period import Period
    from builder.queries.population import Population
    from builder.queries.reasons import reason_report
    from builder.queries.reports import pipeline_named

    with open_workspace(workspace) as uow:
        found = pipeline_named(uow.catalog, pipeline)
        days = [period[name].date().isoformat() if period[name] else "" for name in ("first", "end")]
        population = Population(
            (found.key,),
            found.object_key,
            uow.actor,
            period=Period.read(*days),
            time_zone=uow.workspace.time_zone,
        )
        report = reason_report(
            uow.session, population, currency=currency or uow.workspace.currency, rank=rank
        )
        document = _document(report, found, uow.workspace.locale)
    if as_json:
        print_json(document)
    else:
        _print(document)


def _document(report: ReasonReport, pipeline: Pipeline, locale: str) -> dict[str, Any]:
    """Amounts in major units of ``currency``, shares as fractions of 1, in the order of the rank."""
    answer: dict[str, Any] = {"currency": report.currency}
    stages = {stage.key: stage.label.text(locale) for stage in pipeline.stages}
    for outcome, found in report.outcomes.items():
        labels = {
            reason.key: reason.label.text(locale)
            for kind, known in pipeline.reasons.items()
            if kind == outcome
            for reason in known
        }
        answer[outcome] = {
            **_tally(found.total, report.currency),
            "reasons": [
                {
                    "key": row.reason,
                    "reason": labels.get(row.reason or "", row.reason),
                    **_tally(row.total, report.currency),
                    "share": None if row.share is None else float(row.share),
                    "stages": [
                        {
                            "key": key,
                            "stage": stages.get(key or "", key),
                            **_tally(part, report.currency),
                        }
                        for key, part in row.stages.items()
                    ],
                }
                for row in found.rows
            ],
        }
    return answer


def _tally(tally: Tally, currency: str) -> dict[str, int | float]:
    from builder.domain.money import exponent

    scale = 10 ** (exponent(currency) if currency else 0)
    whole, rest = divmod(tally.amount_minor, scale)
    return {"n": tally.n, "amount": tally.amount_minor / scale if rest else whole}


def _print(document: dict[str, Any]) -> None:
    for outcome in ("won", "lost", "invalid"):
        found = document[outcome]
        click.echo(f"{outcome}: {found['n']}")
        for row in found["reasons"]:
            amount = f"{row['amount']:,} {document['currency']}".strip()
            click.echo(f"  {row['n']:>7,}  {row['share']:>7.1%}  {amount:>18}  {row['reason'] or '(none)'}")
