"""What every command starts from: the settings, and errors said in one way."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from builder.clock import Clock, SystemClock
from builder.errors import N_, FunnelwrightError, Unavailable
from builder.settings import Settings, SettingsError

if TYPE_CHECKING:
    from builder.db.tenancy import WorkspaceSession
    from builder.services.unit_of_work import UnitOfWork

BAD_SETTING = 2
# Long commands make and drop rows by the thousand; the default threshold of 700 walks the whole heap again
# and again, a tenth of an import.
_GC_THRESHOLDS = (50_000, 20, 50)


def read_settings() -> Settings:
    """The settings of this process. A bad one is told on standard error and ends the command with 2."""
    try:
        return Settings.from_environ()
    except SettingsError as error:
        click.echo(f"funnelwright: {error}", err=True)
        sys.exit(BAD_SETTING)


@contextmanager
def open_session(settings: Settings | None = None) -> Iterator[WorkspaceSession]:
    """A session on the database of this process, bound to no workspace yet; closed at the end.

    Errors: Unavailable when the database does not answer or was never initialised.
    """
    from sqlalchemy import text
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from builder.db.engine import make_engine
    from builder.db.tenancy import WorkspaceSession

    engine = make_engine((settings or read_settings()).database_url)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    except ProgrammingError as error:
        raise Unavailable(N_("The database has no tables yet. Run “funnelwright init” first.")) from error
    except OperationalError as error:
        if "no such table" in str(error.orig):
            raise Unavailable(N_("The database has no tables yet. Run “funnelwright init” first.")) from error
        raise Unavailable(N_("The database does not answer: %(reason)s"), reason=str(error.orig)) from error
    try:
        with WorkspaceSession(engine, expire_on_commit=False) as session:
            yield session
    finally:
        engine.dispose()


@contextmanager
def open_workspace(key: str, clock: Clock | None = None) -> Iterator[UnitOfWork]:
    """A unit of work of the system in the workspace ``key``; what is not committed is rolled back.

    Errors: Unavailable, NotFound.
    """
    from builder.services import workspaces

    with open_session() as session:
        yield workspaces.open_workspace(session, clock or SystemClock(), key)


def print_json(value: Mapping[str, Any] | list[Any]) -> None:
    """One JSON document on standard output, readable in a terminal in any language."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


class FunnelwrightGroup(click.Group):
    """The group of all commands: a person's error ends with its text and exit code, never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        gc.set_threshold(*_GC_THRESHOLDS)
        try:
            return super().invoke(ctx)
        except FunnelwrightError as error:
            click.echo(f"funnelwright: {error}", err=True)
            for problem in error.problems:
                if problem.place:
                    click.echo(f"  at {problem.place}", err=True)
            sys.exit(error.exit_code)
        except SettingsError as error:
            click.echo(f"funnelwright: {error}", err=True)
            sys.exit(BAD_SETTING)
