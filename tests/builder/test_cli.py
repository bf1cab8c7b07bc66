"""The command line: helps at once, ends with honest codes, tells errors without tracebacks."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from builder.cli import COMMANDS, main
from builder.commands.context import FunnelwrightGroup
from builder.errors import Invalid, Problem

ROOT = Path(__file__).parent.parent.parent


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "builder.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_lists_every_command_in_a_moment() -> None:
    began = time.monotonic()
    result = run("--help")

    assert result.returncode == 0
    assert all(name in result.stdout for name in COMMANDS)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_registered_command_loads_and_helps(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])

    assert result.exit_code == 0, result.output


def test_an_unknown_command_ends_with_2() -> None:
    assert run("dance").returncode == 2


def test_a_bad_setting_ends_with_2_and_says_which_and_why(tmp_path: Path) -> None:
    result = run("serve", FUNNELWRIGHT_DATA=str(tmp_path), PORT="eighty")

    assert result.returncode == 2
    assert "PORT" in result.stderr
    assert "'eighty'" in result.stderr
    assert "Traceback" not in result.stderr


def test_init_makes_the_database_and_may_run_again(tmp_path: Path) -> None:
    for _time in range(2):
        result = run("init", FUNNELWRIGHT_DATA=str(tmp_path))
        assert result.returncode == 0, result.stderr
    assert (tmp_path / "funnelwright.db").stat().st_size > 0


def test_an_error_of_a_person_ends_with_its_code_and_places() -> None:
    @click.command(cls=FunnelwrightGroup)
    def group() -> None:
        pass

    @group.command()
    def fail() -> None:
        raise Invalid("Not installed", problems=(Problem("No stage", "/stages"),))

    result = CliRunner().invoke(group, ["fail"])

    assert result.exit_code == 1
    assert "Not installed" in result.output
    assert "/stages" in result.output


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_taken_port_is_refused_at_once(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run("serve", FUNNELWRIGHT_DATA=str(tmp_path), PORT=str(taken.getsockname()[1]))

    assert result.returncode == 2
    assert "cannot listen" in result.stderr


def test_serve_answers_and_stops_when_told(tmp_path: Path) -> None:
    assert run("init", FUNNELWRIGHT_DATA=str(tmp_path)).returncode == 0
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "builder.cli", "serve"],
        cwd=ROOT,
        env={**os.environ, "FUNNELWRIGHT_DATA": str(tmp_path), "PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert _answers(f"http://127.0.0.1:{port}/healthz", process)
    finally:
        process.send_signal(signal.SIGTERM)
        output, _errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert f"http://127.0.0.1:{port}/".encode() in output


def _answers(address: str, process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.1)
    return False
