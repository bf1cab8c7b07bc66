"""What a change of definitions touches is counted among the records (B7)."""

from __future__ import annotations

import copy
from typing import Any

from builder.metadata.impact import concerns
from builder.queries.impact import impact
from builder.services.entries import Entry
from builder.services.records import NewRecord, create
from builder.services.transitions import MoveRecord, move
from tests import factories
from tests.fixtures.databases import FreshDatabase


def test_each_concern_counts_what_it_touches(database_url: FreshDatabase) -> None:
    world = factories.make_world(database_url.url)
    fields = copy.deepcopy(factories.CASE)
    fields["fields"]["properties"]["tags"] = {
        "x-type": "choices",
        "x-label": {"en": "Tags"},
        "x-options": [{"key": key, "label": {"en": key.title()}} for key in ("red", "redder")],
    }
    with world.work() as uow:
        factories.publish(uow, [fields])
        given: list[dict[str, Any]] = [
            {"title": "One", "heat": "hot", "note": "said"},
            {"title": "Two", "heat": "cold", "worth": "10.00", "tags": ["redder"]},
            {"title": "Three", "heat": "hot", "tags": ["red", "redder"]},
        ]
        made = [create(uow, "matter", NewRecord(values, Entry("free"))) for values in given]
        move(uow, MoveRecord(made[2].record_id, "won"))
        uow.commit()

        after = copy.deepcopy(fields)
        after["fields"]["required"] = ["title", "worth"]
        del after["fields"]["properties"]["note"]
        after["fields"]["properties"]["heat"]["x-options"].pop()
        after["fields"]["properties"]["tags"]["x-options"].pop(0)
        flow = {**factories.FREE, "stages": factories.FREE["stages"][1:]}
        asked = [*concerns(fields, after), *concerns(factories.FREE, flow)]
        asked += concerns(factories.ROLES[0], {**factories.ROLES[0], "rights": []})
        found = impact(uow.session, asked)
        assert [(each.concern.kind, each.count, [name for _, name in each.examples]) for each in found] == [
            ("field_required", 1, ["One"]),
            ("field_removed", 1, ["One"]),
            ("option_removed", 2, ["Three", "One"]),
            ("option_removed", 1, ["Three"]),
            ("stage_removed", 2, ["Two", "One"]),
            ("pipeline_changed", 2, ["Two", "One"]),
            ("role_changed", 1, []),
        ]
    world.engine.dispose()


def test_what_is_new_or_goes_as_a_whole_touches_nothing() -> None:
    assert list(concerns(None, factories.CASE)) == []
    assert list(concerns(factories.CASE, None)) == []
