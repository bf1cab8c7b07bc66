"""worker: a process that runs background jobs."""

from __future__ import annotations

import os
import signal
import sys
import threading

import click

from builder.commands.context import read_settings


@click.command()
def worker() -> None:
    """Run background jobs until interrupted.

    On PostgreSQL any number of workers share the work, on any number of machines. On SQLite the server runs
    the jobs by itself, and a worker is only useful while no server runs.
    """
    from builder.jobs.runner import JobRunner

    runner = JobRunner(read_settings())
    ended = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())
    if not runner.start():
        click.echo("funnelwright: another process runs the jobs of this database already", err=True)
        sys.exit(1)
    click.echo(f"Jobs run here as {runner.executor_id}  (stop it with Ctrl-C)", err=True)
    ended.wait()
    runner.stop()
    # A batch that is being written is given up, as after a crash: the next start goes on with it. Waiting for
    # the whole file, as the interpreter would, might take an hour.
    sys.stderr.flush()
    os._exit(0)
