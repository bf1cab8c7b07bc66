"""Industry templates: installed whole or not at all, exported byte for byte."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from builder.clock import FakeClock
from builder.db.definitions import Definition, DefinitionVersion, PackBase
from builder.db.engine import make_engine
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.errors import Conflict, Forbidden, NotFound
from builder.metadata import packs as files
from builder.queries.packs import installed_packs
from builder.services import definitions, packs, workspaces
from builder.services.unit_of_work import UnitOfWork
from tests import factories
from tests.fixtures.databases import FreshDatabase

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
    """In an empty workspace."""
    engine = make_engine(database_url.url)
    with WorkspaceSession(engine, expire_on_commit=False) as session:
        made = workspaces.create(session, FakeClock(factories.START), workspaces.WorkspaceFacts("acme"))
        made.commit()
        yield made
    engine.dispose()


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
