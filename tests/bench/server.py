"""The measured server: the real application and the floor in one gunicorn; ``python -m tests.bench.server``.

Every answer tells in headers what it cost: statements sent and milliseconds of this thread's processor.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, request
from sqlalchemy import create_engine, event, select
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from builder.db.engine import engine_options, prepare
from builder.db.records import Record
from builder.server import Server
from builder.settings import Settings
from tests.bench.documents import OBJECT

STATEMENTS, CPU = "X-Bench-Statements", "X-Bench-Cpu"
FLOOR = "/floor"
_PAGE = """<!doctype html><title>Floor</title><table>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</table>"""
_spent = threading.local()


def floor(settings: Settings, workspace_id: int) -> Flask:
    """A bare page of 50 rows by eight columns; on PostgreSQL behind the wall, set once a connection."""
    options = engine_options(settings.database_url)
    if not settings.is_sqlite:
        options["connect_args"] = {"options": f"-c app.workspace_id={workspace_id}"}
    engine = prepare(create_engine(settings.database_url, **options))
    _count_statements(engine)
    table = Record.__table__
    shown = ("id", "name", "stage_key", "amount_minor", "currency", "owner_id", "probability", "updated_at")
    statement = select(*(table.c[name] for name in shown)).order_by(table.c.updated_at.desc()).limit(50)
    app = Flask("floor")
    template = app.jinja_env.from_string(_PAGE)  # compiled once, as a template file would be

    @app.get("/")
    def page() -> str:
        mine = statement.where(
            table.c.workspace_id == workspace_id,
            table.c.object_key == OBJECT,
            table.c.owner_id == int(request.args["owner"]),
            table.c.deleted_at.is_(None),
        )
        with engine.connect() as connection:
            return template.render(rows=connection.execute(mine).all())

    return app


def _count_statements(engine: Any) -> None:
    @event.listens_for(engine, "before_cursor_execute")
    def count(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            _spent.statements = getattr(_spent, "statements", 0) + 1


def metered(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Put what a request cost into its answer."""

    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        _spent.statements, began = 0, time.thread_time()

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            cpu = (time.thread_time() - began) * 1000
            cost = [(STATEMENTS, str(_spent.statements)), (CPU, f"{cpu:.3f}")]
            return start_response(status, [*headers, *cost], *more)

        return app(environ, start)

    return call


class BenchServer(Server):
    """The server of production with the floor beside it."""

    def load(self) -> Any:
        app = super().load()
        _count_statements(app.extensions["funnelwright.engine"])
        workspace_id = int(os.environ["BENCH_WORKSPACE_ID"])
        return metered(DispatcherMiddleware(app, {FLOOR: floor(self.settings, workspace_id)}))


if __name__ == "__main__":
    BenchServer(Settings.from_environ()).run()
