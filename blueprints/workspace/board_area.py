"""The blueprint of boards, apart from their pages, which import one another's parts."""

from __future__ import annotations

from blueprints.scope import workspace_area

boards = workspace_area("board", __name__)
