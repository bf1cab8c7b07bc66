"""What the commands that bring files in say: progress, figures and what was refused."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from builder.commands.context import print_json

if TYPE_CHECKING:
    from builder.db.imports import ImportJob
    from builder.exchange.blobs import BlobStore
    from builder.services.import_checks import Report
    from builder.services.import_runs import Progress
    from builder.services.unit_of_work import UnitOfWork

_SHOWN_REFUSALS = 20


class Bar:
    """Progress on standard error: redrawn in a terminal, silent elsewhere."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()

    def show(self, progress: Progress) -> None:
        if not self._is_terminal:
            return
        share = progress.done / progress.total if progress.total else 1.0
        full = round(share * 30)
        click.echo(
            f"\r[{'#' * full}{'.' * (30 - full)}] {share:4.0%}  {progress.done} of {progress.total} rows, "
            f"{progress.refused} refused",
            nl=False,
            err=True,
        )

    def end(self) -> None:
        if self._is_terminal:
            click.echo("", err=True)


def tell_result(
    uow: UnitOfWork, blobs: BlobStore, job: ImportJob, seconds: float, options: dict[str, Any]
) -> None:
    from builder.db.ids import to_public
    from builder.exchange.results import write_result
    from builder.queries.imports import refusals, verdicts
    from builder.services.imports import OpenFile

    refused = refusals(uow.session, job.id, limit=_SHOWN_REFUSALS)
    if options["result"]:
        with (
            OpenFile(blobs, job) as table,
            options["result"].open("w", encoding="utf-8-sig", newline="") as out,
        ):
            for text in write_result(table, verdicts(uow.session, job.id), _english_problem):
                out.write(text)
    counts = {
        "rows": job.done_rows,
        "created": job.created_rows,
        "updated": job.updated_rows,
        "unchanged": job.unchanged_rows,
        "refused": job.refused_rows,
    }
    if options["as_json"]:
        print_json(
            {
                "import": to_public(job.id),
                "object": job.object_key,
                "status": job.status,
                **counts,
                "seconds": round(seconds, 3),
                "refusals": [
                    {"line": item.line, "column": item.column, "reason": english(item.message, item.values)}
                    for item in refused
                ],
            }
        )
    else:
        click.echo(", ".join(f"{number} {name}" for name, number in counts.items()) + f" in {seconds:.1f} s.")
        for item in refused:
            click.echo(f"  line {item.line}, {item.column}: {english(item.message, item.values)}", err=True)
        if job.refused_rows > len(refused):
            click.echo(
                f"  … and {job.refused_rows - len(refused)} more (--result OUT.csv lists all)", err=True
            )
    if options["strict"] and job.refused_rows:
        sys.exit(1)


def english(message: str, values: dict[str, Any]) -> str:
    """A message as text; labels in English."""
    shown = {
        name: value.get("en") or next(iter(value.values()), "") if isinstance(value, dict) else value
        for name, value in values.items()
    }
    return message % shown if shown else message


def _english_problem(item: Any) -> str:
    return english(item.message, item.values)


def tell_check(report: Report, options: dict[str, Any]) -> None:
    """The verdict on every row of a file of which nothing was written."""
    if options["as_json"]:
        facts = asdict(report)
        for item in facts["refusals"]:
            item["reason"] = english(item.pop("message"), item.pop("values"))
        print_json(facts)
    else:
        click.echo(
            f"{report.rows} rows: {report.created} would be created, {report.updated} updated, "
            f"{report.unchanged} unchanged, {report.refused} refused. Nothing was written."
        )
        for item in report.refusals[:_SHOWN_REFUSALS]:
            click.echo(f"  line {item.line}, {item.column}: {english(item.message, item.values)}", err=True)
    if options["strict"] and report.refused:
        sys.exit(1)
