"""The server process of a run: started, timed, measured in memory, stopped."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.databases import Database
from tests.bench.world import work

ROOT = Path(__file__).parents[2]


def core_seconds() -> float:
    """Processor seconds of a fixed loop: what this machine is worth at the moment."""
    began = time.process_time()
    sum(number * number for number in range(3_000_000))
    return time.process_time() - began


class ServerProcess:
    """The measured server on a free port; one worker process, as without settings, unless more are asked."""

    def __init__(self, database: Database, folder: Path, workers: int = 1) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        with work(database) as uow:
            workspace_id = uow.workspace.id
        folder.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "DATABASE_URL": database.url,
            "DATABASE_OWNER_URL": database.owner_url,
            "FUNNELWRIGHT_DATA": str(folder),
            "PORT": str(self.port),
            "WEB_WORKERS": str(workers),
            "BENCH_WORKSPACE_ID": str(workspace_id),
        }
        self.log = folder / f"{database.system}.log"
        began = time.perf_counter()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.bench.server"],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
            )
        self._wait()
        self.first_page_seconds = time.perf_counter() - began
        self.start_cpu_seconds = sum(map(_cpu_seconds, [self._process.pid, *_children(self._process.pid)]))

    def _wait(self) -> None:
        while True:
            if self._process.poll() is not None:
                raise SystemExit(f"the server does not start: {self.log.read_text()[-3000:]}")
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                connection.request("GET", "/sign-in")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.02)

    def memory(self) -> dict[str, float]:
        """MB of the worker that serves, and of all processes of the server (shared pages counted once)."""
        family = [self._process.pid, *_children(self._process.pid)]
        each = [_proportional(pid) for pid in family]
        return {"worker": max(each), "all": sum(each)}

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(text) for text in path.read_text().split()]


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _proportional(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
