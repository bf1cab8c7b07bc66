"""`bench`: the figures of tests/bench, from a checkout of the source."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from builder.errors import N_, Unavailable

NOT_HERE = N_("The benchmarks come with the source, not with the installed product. Run this in a checkout.")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Measure speed and size on both databases; arguments go to the benchmarks (try --help after --)."""
    import subprocess

    root = Path(__file__).parents[2]
    if not (root / "tests" / "bench" / "__main__.py").exists():
        raise Unavailable(NOT_HERE)
    # Fixed program, arguments of the person at this terminal.
    done = subprocess.run([sys.executable, "-m", "tests.bench", *arguments], cwd=root, check=False)  # noqa: S603
    sys.exit(done.returncode)
