"""Where a person moves a record from: the board that sent the request, else the record's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from flask import url_for
from htmx_flask import request

from blueprints.scope import Scope
from blueprints.workspace.area import has_endpoint, record_address
from blueprints.workspace.board_filter import without_cards


def board_of(here: Scope) -> tuple[str, str]:
    """The pipeline and query string of the board that sent the request; empty without one."""
    key, _, query = request.values.get("board", "").partition("?")
    return (key, query) if key in here.catalog.pipelines else ("", "")


def choice_address(record_id: int, board: str) -> str:
    """The choice of a stage for the record, coming back to ``board``."""
    address = url_for("moves.choose", record_id=record_id)
    return f"{address}?board={quote(board, safe='')}" if board else address


def back_to(here: Scope, record: Mapping[str, Any], board: str) -> str:
    """The board it came from, else the record's page, else the board of its pipeline."""
    key, _, query = board.partition("?")
    if key in here.catalog.pipelines:
        place: dict[str, Any] = {"pipeline_key": key, **without_cards(query)}
        return url_for("board.board", **place)
    if has_endpoint("workspace.record"):
        return record_address(int(record["id"]))
    return url_for("board.board", pipeline_key=record["pipeline_key"])
