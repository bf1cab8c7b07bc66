"""Adding and changing people over HTTP."""

from __future__ import annotations

import html

import pytest
from sqlalchemy import select

from builder.db.ids import to_public
from builder.db.people import Member
from tests.blueprints.workspace.desk import matter
from tests.fixtures.town import PASSWORD, Town

LIST = "/w/acme/admin/people"
NEW = f"{LIST}/new"


def facts(town: Town, **changes: str) -> dict[str, str]:
    return {
        "name": "Nils Ny",
        "email": "nils@example.com",
        "role_key": "rep",
        "manager_id": to_public(town.ids["Mia"]),
        "department_id": to_public(town.ids["east"]),
        "password": PASSWORD,
        **changes,
    }


def person_url(town: Town, name: str) -> str:
    return f"{LIST}/{to_public(town.ids[name])}"


def test_adding_works_and_redirects_without_htmx(town: Town) -> None:
    ada = town.as_("Ada")

    answer = ada.post(NEW, facts(town))

    assert (answer.status_code, answer.headers["Location"]) == (303, LIST)
    page = ada.get(LIST).text
    assert "Nils Ny is in the workspace now." in page
    assert "nils@example.com" in page
    assert town.visitor().sign_in("nils@example.com").status_code == 302


def test_adding_works_with_htmx(sqlite_town: Town) -> None:
    answer = sqlite_town.as_("Ada").post(NEW, facts(sqlite_town), htmx=True)

    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, LIST)


def test_a_password_made_here_is_told_once_and_works(sqlite_town: Town) -> None:
    answer = sqlite_town.as_("Ada").post(NEW, facts(sqlite_town, password=""))

    assert answer.status_code == 200
    told = answer.text.split('class="password-told">')[1].split("<")[0].strip()
    assert len(told) == 19
    assert sqlite_town.visitor().sign_in("nils@example.com", told).status_code == 302


def test_a_colleague_without_an_address_has_no_sign_in(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")

    assert ada.post(NEW, facts(sqlite_town, email="", password="")).status_code == 303
    assert "no sign-in" in ada.get(LIST).text


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"name": "  "}, "name-error"),
        ({"name": "x" * 201}, "name-error"),
        ({"name": "nul\0"}, "name-error"),
        ({"email": "nobody"}, "email-error"),
        ({"email": "ADA@example.com"}, "email-error"),
        ({"role_key": "pirate"}, "role_key-error"),
        ({"role_key": ""}, "role_key-error"),
        ({"manager_id": "AAAAAAAAAAA"}, "manager_id-error"),
        ({"department_id": "nonsense"}, "department_id-error"),
        ({"password": "short"}, "password-error"),
        (
            {"email": "otto@example.com"},
            "password-error",
        ),  # has a sign-in elsewhere, with a password of its own
    ],
)
def test_invalid_is_422_named_and_keeps_what_was_typed(
    sqlite_town: Town, wrong: dict[str, str], named: str, htmx: bool
) -> None:
    answer = sqlite_town.as_("Ada").post(NEW, facts(sqlite_town, **{"name": "Typed", **wrong}), htmx=htmx)

    assert answer.status_code == 422
    assert named in answer.text
    assert 'role="alert"' in answer.text
    assert PASSWORD not in answer.text
    assert ("<html" in answer.text) is not htmx
    if "name" not in wrong:
        assert 'value="Typed"' in answer.text
    uow = sqlite_town.work()
    assert uow.session.scalar(select(Member.id).where(Member.name == "Typed")) is None
    uow.session.close()


def test_a_foreign_colleague_is_no_manager(sqlite_town: Town) -> None:
    form = facts(sqlite_town, manager_id=to_public(sqlite_town.ids["Otto"]))

    assert "manager_id-error" in sqlite_town.as_("Ada").post(NEW, form).text


def test_changing_works_and_the_department_is_dated(town: Town) -> None:
    ada = town.as_("Ada")
    page = ada.get(person_url(town, "Rita"))
    assert 'value="Rita"' in page.text

    form = {
        "name": "Rita Vogel",
        "role_key": "manager",
        "manager_id": "",
        "department_id": "",
        "is_active": "y",
        "revision": "1",
    }
    answer = ada.post(person_url(town, "Rita"), form)

    assert (answer.status_code, answer.headers["Location"]) == (303, LIST)
    uow = town.work()
    member = uow.session.get(Member, (uow.workspace.id, town.ids["Rita"]))
    assert member is not None
    assert (member.name, member.role_key, member.manager_id) == ("Rita Vogel", "manager", None)
    assert member.email == "rita@example.com"
    uow.session.close()


