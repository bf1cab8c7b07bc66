"""Publishing: checked before written, immutable after, seen by the next request of every process."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select, text

from builder.clock import FakeClock
from builder.db.definitions import Definition, DefinitionVersion
from builder.db.ledger import EventRow
from builder.db.records import Record, SearchToken
from builder.domain.permissions import Actor
from builder.errors import Forbidden, Invalid
from builder.metadata.grammar import DefinitionProblem
from builder.queries.definitions import feedback_version, live_rows, pipeline_version, version_row
from builder.services import definitions, drafts, records
from tests import factories
from tests.factories import World
from tests.fixtures.databases import FreshDatabase

Document = dict[str, Any]


@pytest.fixture
def world(database_url: FreshDatabase) -> Iterator[World]:
    made = factories.make_world(database_url.url)
    yield made
    made.engine.dispose()


def changed(document: Document, **fields: Document) -> Document:
    """The object with fields added or changed."""
    made = copy.deepcopy(document)
    made["fields"]["properties"].update(fields)
    return made


FILTERABLE_NOTE = {"x-type": "long_text", "x-label": {"en": "Note"}}
CITY = factories.text_field("City", **{"x-filterable": True})


def test_an_unchanged_document_makes_no_version(world: World) -> None:
    with world.work() as uow:
        stamp = uow.workspace.definitions_stamp
        assert definitions.publish(uow, factories.DOCUMENTS).versions == ()
        uow.commit()
        assert uow.workspace.definitions_stamp == stamp


def test_a_publish_retires_the_version_before_and_keeps_it_word_for_word(world: World) -> None:
    with world.work() as uow:
        before = {row.key: row for row in live_rows(uow.session)}["client"]
        published = definitions.publish(uow, [changed(factories.ACCOUNT, city=CITY)])
        uow.commit()

        assert [(kind, key) for kind, key, _ in published.versions] == [("object", "client")]
        old = version_row(uow.session, before.version_id)
        assert (old.status, old.document, old.checksum) == ("retired", before.document, before.checksum)
        new = version_row(uow.session, published.versions[0][2])
        assert (new.status, new.number) == ("published", 2)
        assert "city" in uow.catalog.object("client").fields.by_key
        stored = uow.session.scalar(select(DefinitionVersion).where(DefinitionVersion.id == new.version_id))
        assert stored is not None
        assert stored.schema is not None
        assert "city" in stored.schema["properties"]
        event = uow.session.scalars(select(EventRow).where(EventRow.kind == "definition.published")).all()[-1]
        assert event.data["checksum"] == new.checksum


def test_slots_stay_where_they_are_and_new_ones_are_free(world: World) -> None:
    with world.work() as uow:
        before = {field.key: field.slot for field in uow.catalog.object("client").fields if field.slot}
        reordered = changed(factories.ACCOUNT, city=CITY)
        reordered["fields"]["properties"] = dict(
            sorted(reordered["fields"]["properties"].items(), reverse=True)
        )
        definitions.publish(uow, [reordered])
        after = {field.key: field.slot for field in uow.catalog.object("client").fields if field.slot}

    assert {key: after[key] for key in before} == before
    assert after["city"] not in before.values()


def _client(uow: Any, **values: Any) -> int:
    return records.create(uow, "client", records.NewRecord(values=values)).record_id


def test_a_field_made_filterable_fills_the_slots_of_existing_records(world: World) -> None:
    plain = changed(factories.ACCOUNT, city=factories.text_field("City"))
    with world.work() as uow:
        definitions.publish(uow, [plain])
        uow.commit()
    with world.work() as uow:
        ids = [_client(uow, title=f"C{number}", city=f"City {number}") for number in range(3)]
        uow.commit()
    with world.work() as uow:
        definitions.publish(uow, [changed(factories.ACCOUNT, city=CITY)])
        slot = uow.catalog.object("client").fields.by_key["city"].slot
        uow.commit()
        column = getattr(Record, str(slot))
        found = dict(uow.session.execute(select(Record.id, column).where(Record.id.in_(ids))).all())  # type: ignore[arg-type]
        assert [str(found[key]).casefold() for key in ids] == ["city 0", "city 1", "city 2"]

        definitions.publish(uow, [plain])
        uow.commit()
        assert set(uow.session.scalars(select(column).where(Record.id.in_(ids)))) == {None}


def test_what_a_removed_field_held_hinders_nobody_and_is_there_when_it_comes_back(world: World) -> None:
    with world.work() as uow:
        definitions.publish(uow, [changed(factories.ACCOUNT, city=CITY)])
        record_id = _client(uow, title="Client", city="Zwolle")
        definitions.publish(uow, [factories.ACCOUNT])
        records.save(uow, records.SaveRecord(record_id, {"title": "Customer"}, 1))
        with pytest.raises(Invalid) as refused:
            records.save(uow, records.SaveRecord(record_id, {"city": "Zutphen"}, 2))
        assert [problem.place for problem in refused.value.problems] == ["city"]
        definitions.publish(uow, [changed(factories.ACCOUNT, city=CITY)])
        uow.commit()
        data = uow.session.scalars(select(Record.data).where(Record.id == record_id)).one()
    assert (data["title"], data["city"]) == ("Customer", "Zwolle")


def test_the_key_of_a_removed_field_is_not_taken_for_another_type(world: World) -> None:
    with world.work() as uow:
        definitions.publish(uow, [changed(factories.ACCOUNT, city=CITY)])
        definitions.publish(uow, [factories.ACCOUNT])
        uow.commit()
    number = {"x-type": "integer", "x-label": {"en": "City"}}

    with world.work() as uow, pytest.raises(Invalid) as refused:
        definitions.publish(uow, [changed(factories.ACCOUNT, city=number)])

    assert [problem.place for problem in refused.value.problems] == ["/fields/properties/city/x-type"]
    with world.work() as uow:
        assert definitions.publish(uow, [changed(factories.ACCOUNT, city=CITY)]).versions


def test_a_backfill_goes_on_past_one_batch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builder.services.backfill.BATCH", 2)
    with world.work() as uow:
        definitions.publish(uow, [changed(factories.ACCOUNT, city=factories.text_field("City"))])
        ids = [_client(uow, title=f"C{number}", city=f"City {number}") for number in range(5)]
        definitions.publish(uow, [changed(factories.ACCOUNT, city=CITY)])
        uow.commit()
        column = getattr(Record, str(uow.catalog.object("client").fields.by_key["city"].slot))
        assert None not in uow.session.scalars(select(column).where(Record.id.in_(ids))).all()


def test_fields_made_searchable_are_found_at_once(world: World) -> None:
    with world.work() as uow:
        definitions.publish(uow, [changed(factories.ACCOUNT, city=factories.text_field("City"))])
        record_id = _client(uow, title="Client", city="Zwolle")
        definitions.publish(uow, [{**changed(factories.ACCOUNT, city=CITY), "search": ["title", "city"]}])
        uow.commit()
        tokens = uow.session.scalars(
            select(SearchToken.token).where(SearchToken.record_id == record_id)
        ).all()
    assert any("zwolle" in token for token in tokens)


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({**factories.FLOW, "stages": []}, "/stages"),
        ({**factories.ACCOUNT, "key": "Bad Key"}, "/key"),
        (changed(factories.ACCOUNT, title=factories.text_field("T") | {"x-type": "integer"}), None),
        ({"kind": "starship", "key": "a"}, "/kind"),
        ({"nothing": 1}, "/kind"),
        ("text", "/kind"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place_and_nothing_is_written(
    world: World, document: Any, pointer: str | None
) -> None:
    good = changed(factories.CASE, city=CITY)
    with world.work() as uow:
        stamp = uow.workspace.definitions_stamp
        with pytest.raises(Invalid) as refused:
            definitions.publish(uow, [good, document])
        uow.rollback()
        assert all(
            isinstance(problem, DefinitionProblem) and problem.place for problem in refused.value.problems
        )
        if pointer:
            assert any(problem.place.startswith(pointer) for problem in refused.value.problems)
        assert "city" not in uow.catalog.object("matter").fields.by_key
        assert uow.workspace.definitions_stamp == stamp
        count = uow.session.execute(select(DefinitionVersion.id)).all()
    assert len(count) == len(factories.DOCUMENTS)


def test_a_role_of_a_field_stays_once_records_exist(world: World) -> None:
    moved = changed(
        factories.CASE,
        worth={**factories.CASE["fields"]["properties"]["worth"]},
        price={"x-type": "money", "x-label": {"en": "Price"}, "x-role": "amount"},
    )
    del moved["fields"]["properties"]["worth"]["x-role"]
    with world.work() as uow:
        records.create(uow, "matter", records.NewRecord(values={"title": "One"}))
        with pytest.raises(Invalid) as refused:
            definitions.publish(uow, [moved])
    assert refused.value.problems[0].values["role"] == "amount"


def test_without_the_right_nothing_is_published(world: World) -> None:
    rep = Actor(world.admin_id, "Rep", "rep", frozenset(factories.REP_RIGHTS), "own")
    with world.work(rep) as uow:
        for act in (
            lambda: definitions.publish(uow, [factories.ACCOUNT]),
            lambda: drafts.save_draft(uow, factories.ACCOUNT),
            lambda: drafts.publish_drafts(uow),
        ):
            with pytest.raises(Forbidden):
                act()


def test_old_versions_are_read_by_id_though_they_are_not_live(world: World) -> None:
    with world.work() as uow:
        flow, talk = uow.catalog.pipeline("flow"), uow.catalog.feedback["talk"]
        definitions.publish(
            uow,
            [
                {**factories.FLOW, "label": {"en": "Flow 2"}},
                changed(factories.TALK, more=factories.text_field("More")),
            ],
        )
        uow.commit()
        old = pipeline_version(uow.session, uow.catalog, flow.version_id)
        assert (old.version_id, old.is_live, old.label.text()) == (flow.version_id, False, "Flow")
        assert "more" not in feedback_version(uow.session, uow.catalog, talk.version_id).fields.by_key
        assert pipeline_version(uow.session, uow.catalog, uow.catalog.pipeline("flow").version_id).is_live


def test_what_was_rolled_back_is_never_seen_again(world: World) -> None:
    with world.work() as uow:
        definitions.publish(uow, [changed(factories.ACCOUNT, ghost=CITY)])
        uow.rollback()
    with world.work() as uow:
        assert "ghost" not in uow.catalog.object("client").fields.by_key
        definitions.publish(uow, [changed(factories.ACCOUNT, city=CITY)])
        uow.commit()
    with world.work() as uow:
        assert set(uow.catalog.object("client").fields.by_key) == {"title", "sector", "city"}


def test_a_publish_in_one_process_shows_in_the_next_request_of_another(
    database_url: FreshDatabase, settings_for: Callable[..., Any], clock: FakeClock
) -> None:
    """Two applications on one database, each with its own engine, as two processes have them."""
    from flask import jsonify

    from blueprints.scope import scope, workspace_area
    from builder.app import create_app
    from builder.metadata import catalog
    from builder.metadata.cache import ProcessCache
    from tests.fixtures.town import Town, build_town

    caches = {name: ProcessCache(16) for name in "AB"}  # a process has its own
    apps = {}
    for name in "AB":
        app = apps[name] = create_app(settings_for(database_url), clock=clock)
        area = workspace_area("probe", __name__)

        @area.get("/fields")
        def fields() -> Any:
            return jsonify(sorted(scope().catalog.object("client").fields.by_key))

        app.register_blueprint(area)
    town = build_town(apps["A"], clock)
    visitor = Town(apps["B"], clock).as_("Rita")

    def seen_by_b() -> Any:
        catalog._catalogs = caches["B"]
        return visitor.get("/w/acme/fields").json

    before, kept = seen_by_b(), catalog._catalogs
    try:
        catalog._catalogs = caches["A"]
        uow = town.work()
        definitions.publish(uow, [changed(factories.ACCOUNT, city=CITY)])
        assert seen_by_b() == before  # not committed yet
        uow.commit()
        uow.session.close()

        assert seen_by_b() == [*sorted([*before, "city"])]
    finally:
        catalog._catalogs = kept
        for app in apps.values():
            app.extensions["funnelwright.engine"].dispose()


def test_definitions_of_another_workspace_stay_out_of_reach(
    world: World, database_url: FreshDatabase
) -> None:
    other = factories.make_world(database_url.url, "other")
    with world.work() as uow, other.work() as theirs:
        foreign = live_rows(theirs.session)[0].version_id
        assert foreign not in {row.version_id for row in live_rows(uow.session)}
        assert uow.session.scalar(select(Definition.id).where(Definition.live_version_id == foreign)) is None
        theirs.session.execute(text("SELECT 1"))
    other.engine.dispose()
