"""The web server: gunicorn, started by our own command instead of a configuration file."""

from __future__ import annotations

import gc
import socket
import threading
from typing import Any

import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication

from builder.settings import Settings, SettingsError

# A page of the ORM makes and drops tens of thousands of objects; the default threshold of 700 would walk the
# whole heap many times a request (p99 26.7 ms against 2.1 ms).
_GC_THRESHOLD = 50_000
# Seconds from when a process answers requests until it begins to run jobs.
_JOBS_AFTER = 1.0


class Server(BaseApplication):
    """Gunicorn with threads, in as many processes as asked. On SQLite one of them runs the jobs as well."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        settings = self.settings
        options: dict[str, Any] = {
            "bind": f"{settings.host}:{settings.port}",
            "workers": settings.workers,
            "threads": settings.threads,
            "worker_class": "gthread",
            "preload_app": False,  # connections and job threads must be born in the worker
            "timeout": 120,
            "graceful_timeout": 20,
            "keepalive": 15,
            "loglevel": "warning",
            "accesslog": None,
            "control_socket_disable": True,
            "post_worker_init": _settle,
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        gc.disable()  # nothing made while loading is garbage; _settle turns it on again
        # imported in the worker only: the master that watches over it stays small
        from builder.app import create_app

        return create_app(self.settings)


def _settle(worker: Any) -> None:
    """Put what lives as long as the process out of the collector's sight; on SQLite, begin to run jobs."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 20, 50)
    gc.enable()
    settings: Settings = worker.app.settings
    if settings.is_sqlite:
        # After the first page: while the queue is loaded and started, both would take turns.
        start = threading.Timer(_JOBS_AFTER, _run_jobs, (settings,))
        start.name, start.daemon = "jobs-start", True
        start.start()


def _run_jobs(settings: Settings) -> None:
    from builder.jobs.runner import JobRunner

    if not JobRunner(settings).start():
        structlog.get_logger("funnelwright.jobs").info("jobs run in another process")


def check_port_is_free(settings: Settings) -> None:
    """Errors: SettingsError when the port of `settings` cannot be had; gunicorn would retry in silence."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SettingsError(
                "PORT", f"cannot listen on {settings.host}:{settings.port} ({reason})"
            ) from error
