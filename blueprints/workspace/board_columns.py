"""The columns of a board as a reader sees them: cards, figures, where more of them are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask import url_for

from blueprints.messages import local
from blueprints.scope import Scope
from blueprints.workspace.board_filter import BoardFilter, read_query
from blueprints.workspace.cards import CardReader, CardView, HeadView, board_mark, head_view, stage_title
from blueprints.workspace.process_choice import may_start
from blueprints.workspace.shown import stage_color
from builder.domain.pipeline import Pipeline, Stage
from builder.queries import board as queries
from builder.queries.board import BoardColumn


@dataclass(frozen=True, slots=True)
class ColumnView:
    """One stage on the board. ``stage`` is none for a stage of an older version that still holds cards.

    ``address``: the column alone; ``more``: the cards that follow; ``add``: where a record is added;
    ``fold``: where folding is kept. ``lane``: of a cell of a swimlane, the lane in an address.
    """

    key: str
    title: str
    color: str
    stage: Stage | None
    head: HeadView
    cards: list[CardView]
    is_folded: bool
    address: str
    more: str
    add: str
    fold: str
    lane: str | None = None


class ColumnMaker:
    """Turns what was read into columns, for one request."""

    def __init__(self, here: Scope, wanted: BoardFilter, names: queries.CardNames) -> None:
        self._pipeline = wanted.pipeline
        self._reader = CardReader(here, wanted.pipeline, names, wanted.mark, wanted.cards)
        self._args = read_query(wanted.mark)
        self._mark = board_mark(wanted.pipeline.key, wanted.mark)
        self._may_create = here.actor.can("record.create") and may_start(here, wanted.pipeline)

    def column(self, found: BoardColumn, *, is_folded: bool = False, lane: str | None = None) -> ColumnView:
        key, pipeline = found.stage_key, self._pipeline
        stage = pipeline.by_key.get(key)
        place: dict[str, Any] = {"pipeline_key": pipeline.key, "stage_key": key}
        shown = {**place, **self._args, **({} if lane is None else {"lane": lane})}
        is_more = bool(found.next) and not is_folded
        may_add = self._may_create and stage is not None and stage.is_open and not is_folded
        return ColumnView(
            key=key,
            title=stage_title(stage, key),
            color=stage_color(stage) if stage else "gray",
            stage=stage,
            head=head_view(key, found.head),
            cards=[] if is_folded else self._reader.views(found.cards),
            is_folded=is_folded,
            address=url_for("board.column", **shown),
            more=url_for("board.column", **shown, after=found.next) if is_more else "",
            add=url_for("board.quick_form", **place, board=self._mark) if may_add else "",
            fold=url_for("board.fold", **place),
            lane=lane,
        )


def columns_of_board(
    here: Scope,
    wanted: BoardFilter,
    found: queries.Board,
    folded: Collection[str],
    lane: str | None = None,
) -> list[ColumnView]:
    maker = ColumnMaker(here, wanted, found.names)
    return [maker.column(each, is_folded=each.stage_key in folded, lane=lane) for each in found.columns]


def groups_of(pipeline: Pipeline, columns: list[ColumnView]) -> list[tuple[str, list[ColumnView]]]:
    """Neighbouring columns of one milestone, under its name."""
    names = {milestone.key: str(local(milestone.label)) for milestone in pipeline.milestones}

    def milestone_of(column: ColumnView) -> str:
        return names.get((column.stage.milestone if column.stage else "") or "", "")

    return [(name, list(group)) for name, group in groupby(columns, milestone_of)]


def folded_stages(pipeline: Pipeline, arranged: Mapping[str, Any]) -> frozenset[str]:
    """The columns that are strips: as the reader left them, otherwise those that end the process."""
    kept: Mapping[str, bool] = arranged.get("folded", {})
    return frozenset(stage.key for stage in pipeline.stages if kept.get(stage.key, not stage.is_open))
