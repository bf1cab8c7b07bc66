"""The live definitions of a workspace together."""

from __future__ import annotations

from typing import Any

import pytest

from builder.errors import NotFound
from builder.fieldtypes.base import FieldContext
from builder.fieldtypes.registry import type_of
from builder.metadata.catalog import Catalog, PlainRow, catalog_of
from builder.metadata.documents import checksum
from tests.builder.metadata import samples


def _row(document: dict[str, Any], version_id: int = 1, status: str = "published") -> PlainRow:
    return PlainRow(
        document["kind"], document["key"], version_id, 1, checksum(document), document, None, status
    )


def _rows() -> list[PlainRow]:
    return [_row(document, number) for number, document in enumerate(samples.ALL, 1)]


def _never(version_id: int) -> PlainRow:
    raise AssertionError(f"version {version_id} is live and needs no loading")


def test_live_definitions_are_found_by_key() -> None:
    catalog = Catalog.build(5, 9, _rows())
    assert (catalog.workspace_id, catalog.stamp) == (5, 9)
    assert catalog.object("ticket").key == "ticket"
    assert catalog.pipeline("flow").is_live
    assert set(catalog.roles) == {"agent", "reader"}
    assert [pipeline.key for pipeline in catalog.pipelines_of("ticket")] == ["flow"]
    assert [view.key for view in catalog.views_of("ticket")] == ["mine"]
    assert catalog.pipelines_of("box") == ()


@pytest.mark.parametrize("ask", ["object", "pipeline", "role", "funnel"])
def test_an_unknown_key_is_not_found(ask: str) -> None:
    with pytest.raises(NotFound):
        getattr(Catalog.build(5, 9, _rows()), ask)("nothing")


def test_objects_stand_in_the_order_of_the_menu() -> None:
    first = {**samples.OBJECT, "key": "zebra", "position": 1}
    last = {**samples.OBJECT, "key": "ant", "position": 2}
    assert list(Catalog.build(5, 9, [_row(last), _row(first)]).objects) == ["zebra", "ant"]


def test_drafts_and_retired_versions_are_not_live() -> None:
    rows = [_row(samples.ROLE, 1, "retired"), _row(samples.READER, 2, "draft")]
    assert not Catalog.build(5, 9, rows).roles


def test_a_live_version_is_found_by_id_without_loading() -> None:
    catalog = Catalog.build(5, 9, _rows())
    live = catalog.pipeline("flow")
    assert catalog.pipeline_version(live.version_id, _never) is live
    report = catalog.feedback["report"]
    assert catalog.feedback_version(report.version_id, _never) is report


def test_an_older_version_is_loaded_and_says_that_it_is_not_live() -> None:
    catalog = Catalog.build(5, 9, _rows())
    old = samples.changed(samples.PIPELINE, "stages", 0, "label", to=samples.label("Older"))
    found = catalog.pipeline_version(77, lambda version_id: _row(old, version_id, "retired"))
    assert not found.is_live
    assert found.version_id == 77
    assert found.first.label.text() == "Older"


def test_a_pipeline_has_a_funnel_of_its_own() -> None:
    funnel = Catalog.build(5, 9, _rows()).funnel("flow")
    assert [step.stage for step in funnel.steps] == ["fresh", "looked_at", "offered", "agreed", "yes"]
    assert funnel.unit == "record"


def test_a_catalog_is_built_once_per_stamp_and_anew_after_a_publish() -> None:
    calls: list[int] = []

    def rows() -> list[PlainRow]:
        calls.append(1)
        return _rows()

    first = catalog_of(501, 1, rows)
    assert catalog_of(501, 1, rows) is first
    assert len(calls) == 1
    assert catalog_of(501, 2, rows) is not first
    assert catalog_of(502, 1, rows) is not first
    assert len(calls) == 3


def _ticket_and_visit(unit: str) -> Catalog:
    """Tickets that add up how long visits took, in a unit, and count them."""
    total = {
        "x-type": "rollup",
        "x-label": {"en": "Total"},
        "x-from": "visit",
        "x-by": "ticket",
        "x-of": "took",
    }
    own = samples.OBJECT["fields"]
    totals = {"time": {**total, "x-function": "sum"}, "often": {**total, "x-function": "count"}}
    ticket = {**samples.OBJECT, "fields": {**own, "properties": {**own["properties"], **totals}}}
    columns = {
        "name": {"x-type": "text", "x-label": {"en": "Name"}, "x-role": "name"},
        "took": {"x-type": "duration", "x-label": {"en": "Took"}, "x-unit": unit},
        "ticket": {"x-type": "reference", "x-label": {"en": "Ticket"}, "x-target": "ticket"},
    }
    visit = {
        **{key: value for key, value in samples.OBJECT.items() if key not in ("search", "duplicate_keys")},
        "key": "visit",
        "fields": {"type": "object", "required": ["name"], "properties": columns},
    }
    return Catalog.build(5, 9, [_row(ticket, 1), _row(visit, 2)])


def test_a_total_of_lengths_of_time_is_told_as_one() -> None:
    fields, context = _ticket_and_visit("hour").object("ticket").fields, FieldContext(locale="en")
    time, often = fields.by_key["time"], fields.by_key["often"]
    assert type_of(time).text(time, "7260", context) == "2 hr 1 min"
    assert type_of(time).export(time, "7260", context) == "2:01:00"
    assert type_of(often).text(often, "7260", context) == "7,260"
    other = _ticket_and_visit("day").object("ticket").fields
    assert type_of(time).text(other.by_key["time"], "90000", context) == "1 day 1 hr"
    assert other.checksum != fields.checksum, "what is kept under it tells another unit"
