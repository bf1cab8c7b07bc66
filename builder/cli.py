"""The command line, `funnelwright`.

A family of commands lives in a module of `builder.commands` and is registered here. Modules are imported
when their command is asked for, so that `funnelwright --help` and small commands start at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from builder import __version__
from builder.commands.context import FunnelwrightGroup

# command: (module of builder.commands, name in it, short help)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "bench": ("bench", "bench", "Measure speed and size."),
    "import": ("exchange", "import_", "Import the rows of a file."),
    "import-together": ("exchange_sets", "import_together", "Import several linked files in one run."),
    "load-history": ("exchange", "load_history", "Load the history in an event log."),
    "demo": ("demo", "demo", "Make a company to try the product with."),
    "worker": ("worker", "worker", "Run background jobs."),
    "init": ("house", "init", "Create or upgrade the database."),
    "move": ("move", "move", "Move a record to another stage."),
    "rebuild": ("maintenance", "rebuild", "Write every copy of a workspace anew."),
    "serve": ("house", "serve", "Serve the application."),
    "verify": ("maintenance", "verify", "Compare every copy of a workspace with the truth."),
    "workspace": ("workspace", "workspace", "Create and list workspaces."),
    "user": ("user", "user", "Add people."),
    "report": ("report", "report", "Print the figures of Insights."),
    "pack": ("pack", "pack", "Check, install and export industry templates."),
}


class _LazyGroup(FunnelwrightGroup):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name, _help = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"builder.commands.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in self.list_commands(ctx)])


@click.command(cls=_LazyGroup)
@click.version_option(__version__, prog_name="funnelwright")
def main(**_options: Any) -> None:
    """Funnelwright: draw the sales process, and the application follows it."""


if __name__ == "__main__":
    main()
