"""The wall between workspaces: our filter, and PostgreSQL's row-level security behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from builder.db.base import Base
from builder.db.ids import new_id
from builder.db.people import Department, Member
from builder.db.records import GivenNumber, Record, RecordNumber, SearchToken
from builder.db.tenancy import UnboundSessionError, WorkspaceSession, scoped
from builder.queries.memberships import count_memberships, memberships_of
from builder.services import people
from tests.fixtures.town import Town

ROOT = Path(__file__).parents[3]
SCOPED = [table for table in Base.metadata.sorted_tables if "workspace_id" in table.c]


@pytest.fixture
def session(town: Town) -> Iterator[WorkspaceSession]:
    with WorkspaceSession(town.app.extensions["funnelwright.engine"], expire_on_commit=False) as opened:
        yield opened


def engine_of(town: Town) -> Engine:
    engine: Engine = town.app.extensions["funnelwright.engine"]
    return engine


def workspace_ids(town: Town) -> dict[str, int]:
    with engine_of(town).connect() as connection:
        return {row.key: row.id for row in connection.execute(text("SELECT key, id FROM workspace"))}


def test_an_unbound_session_refuses_every_scoped_class(session: WorkspaceSession) -> None:
    for entity in (Member, Department, Record, SearchToken, RecordNumber, GivenNumber):
        with pytest.raises(UnboundSessionError):
            session.execute(select(entity)).all()
    with pytest.raises(UnboundSessionError):
        session.execute(update(Member).values(name="Nobody"))


def test_a_bare_table_is_refused_because_nothing_would_filter_it(
    session: WorkspaceSession, town: Town
) -> None:
    session.bind_workspace(workspace_ids(town)["acme"])

    with pytest.raises(UnboundSessionError):
        session.execute(select(Member.__table__.c.name)).all()


def test_a_bound_session_sees_its_own_people_only(session: WorkspaceSession, town: Town) -> None:
    session.bind_workspace(workspace_ids(town)["other"])

    assert session.scalars(select(Member.name)).all() == ["Otto"]
    assert session.scalar(select(func.count()).select_from(Member)) == 1
    assert session.get(Member, (workspace_ids(town)["other"], town.ids["Ada"])) is None


def test_scoped_statements_that_are_read_as_one_are_filtered_each(
    session: WorkspaceSession, town: Town
) -> None:
    session.bind_workspace(workspace_ids(town)["other"])
    member, department = Member.__table__, Department.__table__
    beside = member.outerjoin(department, department.c.path == member.c.name)

    both = scoped(select(member.c.name), select(department.c.name))
    assert session.run(both).scalars().all() == ["Otto", "Far"]
    with pytest.raises(UnboundSessionError):
        scoped(select(member.c.name), select(member.c.name).select_from(beside))


def test_updates_and_deletes_stop_at_the_wall(session: WorkspaceSession, town: Town) -> None:
    session.bind_workspace(workspace_ids(town)["other"])
    session.begin_write()
    session.execute(update(Member).values(name="Changed"))
    session.execute(update(Department).values(name="Changed"))
    session.commit()

    uow = town.work("acme")
    assert "Changed" not in uow.session.scalars(select(Member.name)).all()
    assert uow.session.scalars(select(Department.name)).all() == ["East"]
    uow.session.close()


def test_the_application_role_is_neither_owner_nor_superuser(town: Town) -> None:
    engine = engine_of(town)
    if engine.dialect.name != "postgresql":
        pytest.skip("roles are PostgreSQL's")
    with engine.connect() as connection:
        role = connection.execute(
            text("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        ).one()
        owned = connection.execute(
            text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = current_user")
        ).scalar_one()
    assert role == (False, False)
    assert owned == 0


def test_every_scoped_table_has_its_wall_forced(postgres_database: object) -> None:
    from sqlalchemy import create_engine

    engine = create_engine(postgres_database.url)  # type: ignore[attr-defined]
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relkind = 'r'")
        )
        walls = dict(rows.tuples().all())
    engine.dispose()
    assert [table.name for table in SCOPED if not walls.get(table.name)] == []


def test_raw_sql_without_our_filter_returns_no_foreign_row(town: Town) -> None:
    engine, ids = engine_of(town), workspace_ids(town)
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one lock, PostgreSQL two")
    announce = text("SELECT set_config('app.workspace_id', :id, true)")
    for table in SCOPED:
        with engine.connect() as connection:
            assert connection.execute(text(f"SELECT count(*) FROM {table.name}")).scalar_one() == 0, (
                table.name
            )
        with engine.connect() as connection:
            connection.execute(announce, {"id": str(ids["other"])})
            seen = connection.execute(text(f"SELECT DISTINCT workspace_id FROM {table.name}")).scalars().all()
            assert set(seen) <= {ids["other"]}, table.name


def test_raw_sql_cannot_write_into_another_workspace(town: Town) -> None:
    engine, ids = engine_of(town), workspace_ids(town)
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one lock, PostgreSQL two")
    with engine.connect() as connection:
        connection.execute(
            text("SELECT set_config('app.workspace_id', :id, true)"), {"id": str(ids["other"])}
        )
        changed = connection.execute(text("UPDATE member SET name = 'Changed' WHERE name = 'Ada'")).rowcount
        assert changed == 0
        with pytest.raises(DBAPIError, match="row-level security"):
            connection.execute(
                insert(Department.__table__),
                {"workspace_id": ids["acme"], "id": new_id(), "name": "Mole", "path": "/1/"},
            )


def test_a_sign_in_reads_its_own_memberships_everywhere_and_nobody_elses(town: Town) -> None:
    uow = town.work("other")
    people.add(uow, people.PersonFacts("Ada", "rep", "ada@example.com"))
    uow.commit()
    user_id = uow.session.scalar(select(Member.user_id).where(Member.name == "Ada"))
    uow.session.close()
    with WorkspaceSession(engine_of(town), expire_on_commit=False) as session:
        session.bind_user(user_id)
        mine = memberships_of(session, user_id)
        assert [(each.workspace.key, each.role_key) for each in mine] == [("acme", "admin"), ("other", "rep")]
        assert count_memberships(session, user_id) == 2
    if engine_of(town).dialect.name == "postgresql":
        with WorkspaceSession(engine_of(town), expire_on_commit=False) as session:
            session.bind_user(user_id + 1)
            assert memberships_of(session, user_id) == []


def test_a_sign_in_cannot_change_its_membership_of_another_workspace(town: Town) -> None:
    engine, ids = engine_of(town), workspace_ids(town)
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one lock, PostgreSQL two")
    uow = town.work("other")
    people.add(uow, people.PersonFacts("Ada", "rep", "ada@example.com"))
    uow.commit()
    user_id = uow.session.scalar(select(Member.user_id).where(Member.name == "Ada"))
    uow.session.close()
    announced = {"workspace": str(ids["acme"]), "user": str(user_id)}
    announce = text(
        "SELECT set_config('app.workspace_id', :workspace, true), set_config('app.user_id', :user, true)"
    )
    for statement in (
        "UPDATE member SET role_key = 'admin' WHERE workspace_id = :other",
        "UPDATE member SET role_key = 'admin' WHERE user_id = :user AND workspace_id = :other",
        "DELETE FROM member WHERE user_id = :user AND workspace_id = :other",
    ):
        with engine.connect() as connection:
            connection.execute(announce, announced)
            mine = text("SELECT count(*) FROM member WHERE user_id = :user")
            assert connection.execute(mine, {"user": user_id}).scalar_one() == 2
            values = {"user": user_id, "other": ids["other"]}
            bound = text(statement).bindparams(
                **{name: value for name, value in values.items() if f":{name}" in statement}
            )
            assert connection.execute(bound).rowcount == 0, statement
            connection.commit()
    uow = town.work("other")
    assert uow.session.scalar(select(Member.role_key).where(Member.name == "Ada")) == "rep"
    uow.session.close()


def test_the_binding_survives_a_commit_and_ends_with_the_session(town: Town) -> None:
    ids = workspace_ids(town)
    with WorkspaceSession(engine_of(town), expire_on_commit=False) as session:
        session.bind_workspace(ids["other"])
        for _ in range(2):
            assert session.scalars(select(Member.name)).all() == ["Otto"]
            session.commit()
    with (
        WorkspaceSession(engine_of(town), expire_on_commit=False) as session,
        pytest.raises(UnboundSessionError),
    ):
        session.scalars(select(Member.name)).all()


def test_only_memberships_and_ones_own_packs_are_read_across_workspaces() -> None:
    pattern = re.compile(r"across_workspaces")
    users = {
        path.relative_to(ROOT).as_posix()
        for folder in ("builder", "blueprints")
        for path in (ROOT / folder).rglob("*.py")
        if pattern.search(path.read_text("utf-8"))
    }

    own = {"builder/queries/memberships.py", "builder/queries/library.py"}
    assert users == {"builder/db/tenancy.py", *own}
