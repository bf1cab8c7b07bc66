"""pack: check, install and export industry templates."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from builder.commands.context import open_workspace, print_json


@click.group()
def pack() -> None:
    """Check, install and export industry templates."""


@pack.command()
@click.argument("path")
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
def check(path: str, as_json: bool) -> None:
    """Say everything that is wrong with the template at PATH: a folder, a file, or a shipped one's key."""
    from builder.metadata import packs
    from builder.metadata.grammar import DefinitionProblem

    try:
        found = packs.check(packs.load(packs.locate(path)))
    except packs.BrokenPack as error:
        found = [problem for problem in error.problems if isinstance(problem, DefinitionProblem)]
    errors = sum(problem.is_error for problem in found)
    if as_json:
        print_json(
            {
                "errors": errors,
                "problems": [
                    {
                        "severity": problem.severity,
                        "file": problem.file,
                        "pointer": problem.place,
                        "rule": problem.rule,
                        "message": problem.message % problem.values if problem.values else problem.message,
                    }
                    for problem in found
                ],
            }
        )
    else:
        for problem in found:
            text = problem.message % problem.values if problem.values else problem.message
            click.echo(f"{problem.severity:5} {problem.file}#{problem.place}: {text}")
        click.echo(f"{errors} errors, {len(found) - errors} warnings and hints.")
    if errors:
        sys.exit(1)


@pack.command()
@click.argument("path", metavar="PACK")
@click.option("-w", "--workspace", required=True, metavar="KEY", help="The workspace.")
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
def install(path: str, workspace: str, as_json: bool) -> None:
    """Install PACK (a key, folder or file) into a workspace, all or nothing."""
    from builder.metadata import packs
    from builder.services import packs as services

    document = packs.load(packs.locate(path))
    with open_workspace(workspace) as uow:
        published = services.install(uow, document)
        uow.commit()
    if as_json:
        print_json(
            {
                "pack": document["key"],
                "version": document["version"],
                "workspace": workspace,
                "definitions": [f"{kind}/{key}" for kind, key, _ in published.versions],
            }
        )
    else:
        click.echo(
            f"{document['key']} {document['version']}: {len(published.versions)} definitions installed."
        )


@pack.command()
@click.argument("key", metavar="PACK")
@click.option("-w", "--workspace", required=True, metavar="KEY", help="The workspace.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A folder to write it into.")
@click.option("--json", "as_json", is_flag=True, help="The same as one JSON document (the default).")
def export(key: str, workspace: str, output: Path | None, as_json: bool) -> None:
    """Export PACK as the workspace has it now: one JSON document, or its files into a folder."""
    from builder.metadata import packs
    from builder.services import packs as services

    with open_workspace(workspace) as uow:
        document = services.export(uow, key)
    if output is None or as_json:
        click.echo(packs.combined(document), nl=False)
    if output is not None:
        try:
            packs.write(document, output)
        except OSError as error:
            raise click.ClickException(f"cannot write {output}: {error.strerror or error}") from error
