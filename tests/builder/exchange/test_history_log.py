"""History from files: the pipeline made for it, and what one row tells of a record's path."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from builder.domain.labels import Label
from builder.domain.pipeline import Pipeline, Stage
from builder.errors import Conflict, Invalid
from builder.exchange.history_log import (
    StageNames,
    Visit,
    pipeline_document,
    stage_map,
    usual_order,
    visits_of_row,
)

NAMES = StageNames(order=("Prospecting", "Engaging"), won=("Won",), lost=("Lost",))
ENGAGED = datetime(2017, 1, 5, tzinfo=UTC)
CLOSED = datetime(2017, 3, 1, tzinfo=UTC)


def pipeline() -> Pipeline:
    document = pipeline_document("Maven", "case", NAMES, ())
    stages = tuple(
        Stage(stage["key"], Label.of(stage["label"]), stage["kind"], position)
        for position, stage in enumerate(document["stages"])
    )
    return Pipeline(
        key=document["key"], label=Label.of(document["label"]), object_key="case", milestones=(),
        stages=stages, default="any", allowed=frozenset(), denied=frozenset(), reasons={}, version_id=1,
        number=1, checksum="",
    )  # fmt: skip


def visits(stage: str, at: datetime | None, closed: datetime | None) -> list[tuple[str, datetime | None]]:
    path = pipeline()
    return [(visit.stage_key, visit.at) for visit in visits_of_row(path, path.by_key[stage], at, closed)]


def test_an_open_record_entered_its_stage_at_the_known_time_and_passed_earlier_ones_before() -> None:
    assert visits("engaging", ENGAGED, None) == [("prospecting", None), ("engaging", ENGAGED)]


def test_a_record_in_the_first_stage_without_a_time_is_there_since_an_unknown_time() -> None:
    assert visits("prospecting", None, None) == [("prospecting", None)]


@pytest.mark.parametrize("stage", ["won", "lost"])
def test_a_closed_record_was_in_the_last_open_stage_from_the_known_time_until_it_closed(stage: str) -> None:
    assert visits(stage, ENGAGED, CLOSED) == [("prospecting", None), ("engaging", ENGAGED), (stage, CLOSED)]


def test_a_closing_date_of_an_open_record_is_not_believed() -> None:
    assert visits("engaging", ENGAGED, CLOSED) == [("prospecting", None), ("engaging", ENGAGED)]


def test_closing_before_the_beginning_is_refused_and_on_the_same_instant_is_not() -> None:
    with pytest.raises(Invalid, match="before it entered"):
        visits("won", CLOSED, ENGAGED)
    assert visits("won", ENGAGED, ENGAGED)[-1] == ("won", ENGAGED)


def test_stages_are_found_by_label_without_regard_to_case_and_unknown_ones_are_named() -> None:
    assert stage_map(pipeline(), ["WON", " engaging ", ""]) == {"won": "won", "engaging": "engaging"}
    with pytest.raises(Conflict, match="Negotiating"):
        stage_map(pipeline(), ["Won", "Negotiating"])


def test_a_pipeline_without_closing_stages_gets_a_way_to_win_and_to_lose() -> None:
    document = pipeline_document("Log", "case", StageNames(order=("A", "B")), ["log"])
    assert [stage["kind"] for stage in document["stages"]] == ["open", "open", "won", "lost"]
    assert document["key"] == "log_2"


def test_stages_in_chinese_get_keys_of_their_own() -> None:
    document = pipeline_document("销售", "case", StageNames(order=("初步接洽", "方案"), won=("赢单",)), ())
    assert [stage["key"] for stage in document["stages"]] == ["stage_1", "stage_2", "stage_3", "lost"]
    assert document["stages"][0]["label"] == {"zh_Hans": "初步接洽"}


def test_a_stage_named_twice_or_no_open_stage_is_refused() -> None:
    with pytest.raises(Invalid, match="twice"):
        pipeline_document("X", "case", StageNames(order=("A",), won=("a",)), ())
    with pytest.raises(Invalid, match="open stage"):
        pipeline_document("X", "case", StageNames(order=(), won=("Won",)), ())


def test_the_usual_order_follows_the_paths_and_not_the_first_file_line() -> None:
    assert usual_order([["B"], ["A", "B", "C"], ["A", "B", "C"], ["A", "C"]]) == ("A", "B", "C")


def test_a_visit_holds_no_time_that_the_file_does_not_tell() -> None:
    path = pipeline()
    assert visits_of_row(path, path.by_key["won"], None, None)[1] == Visit("engaging", None)
