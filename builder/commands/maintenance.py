"""`rebuild` and `verify`: recompute every copy from the truth, or compare (idea 4)."""

from __future__ import annotations

import sys

import click

from builder.commands.context import open_workspace, print_json


@click.command()
@click.option("-w", "--workspace", required=True, metavar="KEY", help="The workspace.")
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
def rebuild(workspace: str, as_json: bool) -> None:
    """Write typed columns, slots, search, links and sums of a workspace anew."""
    from builder.services import maintenance

    with open_workspace(workspace) as uow:
        count = maintenance.rebuild(uow)
        uow.commit()
    if as_json:
        print_json({"workspace": workspace, "records": count})
    else:
        click.echo(f"{count} records rebuilt.")


@click.command()
@click.option("-w", "--workspace", required=True, metavar="KEY", help="The workspace.")
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
def verify(workspace: str, as_json: bool) -> None:
    """Compare every copy in a workspace with the truth; ends with 1 when something differs."""
    from builder.services import maintenance

    with open_workspace(workspace) as uow:
        report = maintenance.verify(uow)
    if as_json:
        print_json(
            {
                "workspace": workspace,
                "records": report.records,
                "clean": report.is_clean,
                "differences": dict(report.differences),
                "examples": report.examples,
            }
        )
    elif report.is_clean:
        click.echo(f"{report.records} records compared, nothing differs.")
    else:
        for kind, number in sorted(report.differences.items()):
            click.echo(f"{kind}: {number} differ, such as {', '.join(report.examples[kind])}")
    if not report.is_clean:
        sys.exit(1)
