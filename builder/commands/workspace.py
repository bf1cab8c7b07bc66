"""workspace: create one from an industry template or like another, list them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from builder.clock import SystemClock
from builder.commands.context import open_session, print_json

if TYPE_CHECKING:
    from builder.metadata.grammar import Document
    from builder.services.workspaces import WorkspaceFacts


@click.group()
def workspace() -> None:
    """Create and list workspaces."""


@workspace.command()
@click.argument("key")
@click.option("--pack", required=True, metavar="PACK", help="An industry template: its key, folder or file.")
@click.option("--name", default="", help="What people read (default: the key).")
@click.option("--locale", default="en", show_default=True, help="en or zh_Hans.")
@click.option("--zone", default="UTC", show_default=True, help="The time zone of days and periods.")
@click.option("--currency", default="USD", show_default=True, help="Three capital letters.")
@click.option("--sample", is_flag=True, help="With people and a few months of made-up records to look at.")
@click.option(
    "--empty", is_flag=True, help="Only the roles of the template: the rest is set up in the Studio."
)
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
def create(
    key: str,
    pack: str,
    name: str,
    locale: str,
    zone: str,
    currency: str,
    sample: bool,
    empty: bool,
    as_json: bool,
) -> None:
    """Create the workspace KEY and install an industry template in it, all or nothing."""
    if sample and empty:
        raise click.UsageError("--sample and --empty exclude each other")
    from builder.metadata import packs
    from builder.services import definitions, workspaces
    from builder.services import packs as services

    folder = packs.locate(pack)
    document = packs.load(folder)
    facts = workspaces.WorkspaceFacts(key, name, locale, zone, currency)
    if sample:
        _create_with_sample(facts, folder, document, as_json)
        return
    with open_session() as session:
        uow = workspaces.create(session, SystemClock(), facts)
        if empty:
            roles = [each for each in packs.documents(document) if each["kind"] == "role"]
            published = definitions.publish(uow, roles, definitions.Occasion("pack"))
        else:
            published = services.install(uow, document)
        uow.commit()
        made = uow.workspace
    if as_json:
        print_json(
            {
                "key": made.key,
                "name": made.name,
                "locale": made.locale,
                "time_zone": made.time_zone,
                "currency": made.currency,
                "pack": document["key"],
                "definitions": len(published.versions),
            }
        )
    else:
        click.echo(
            f"Workspace {made.key} is there, with {len(published.versions)} definitions of {document['key']}."
        )


def _create_with_sample(facts: WorkspaceFacts, folder: Path, document: Document, as_json: bool) -> None:
    from builder.services.demo.company import make_company
    from builder.services.demo.plan import read_plan

    plan = read_plan(folder, document)
    with open_session() as session:
        made = make_company(session, document, plan, SystemClock().now(), "", facts=facts)
    records = sum(count for name, count in made.happened.items() if name.startswith("created "))
    if as_json:
        print_json({"key": made.workspace_key, "pack": document["key"], "happened": made.happened})
    else:
        click.echo(f"Workspace {made.workspace_key} is there, with {records} sample records.")


@workspace.command()
@click.argument("source")
@click.argument("key")
@click.option("--name", default="", help="What people read (default: the key).")
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
def clone(source: str, key: str, name: str, as_json: bool) -> None:
    """Create the workspace KEY with the definitions of SOURCE and none of its records or people."""
    from builder.commands.context import open_workspace
    from builder.services import clones, workspaces

    with open_workspace(source) as uow:
        setup, like = clones.setup_of(uow), uow.workspace
    facts = workspaces.WorkspaceFacts(key, name, like.locale, like.time_zone, like.currency)
    with open_session() as session:
        made = clones.clone(session, SystemClock(), setup, facts)
        made.commit()
    if as_json:
        print_json({"key": made.workspace.key, "source": source, "definitions": len(setup.documents)})
    else:
        click.echo(f"Workspace {key} is there, with {len(setup.documents)} definitions of {source}.")


@workspace.command("list")
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
def list_all(as_json: bool) -> None:
    """List all workspaces of this installation."""
    from builder.services import workspaces

    with open_session() as session:
        found = workspaces.list_workspaces(session)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    for each in found:
        click.echo(f"{each.key:24} {each.currency}  {each.time_zone:24} {each.name}")
    if not found:
        click.echo("There is no workspace yet. Make one: funnelwright workspace create KEY --pack b2b")
