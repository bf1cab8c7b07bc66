"""workspace: create one from an industry template, list them."""

from __future__ import annotations

from dataclasses import asdict

import click

from builder.clock import SystemClock
from builder.commands.context import open_session, print_json


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
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
def create(key: str, pack: str, name: str, locale: str, zone: str, currency: str, as_json: bool) -> None:
    """Create the workspace KEY and install an industry template in it, all or nothing."""
    from builder.metadata import packs
    from builder.services import packs as services
    from builder.services import workspaces

    document = packs.load(packs.locate(pack))
    facts = workspaces.WorkspaceFacts(key, name, locale, zone, currency)
    with open_session() as session:
        uow = workspaces.create(session, SystemClock(), facts)
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
