"""The blueprint of the workspace, ``/w/<workspace>/…``, and the addresses that its pages link to."""

from __future__ import annotations

from typing import cast

from flask import current_app, g, url_for

from blueprints.scope import workspace_area
from builder.db.ids import to_public

workspace = workspace_area("workspace", __name__)
_ID_LENGTH = 11


def record_address(record_id: int) -> str:
    """The page of a record. Lists link to hundreds: the address is built once a request, ids are put in."""
    prefix = g.get("record_prefix")
    if prefix is None:
        prefix = g.record_prefix = url_for("workspace.record", record_id=0)[:-_ID_LENGTH]
    return cast(str, prefix) + to_public(record_id)


def has_endpoint(name: str) -> bool:
    """Whether an area that this one only links to is installed."""
    return name in current_app.view_functions


def board_address(pipeline_key: str) -> str:
    """The board of a pipeline, or nothing where boards are not installed."""
    return url_for("board.board", pipeline_key=pipeline_key) if has_endpoint("board.board") else ""


def move_address(record_id: int, to_stage: str) -> str:
    """The dialog that moves a record to a stage, or nothing where it is not installed."""
    if not has_endpoint("moves.dialog"):
        return ""
    return url_for("moves.dialog", record_id=record_id, to=to_stage)
