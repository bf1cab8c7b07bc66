"""pack: check, install, upgrade, export, plan and apply industry templates."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from builder.commands.context import open_workspace, print_json

if TYPE_CHECKING:
    from builder.metadata.grammar import DefinitionProblem
    from builder.services.pack_apply import Change, Comparison

CHANGES_WAIT = 3
"""What ``plan`` ends with when there is something to apply; 0 says that there is nothing."""


@click.group()
def pack() -> None:
    """Check, install, upgrade and export industry templates; plan and apply them as code."""


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
    _tell(found, as_json=as_json)
    if any(problem.is_error for problem in found):
        sys.exit(1)


def _tell(found: list[DefinitionProblem], *, as_json: bool) -> None:
    """Problems with their file and pointer, and how many there are."""
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
        return
    for problem in found:
        text = problem.message % problem.values if problem.values else problem.message
        click.echo(f"{problem.severity:5} {problem.file}#{problem.place}: {text}")
    click.echo(f"{errors} errors, {len(found) - errors} warnings and hints.")


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


@pack.command()
@click.argument("path", metavar="PACK")
@click.option("-w", "--workspace", required=True, metavar="KEY", help="The workspace.")
@click.option("--prefer", type=click.Choice(["ours", "theirs"]), help="Who wins where both changed it.")
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
def upgrade(path: str, workspace: str, prefer: str | None, as_json: bool) -> None:
    """Bring an installed PACK to this version; what was changed in the workspace stays (three-way merge).

    Contradictions are named and nothing is written, unless --prefer decides them all.
    """
    from builder.metadata import packs
    from builder.metadata.pack_plan import Decisions
    from builder.services import packs as services

    document = packs.load(packs.locate(path))
    with open_workspace(workspace) as uow:
        decisions = Decisions(prefers=prefer)  # type: ignore[arg-type]
        published = services.upgrade(uow, document, decisions=decisions)
        uow.commit()
    names = [f"{kind}/{key}" for kind, key, _ in published.versions]
    if as_json:
        print_json({"pack": document["key"], "version": document["version"], "definitions": names})
    else:
        click.echo(f"{document['key']} {document['version']}: {len(names)} definitions changed.")


@pack.command()
@click.argument("path", metavar="FILE")
@click.option("-w", "--workspace", required=True, metavar="KEY", help="The workspace.")
@click.option("--prune", is_flag=True, help="Definitions that FILE does not name go.")
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
def plan(path: str, workspace: str, prune: bool, as_json: bool) -> None:
    """Say what applying FILE would change. Ends with 0: nothing; 3: something; 1: FILE is refused."""
    from builder.metadata import packs
    from builder.services.pack_apply import compare

    document = _sound(path, as_json=as_json)
    with open_workspace(workspace) as uow:
        try:
            found = compare(uow, document, prune=prune)
        except packs.BrokenPack as error:
            _refuse(error, as_json=as_json)
    _tell_changes(found, as_json=as_json)
    if found.changes:
        sys.exit(CHANGES_WAIT)


@pack.command()
@click.argument("path", metavar="FILE")
@click.option("-w", "--workspace", required=True, metavar="KEY", help="The workspace.")
@click.option("--prune", is_flag=True, help="Definitions that FILE does not name go.")
@click.option(
    "--draft", "as_draft", is_flag=True, help="Only among the drafts, to be published in the Studio."
)
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
def apply(path: str, workspace: str, prune: bool, as_draft: bool, as_json: bool) -> None:
    """Make a workspace what FILE says, as one change set that can be taken back in the Studio."""
    from builder.metadata import packs
    from builder.services import pack_apply

    document = _sound(path, as_json=as_json)
    with open_workspace(workspace) as uow:
        uow.begin(alone=True)
        try:
            found = pack_apply.compare(uow, document, prune=prune)
            pack_apply.apply(uow, document, prune=prune, as_draft=as_draft)
        except packs.BrokenPack as error:
            _refuse(error, as_json=as_json)
        uow.commit()
    _tell_changes(found, as_json=as_json)


def _sound(path: str, *, as_json: bool) -> dict[str, Any]:
    """The pack of a file or folder; what is wrong with it is told and ends the command."""
    from builder.metadata import packs

    try:
        document = packs.load(packs.locate(path))
        packs.refuse_broken(document)
    except packs.BrokenPack as error:
        _refuse(error, as_json=as_json)
    return document


def _refuse(error: Any, *, as_json: bool) -> None:
    from builder.metadata.grammar import DefinitionProblem

    _tell([each for each in error.problems if isinstance(each, DefinitionProblem)], as_json=as_json)
    sys.exit(1)


def _tell_changes(found: Comparison, *, as_json: bool) -> None:
    """The differences in words, or for machines."""
    if as_json:
        print_json(
            {
                "changes": [line for change in found.changes for line in _machine_lines(change)],
                "touched": [
                    {"concern": each.concern.kind, "key": each.concern.key, "part": each.concern.part}
                    | {"count": each.count}
                    for each in found.touched
                ],
            }
        )
        return
    for change in found.changes:
        click.echo("\n".join(_lines(change)))
    for each in found.touched:
        part = f" “{each.concern.label.text('en')}”"
        click.echo(f"! {each.concern.kind}{part}: {each.count}")
    click.echo(f"{len(found.changes)} definitions differ." if found.changes else "Nothing to change.")


def _lines(change: Change) -> list[str]:
    name = "/".join(change.name)
    sign = {"added": "+", "removed": "-", "changed": "~"}[change.what]
    if change.what != "changed":
        return [f"{sign} {name}"]
    return [
        f"{sign} {name}: {' › '.join(label.text('en') for label in each.path)}: "
        f"{_short(each.before)} → {_short(each.after)}"
        for each in change.differences()
    ]


def _short(value: Any) -> str:
    """A value on one line."""
    import json

    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else text[:119] + "…"


def _machine_lines(change: Change) -> list[dict[str, Any]]:
    kind, key = change.name
    return [
        {"kind": kind, "key": key, "what": each.what if each.path else change.what, "pointer": each.place}
        | {"path": [label.text("en") for label in each.path], "before": each.before, "after": each.after}
        for each in change.differences()
    ]
