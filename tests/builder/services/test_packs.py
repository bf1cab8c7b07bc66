"""Industry templates: installed whole or not at all, exported byte for byte."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from builder.clock import FakeClock
from builder.db.definitions import Definition, DefinitionVersion, PackBase
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.errors import Conflict, Forbidden, NotFound
from builder.metadata import packs as files
from builder.metadata.pack_plan import Decisions, Undecided
from builder.queries import drafts as stored
from builder.queries.packs import installed_packs, live_by_name
from builder.services import definitions, pack_apply, packs, workspaces
from builder.services.drafts import publish_drafts, roll_back
from builder.services.records import NewRecord, create
from builder.services.unit_of_work import UnitOfWork
from tests import factories
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.engines import engine_for

HEAD = {
    "grammar": 1,
    "kind": "pack",
    "key": "law",
    "label": {"en": "Law"},
    "version": "1.0.0",
    "locales": ["en"],
}
PACK = files.assemble(HEAD, factories.DOCUMENTS)


@pytest.fixture
def uow(database_url: FreshDatabase) -> Iterator[UnitOfWork]:
    yield from _empty(database_url)


def _empty(database: FreshDatabase) -> Iterator[UnitOfWork]:
    """A unit of work in an empty workspace."""
    engine = engine_for(database.url)
    with WorkspaceSession(engine, expire_on_commit=False) as session:
        made = workspaces.create(session, FakeClock(factories.START), workspaces.WorkspaceFacts("acme"))
        made.commit()
        yield made
    engine.dispose()


@pytest.fixture
def sqlite_uow(sqlite_database: FreshDatabase) -> Iterator[UnitOfWork]:
    yield from _empty(sqlite_database)


def counts(uow: UnitOfWork) -> tuple[int, int, int]:
    return tuple(  # type: ignore[return-value]
        uow.session.scalar(select(func.count()).select_from(kind))
        for kind in (Definition, DefinitionVersion, PackBase)
    )


def test_a_pack_is_installed_whole_and_remembered(uow: UnitOfWork) -> None:
    published = packs.install(uow, PACK)
    uow.commit()

    assert len(published.versions) == len(factories.DOCUMENTS)
    assert set(uow.catalog.objects) == {"client", "matter"}
    assert [(pack.key, pack.version) for pack in installed_packs(uow.session)] == [("law", "1.0.0")]


def test_an_export_equals_what_was_installed_byte_for_byte(uow: UnitOfWork, tmp_path: Path) -> None:
    packs.install(uow, PACK)
    uow.commit()

    exported = packs.export(uow, "law")

    assert files.combined(exported).encode() == files.combined(PACK).encode()
    assert files.files(exported) == files.files(PACK)
    files.write(exported, tmp_path / "law")
    assert files.files(files.load(tmp_path / "law")) == files.files(PACK)


def test_an_export_holds_what_was_changed_and_added_since(uow: UnitOfWork) -> None:
    packs.install(uow, PACK)
    definitions.publish(
        uow, [{**factories.ACCOUNT, "label": {"en": "Customer"}}, factories.role("guest", (), "own")]
    )
    uow.commit()

    exported = packs.export(uow, "law")

    assert [role["key"] for role in exported["roles"]] == ["admin", "guest", "manager", "rep"]
    assert exported["objects"][0]["label"] == {"en": "Customer"}


def test_one_broken_document_keeps_the_whole_pack_out(uow: UnitOfWork) -> None:
    broken = copy.deepcopy(PACK)
    broken["pipelines"][0]["stages"][0]["feedback"] = "nowhere"

    with pytest.raises(files.BrokenPack) as refused:
        packs.install(uow, broken)
    uow.rollback()

    assert any(problem.place.startswith("/stages/0") for problem in refused.value.problems)
    assert counts(uow) == (0, 0, 0)


def test_a_pack_is_installed_once_and_overwrites_nothing(uow: UnitOfWork) -> None:
    packs.install(uow, PACK)
    uow.commit()
    before = counts(uow)

    with pytest.raises(Conflict):
        packs.install(uow, PACK)
    uow.rollback()
    other = {**PACK, "key": "twin", "objects": [{**factories.ACCOUNT, "icon": "star"}, *PACK["objects"][1:]]}
    with pytest.raises(Conflict) as refused:
        packs.install(uow, other)
    uow.rollback()

    assert [problem.place for problem in refused.value.problems] == ["object/client"]
    assert counts(uow) == before


def test_only_who_may_edit_definitions_installs(uow: UnitOfWork) -> None:
    uow.actor = Actor(1, "Rep", "rep", frozenset(factories.REP_RIGHTS), "own")

    with pytest.raises(Forbidden):
        packs.install(uow, PACK)


def test_what_is_not_installed_cannot_be_exported(uow: UnitOfWork) -> None:
    with pytest.raises(NotFound):
        packs.export(uow, "law")


def later(version: str = "1.1.0", **changes: dict[str, object]) -> files.Document:
    """The pack in a later version, with properties of definitions (``object__client``) set."""
    made = {**copy.deepcopy(PACK), "version": version}
    for section, kind in files.SECTIONS.items():
        for document in made[section]:
            document |= changes.get(f"{kind}__{document['key']}", {})
    return files.normalised(made)


NEWER = later(object__client={"icon": "star"}, role__rep={"label": {"en": "Seller"}})


def test_an_upgrade_without_local_edits_is_exactly_the_new_pack(uow: UnitOfWork) -> None:
    packs.install(uow, PACK)
    packs.upgrade(uow, NEWER)
    uow.commit()
    assert files.combined(packs.export(uow, "law")) == files.combined(NEWER)
    assert [pack.version for pack in installed_packs(uow.session)] == ["1.1.0"]


def test_an_upgrade_goes_among_the_drafts_keeps_local_edits_and_is_taken_back(sqlite_uow: UnitOfWork) -> None:
    uow = sqlite_uow
    packs.install(uow, PACK)
    mine = {**factories.ACCOUNT, "label": {"en": "Customer"}}
    definitions.publish(uow, [mine])
    drafted = packs.draft(uow, NEWER)
    assert set(drafted.changed) == {("object", "client"), ("role", "rep")}
    assert [pack.version for pack in installed_packs(uow.session)] == ["1.0.0"]
    publish_drafts(uow)
    live = live_by_name(uow.session)
    assert (live["object", "client"]["icon"], live["object", "client"]["label"]) == (
        "star",
        {"en": "Customer"},
    )
    assert [pack.version for pack in installed_packs(uow.session)] == ["1.1.0"]
    roll_back(uow, stored.change_sets(uow.session)[0].number)
    assert live_by_name(uow.session)["object", "client"] == mine
    assert [pack.version for pack in installed_packs(uow.session)] == ["1.0.0"]
    # The base came back as well: the same upgrade is the same again.
    assert set(packs.draft(uow, NEWER).changed) == set(drafted.changed)


def test_contradictions_stop_an_upgrade_until_somebody_decides(sqlite_uow: UnitOfWork) -> None:
    uow = sqlite_uow
    packs.install(uow, PACK)
    definitions.publish(uow, [{**factories.ACCOUNT, "icon": "flag"}])
    uow.commit()
    with pytest.raises(Undecided) as refused:
        packs.draft(uow, NEWER)
    uow.rollback()
    assert [problem.place for problem in refused.value.problems] == ["object/client#/icon"]
    assert stored.drafts(uow.session) == []
    packs.upgrade(uow, NEWER, decisions=Decisions(places={("object", "client"): {"/icon": "ours"}}))
    assert live_by_name(uow.session)["object", "client"]["icon"] == "flag"


def test_what_was_seen_otherwise_is_not_written(sqlite_uow: UnitOfWork) -> None:
    uow = sqlite_uow
    packs.install(uow, PACK)
    with pytest.raises(Conflict):
        packs.draft(uow, NEWER, seen="0" * 32)
    packs.draft(uow, NEWER)
    with pytest.raises(Conflict, match="nothing to change"):
        packs.draft(uow, NEWER)


def test_a_part_comes_with_what_it_needs_and_the_rest_later(sqlite_uow: UnitOfWork) -> None:
    uow = sqlite_uow
    packs.install(uow, PACK, only=[("object", "matter")])
    assert set(uow.catalog.objects) == {"client", "matter"}
    assert not uow.catalog.pipelines
    packs.draft(uow, PACK, only=[("pipeline", "free")])
    publish_drafts(uow)
    assert set(uow.catalog.pipelines) == {"free"}


def test_what_records_or_others_need_stays_and_is_named(uow: UnitOfWork) -> None:
    packs.install(uow, PACK)
    create(uow, "client", NewRecord({"title": "One"}))
    uow.commit()
    with pytest.raises(Conflict) as refused:
        packs.uninstall(uow, "law", [("object", "client"), ("object", "matter")])
    uow.rollback()
    told = {problem.place: problem.values for problem in refused.value.problems}
    assert told["object/client"]["count"] == 1
    assert str(told["object/matter"]["other"].text())
    packs.uninstall(uow, "law", [("pipeline", key) for key in uow.catalog.pipelines])
    publish_drafts(uow)
    assert not uow.catalog.pipelines
    assert {kind for kind, _ in installed_packs(uow.session)[0].left_out} == {"pipeline"}


def test_a_pack_that_nothing_needs_goes_altogether(sqlite_uow: UnitOfWork) -> None:
    uow = sqlite_uow
    packs.install(uow, PACK)
    packs.uninstall(uow, "law", list(installed_packs(uow.session)[0].parts))
    publish_drafts(uow)
    assert (live_by_name(uow.session), installed_packs(uow.session)) == ({}, [])


def test_a_file_is_applied_once_and_an_unchanged_workspace_has_no_plan(uow: UnitOfWork) -> None:
    packs.install(uow, PACK)
    definitions.publish(uow, [{**factories.ACCOUNT, "icon": "flag"}])
    uow.commit()
    assert pack_apply.compare(uow, packs.export(uow, "law")).changes == ()
    found = pack_apply.compare(uow, NEWER)
    assert [(each.name, each.what) for each in found.changes] == [
        (("role", "rep"), "changed"),
        (("object", "client"), "changed"),
    ]
    assert len(pack_apply.apply(uow, NEWER).versions) == 3
    uow.commit()
    before = counts(uow)
    assert pack_apply.apply(uow, NEWER).versions == ()
    assert (counts(uow), pack_apply.compare(uow, NEWER).changes) == (before, ())
    assert live_by_name(uow.session)["object", "client"]["icon"] == "star"


def test_what_a_file_does_not_name_goes_only_when_that_is_asked_for(sqlite_uow: UnitOfWork) -> None:
    uow = sqlite_uow
    packs.install(uow, PACK)
    definitions.publish(uow, [factories.role("guest", (), "own")])
    assert pack_apply.compare(uow, PACK).changes == ()
    (gone,) = pack_apply.compare(uow, PACK, prune=True).changes
    assert (gone.name, gone.what) == (("role", "guest"), "removed")
    pack_apply.apply(uow, PACK, prune=True, as_draft=True)
    assert [draft.is_removal for draft in stored.drafts(uow.session)] == [True]
