"""init and serve: making the house ready and opening its doors."""

from __future__ import annotations

import click

from builder.commands.context import read_settings


@click.command()
def init() -> None:
    """Create or upgrade the database."""
    settings = read_settings()
    from builder.db.migrate import upgrade

    upgrade(settings.database_owner_url, settings.app_role)
    from builder.jobs.tables import migrate

    migrate(settings.database_owner_url, settings.app_role)
    click.echo("The database is ready.")


@click.command()
def serve() -> None:
    """Serve the application until interrupted (HOST and PORT say where)."""
    settings = read_settings()
    from builder.server import Server, check_port_is_free

    check_port_is_free(settings)
    click.echo(f"Funnelwright is at http://{settings.host}:{settings.port}/  (stop it with Ctrl-C)")
    Server(settings).run()