def test_a_stale_change_is_409_keeps_what_was_typed_and_tells_what_is_stored(town: Town) -> None:
    ada, rita = town.as_("Ada"), person_url(town, "Rita")
    theirs = {"name": "Rita Vogel", "role_key": "rep", "is_active": "y", "revision": "1"}
    assert ada.post(rita, theirs).status_code == 303

    answer = ada.post(rita, {**theirs, "name": "Rita Adler", "role_key": "manager"})

    assert answer.status_code == 409
    assert 'value="Rita Adler"' in answer.text
    assert "Now stored: Rita Vogel" in answer.text
    assert "Now stored: Rep" in answer.text
    assert 'name="revision" value="2"' in answer.text
    assert ada.post(rita, {"name": "Rita", "role_key": "rep"}).status_code == 400
    assert "Rita Vogel" in ada.get(LIST).text


def test_a_person_who_leaves_cannot_enter_any_more(sqlite_town: Town) -> None:
    ada, rita = sqlite_town.as_("Ada"), sqlite_town.as_("Rita")

    assert (
        ada.post(
            person_url(sqlite_town, "Rita"), {"name": "Rita", "role_key": "rep", "revision": "1"}
        ).status_code
        == 303
    )
    assert rita.get(LIST).status_code == 404
    assert "Rita" not in ada.get(LIST, htmx=True).text
    assert "Rita" in ada.get(f"{LIST}?all=1", htmx=True).text


def test_whoever_leaves_with_records_leads_to_handing_them_over(sqlite_town: Town) -> None:
    ada, form = sqlite_town.as_("Ada"), {"name": "Rita", "role_key": "rep", "revision": "1"}
    matter(sqlite_town)

    answer = ada.post(person_url(sqlite_town, "Rita"), form)

    assert answer.location == person_url(sqlite_town, "Rita") + "/hand-over"
    page = ada.get(answer.location).text
    assert "What Rita owns stays with them until a colleague gets it." in page
    assert "Matters" in page


def test_the_last_admin_stays(sqlite_town: Town) -> None:
    form = {"name": "Ada", "role_key": "rep", "is_active": "y", "revision": "1"}

    answer = sqlite_town.as_("Ada").post(person_url(sqlite_town, "Ada"), form)

    assert answer.status_code == 422
    assert "last person" in answer.text


def test_nobody_is_their_own_manager_over_others(sqlite_town: Town) -> None:
    form = {
        "name": "Ada",
        "role_key": "admin",
        "manager_id": to_public(sqlite_town.ids["Rita"]),
        "is_active": "y",
        "revision": "1",
    }

    answer = sqlite_town.as_("Ada").post(person_url(sqlite_town, "Ada"), form)

    assert answer.status_code == 422
    assert "manager_id-error" in answer.text


def test_a_new_password_signs_out_everywhere(sqlite_town: Town) -> None:
    rita = sqlite_town.as_("Rita")

    answer = sqlite_town.as_("Ada").post(f"{person_url(sqlite_town, 'Rita')}/password")

    told = answer.text.split('class="password-told">')[1].split("<")[0].strip()
    assert rita.get("/account/settings").status_code == 303
    assert sqlite_town.visitor().sign_in("rita@example.com").status_code == 422
    assert sqlite_town.visitor().sign_in("rita@example.com", told).status_code == 302


def test_a_sign_in_used_elsewhere_keeps_its_password(town: Town) -> None:
    ada = town.as_("Ada")
    assert ada.post(NEW, facts(town, email="otto@example.com", password="")).status_code == 303
    uow = town.work()
    otto = uow.session.scalar(select(Member.id).where(Member.email == "otto@example.com"))
    uow.session.close()

    assert ada.post(f"{LIST}/{to_public(otto)}/password").status_code == 409
    assert town.visitor().sign_in("otto@example.com").status_code == 302


def test_searching_finds_by_name_and_address(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")

    assert "Rita" in ada.get(f"{LIST}?q=RIT", htmx=True).text
    assert "Rita" not in ada.get(f"{LIST}?q=%25%25", htmx=True).text
    assert "<html" not in ada.get(f"{LIST}?q=x", htmx=True).text


def test_forbidden_without_the_right_missing_404_wrong_verb_405(sqlite_town: Town) -> None:
    rita, ada = sqlite_town.as_("Rita"), sqlite_town.as_("Ada")
    mia = person_url(sqlite_town, "Mia")

    for path in (LIST, NEW, mia):
        assert rita.get(path).status_code == 403
    for path in (NEW, mia, f"{mia}/password"):
        assert rita.post(path, facts(sqlite_town, revision="1")).status_code == 403
    missing = to_public(12345)
    assert ada.get(f"{LIST}/{missing}").status_code == 404
    assert ada.post(f"{LIST}/{missing}", facts(sqlite_town, revision="1")).status_code == 404
    assert ada.post(LIST).status_code == 405
    assert ada.get(f"{mia}/password").status_code == 405


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "'; DROP TABLE member; --", "{{7*7}}", "名字 李明 🙂", "‮abc"]
)
def test_hostile_names_are_stored_and_shown_as_text(sqlite_town: Town, text: str) -> None:
    ada = sqlite_town.as_("Ada")

    assert ada.post(NEW, facts(sqlite_town, name=text)).status_code == 303
    page = ada.get(LIST).text
    assert "<script>alert" not in page
    assert html.escape(text, quote=True).replace("&#x27;", "&#39;") in page
