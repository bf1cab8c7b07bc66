"""Addresses of a workspace: who may enter, what others see, where one lands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from builder.db.ids import to_public
from builder.db.people import Department, DepartmentMember, Member
from builder.services import people
from tests.fixtures.boards import Boards
from tests.fixtures.town import Town

PAGES = (
    "/admin/",
    "/admin/people",
    "/admin/people/new",
    "/admin/departments",
    "/admin/departments/new",
)


@pytest.mark.parametrize("page", PAGES)
def test_somebody_elses_workspace_and_none_at_all_are_404_alike(sqlite_town: Town, page: str) -> None:
    visitor = sqlite_town.as_("Otto")

    answers = [
        visitor.get(f"/w/{key}{page}") for key in ("acme", "nowhere", "ACME", "%27%20or%201=1--", "%00")
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert "Ada" not in answers[0].text


def test_ids_of_another_workspace_are_404_everywhere(town: Town) -> None:
    otto = town.as_("Otto")
    ada, east = to_public(town.ids["Ada"]), to_public(town.ids["east"])

    for path in (f"people/{ada}", f"departments/{east}"):
        assert otto.get(f"/w/other/admin/{path}").status_code == 404
        assert otto.post(f"/w/other/admin/{path}", {"name": "Mole", "role_key": "rep"}).status_code == 404
    assert otto.post(f"/w/other/admin/people/{ada}/password").status_code == 404
    assert otto.post(f"/w/other/admin/departments/{east}/end").status_code == 404


@pytest.mark.parametrize(
    "text", ["1", "00000000000", "zzzzzzzzzzz", "AAAAAAAAAAA%0a", "é", "-----------", "123456789012"]
)
def test_a_malformed_id_is_no_address(sqlite_town: Town, text: str) -> None:
    assert sqlite_town.as_("Ada").get(f"/w/acme/admin/people/{text}").status_code == 404


def test_a_person_switched_off_in_a_workspace_is_out_at_once(sqlite_town: Town) -> None:
    visitor = sqlite_town.as_("Rita")
    assert visitor.get("/w/acme/admin/people").status_code == 403
    uow = sqlite_town.work()
    uow.begin()
    uow.session.execute(update(Member).where(Member.id == sqlite_town.ids["Rita"]).values(is_active=False))
    uow.commit()

    assert visitor.get("/w/acme/admin/people").status_code == 404
    assert visitor.get("/").headers["Location"] == "/account/settings"


def test_departments_come_with_the_sign_in_and_those_of_now_count_with_the_next_request(
    boards: Boards, count_statements: Callable[[Flask], Any]
) -> None:
    """Whatever a process foresees by what it saw before: rows, roles and days change behind its back."""
    town, record = boards.town, f"/w/acme/r/{to_public(boards.id)}"
    mia = town.as_("Mia")
    assert mia.get(record).status_code == 200

    def asked(status: int) -> int:
        with count_statements(town.app) as sent:
            assert mia.get(record).status_code == status
        return len([each for each in sent if "department_member" in each and "FROM user_account" not in each])

    assert asked(200) == 0
    until = town.clock.now().date() + timedelta(days=3)
    of_mia = DepartmentMember.member_id == town.ids["Mia"]
    changes = (
        (update(DepartmentMember).where(of_mia).values(ends_on=until), 200),
        (update(DepartmentMember).where(of_mia).values(ends_on=town.clock.now().date()), 404),
        (update(DepartmentMember).where(of_mia).values(starts_on=until, ends_on=None), 404),
        (update(DepartmentMember).where(of_mia).values(starts_on=None), 200),
        (update(Department).values(ends_on=town.clock.now().date()), 404),
    )
    for change, status in changes:
        uow = town.work()
        uow.begin()
        uow.session.execute(change.execution_options(synchronize_session=False))
        uow.commit()
        uow.session.close()
        assert asked(status) == 0, change


def test_a_department_ends_with_its_day(boards: Boards) -> None:
    town, record = boards.town, f"/w/acme/r/{to_public(boards.id)}"
    mia = town.as_("Mia")
    uow = town.work()
    uow.begin()
    of_mia = update(DepartmentMember).where(DepartmentMember.member_id == town.ids["Mia"])
    uow.session.execute(of_mia.values(ends_on=town.clock.now().date() + timedelta(days=1)))
    uow.commit()
    uow.session.close()
    assert [mia.get(record).status_code for _ in range(2)] == [200, 200]

    town.clock.advance(timedelta(days=1))

    assert mia.get(record).status_code == 404


def test_a_role_that_is_gone_is_told(sqlite_town: Town) -> None:
    visitor = sqlite_town.as_("Rita")
    uow = sqlite_town.work()
    uow.begin()
    uow.session.execute(update(Member).where(Member.id == sqlite_town.ids["Rita"]).values(role_key="pirate"))
    uow.commit()

    answer = visitor.get("/w/acme/admin/people")
    assert answer.status_code == 403
    assert "pirate" in answer.text


def test_the_front_door_leads_to_the_workspace_visited_last(town: Town) -> None:
    uow = town.work("other")
    people.add(uow, people.PersonFacts("Ada", "admin", "ada@example.com"))
    uow.commit()
    visitor = town.as_("Ada")

    for key in ("other", "acme"):
        page = visitor.get(f"/w/{key}/admin/people")
        assert f'href="/w/{"acme" if key == "other" else "other"}/' in page.text  # the switcher
        assert visitor.get("/").headers["Location"].startswith(f"/w/{key}/")
        town.clock.advance(people_presence())


def people_presence():  # type: ignore[no-untyped-def]
    from blueprints.scope import PRESENCE_EVERY

    return PRESENCE_EVERY


def test_departments_open_the_records_below_them(town: Town) -> None:
    from builder.db.people import UserAccount
    from builder.db.tenancy import WorkspaceSession
    from builder.queries.memberships import actor_of, memberships_of
    from builder.services import departments

    uow = town.work()
    uow.actor = uow.actor
    west = departments.add(uow, "West")
    port = departments.add(uow, "Port", town.ids["east"])
    uow.commit()
    workspace, catalog = uow.workspace, uow.catalog
    uow.session.close()
    engine = town.app.extensions["funnelwright.engine"]
    with WorkspaceSession(engine, expire_on_commit=False) as session:
        from sqlalchemy import select

        user_id = session.scalar(select(UserAccount.id).where(UserAccount.email == "mia@example.com"))
        session.bind_user(user_id)
        (mine,) = memberships_of(session, user_id)
        session.bind_workspace(workspace.id)
        actor = actor_of(session, mine, catalog, workspace.day_of(town.clock.now()))

    assert actor.department_ids == (town.ids["east"],)
    assert set(actor.visible_department_ids) == {town.ids["east"], port}
    assert not actor.can_see("matter", owner_id=1, department_id=west)
    assert actor.can_see("matter", owner_id=1, department_id=port)
    assert actor.open_objects == {"client"}
    assert actor.manager_id == town.ids["Ada"]


def test_the_readers_time_zone_is_their_own_then_the_workspaces(sqlite_town: Town) -> None:
    visitor = sqlite_town.as_("Ada")
    visitor.get("/w/acme/admin/people")  # 9:00 UTC
    assert "5:00\u202fPM" in visitor.get("/w/acme/admin/people").text  # Shanghai

    form = {"name": "Ada", "time_zone": "America/New_York"}
    assert visitor.post("/account/settings", form).status_code == 303
    assert "5:00\u202fAM" in visitor.get("/w/acme/admin/people").text
