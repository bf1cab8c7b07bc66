"""What every command starts from: the settings, and errors said in one way."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import click

from builder.errors import FunnelwrightError
from builder.settings import Settings, SettingsError

BAD_SETTING = 2


def read_settings() -> Settings:
    """The settings of this process. A bad one is told on standard error and ends the command with 2."""
    try:
        return Settings.from_environ()
    except SettingsError as error:
        click.echo(f"funnelwright: {error}", err=True)
        sys.exit(BAD_SETTING)


def print_json(value: Mapping[str, Any] | list[Any]) -> None:
    """One JSON document on standard output, readable in a terminal in any language."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


class FunnelwrightGroup(click.Group):
    """The group of all commands: a person's error ends with its text and exit code, never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
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
