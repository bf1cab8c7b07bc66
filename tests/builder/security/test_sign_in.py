"""Signing in and out: who gets in, what is told, how often one may try."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from passlib.context import CryptContext
from passlib.totp import TOTP
from sqlalchemy import select, update

from builder.db.people import Member, UserAccount
from builder.security.accounts import Accounts
from tests.fixtures.town import PASSWORD, Town


def test_a_person_signs_in_and_lands_in_the_workspace(town: Town) -> None:
    visitor = town.visitor()

    answer = visitor.sign_in("rita@example.com")

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/"
    assert visitor.get("/").headers["Location"].startswith("/w/acme/")


def test_an_address_is_found_however_it_is_written(sqlite_town: Town) -> None:
    assert sqlite_town.visitor().sign_in("  RITA@Example.COM ").status_code == 302


def test_an_old_hash_is_renewed_though_somebody_writes_meanwhile(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = town.app.extensions["funnelwright.engine"]
    old = CryptContext(schemes=["argon2"], argon2__time_cost=1, argon2__memory_cost=1024).hash(PASSWORD)
    of_rita = UserAccount.email == "rita@example.com"
    with engine.begin() as connection:
        connection.execute(update(UserAccount).where(of_rita).values(password=old))

    def put_late(accounts: Accounts, model: Any) -> Any:
        with engine.begin() as connection:
            connection.execute(update(UserAccount).where(~of_rita).values(theme="dark"))
        return put(accounts, model)

    put = Accounts.put
    monkeypatch.setattr(Accounts, "put", put_late)

    assert town.visitor().sign_in("rita@example.com").status_code == 302
    with engine.connect() as connection:
        renewed = connection.execute(select(UserAccount.password).where(of_rita)).scalar_one()
    assert renewed not in (None, old)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("rita@example.com", "wrong password"),
        ("nobody@example.com", PASSWORD),
        ("", ""),
        ("not an address", "x"),
    ],
)
def test_a_wrong_sign_in_is_refused_and_keeps_the_address(
    sqlite_town: Town, email: str, password: str
) -> None:
    answer = sqlite_town.visitor().sign_in(email, password)

    assert answer.status_code == 422
    assert "Rita" not in answer.text
    assert f'value="{email}"' in answer.text
    assert "error" in answer.text


def test_an_unknown_address_and_a_wrong_password_are_told_alike(sqlite_town: Town) -> None:
    told = [
        sqlite_town.visitor().sign_in(email, "wrong password").text.count("not right")
        for email in ("rita@example.com", "nobody@example.com")
    ]

    assert told[0] == told[1] > 0


def test_sign_in_leads_back_to_where_one_was_going_but_never_away(sqlite_town: Town) -> None:
    visitor = sqlite_town.visitor()
    asked = visitor.get("/w/acme/admin/people?q=a")
    assert asked.status_code == 303
    assert asked.headers["Location"] == "/sign-in?next=/w/acme/admin/people?q%3Da"

    answer = visitor.sign_in("ada@example.com", next="/w/acme/admin/people?q=a")
    assert answer.headers["Location"] == "/w/acme/admin/people?q=a"
    for elsewhere in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        answer = sqlite_town.visitor().sign_in("ada@example.com", next=elsewhere)
        place = answer.headers.get("Location", "/")
        assert place.startswith("/"), elsewhere
        assert not urlsplit(place).netloc, elsewhere


def test_an_expired_sign_in_sends_htmx_to_the_whole_page(sqlite_town: Town) -> None:
    answer = sqlite_town.visitor().get(
        "/w/acme/admin/people", htmx=True, **{"HX-Current-URL": "http://localhost/w/acme/admin/people?q=x"}
    )

    assert answer.status_code == 401
    assert answer.text == ""
    assert answer.headers["HX-Redirect"] == "/sign-in?next=/w/acme/admin/people?q%3Dx"


def test_an_expired_sign_in_sends_htmx_forms_there_too(sqlite_town: Town) -> None:
    answer = sqlite_town.visitor().post("/w/acme/admin/people/new", {"name": "x"}, htmx=True)

    assert answer.status_code == 401
    assert "/sign-in" in answer.headers["HX-Redirect"]


def test_sign_out_ends_it_and_only_a_form_can_do_it(sqlite_town: Town) -> None:
    visitor = sqlite_town.as_("Rita")
    assert visitor.get("/sign-out").status_code == 405
    assert visitor.client.post("/sign-out").status_code == 400  # without a token

    assert visitor.post("/sign-out").status_code == 302
    assert visitor.get("/account/settings").status_code == 303


def test_nobody_registers_by_themselves(sqlite_town: Town) -> None:
    assert sqlite_town.visitor().get("/register").status_code == 404


def test_ten_failures_in_five_minutes_are_enough_and_it_is_said_clearly(sqlite_town: Town) -> None:
    visitor = sqlite_town.visitor()
    for _ in range(10):
        assert visitor.sign_in("rita@example.com", "wrong password").status_code == 422

    answer = visitor.sign_in("rita@example.com")

    assert answer.status_code == 429
    assert "Too many tries" in answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert sqlite_town.visitor().sign_in("ada@example.com").status_code == 302


def test_cookies_are_kept_from_scripts_and_other_sites(sqlite_town: Town) -> None:
    answer = sqlite_town.visitor().sign_in("rita@example.com", remember="y")

    cookies = answer.headers.getlist("Set-Cookie")
    assert any(cookie.startswith("fw_remember=") for cookie in cookies)
    for cookie in cookies:
        assert "HttpOnly" in cookie, cookie
        assert "SameSite=Lax" in cookie, cookie


def test_a_signed_in_request_reads_its_person_and_workspaces_in_one_statement(
    town: Town, count_statements: Callable[..., Any]
) -> None:
    visitor = town.as_("Ada")
    visitor.get("/w/acme/admin/people")
    with count_statements(town.app) as sent:
        assert visitor.get("/w/acme/admin/people").status_code == 200

    of_user = [statement for statement in sent if "FROM user_account" in statement]
    assert len(of_user) == 1, sent
    assert "JOIN workspace" in of_user[0], sent
    assert len(sent) <= 4, sent


@pytest.mark.parametrize("claimed", [None, 1, "somebody"])
def test_a_session_that_claims_to_be_somebody_else_sees_its_own_workspaces(town: Town, claimed: Any) -> None:
    otto = _account_id(town, "otto@example.com")
    visitor = town.as_("Ada")
    with visitor.client.session_transaction() as cookie:
        if claimed is None:
            cookie.pop("fw_user")
        else:
            cookie["fw_user"] = otto if claimed == "somebody" else claimed

    assert visitor.get("/w/acme/").status_code == 200
    assert visitor.get("/w/other/").status_code == 404


def _account_id(town: Town, email: str) -> int:
    uow = town.work()
    found = uow.session.scalar(select(UserAccount.id).where(UserAccount.email == email))
    uow.session.close()
    assert found is not None
    return found


def test_a_person_switched_off_in_the_house_is_signed_out(sqlite_town: Town) -> None:
    visitor = sqlite_town.as_("Rita")
    uow = sqlite_town.work()
    uow.begin()
    uow.session.execute(
        update(UserAccount).where(UserAccount.email == "rita@example.com").values(active=False)
    )
    uow.commit()

    assert visitor.get("/account/settings").status_code == 303
    assert sqlite_town.visitor().sign_in("rita@example.com").status_code == 422


def test_one_changes_the_password_with_the_old_one(sqlite_town: Town) -> None:
    visitor = sqlite_town.as_("Rita")
    new = {"new_password": "another long one", "new_password_confirm": "another long one"}

    refused = visitor.post("/account/password", {"password": "wrong password", **new})
    assert refused.status_code == 422
    assert "This is not your password" in refused.text
    short = {"password": PASSWORD, "new_password": "short", "new_password_confirm": "short"}
    assert "at least 8" in visitor.post("/account/password", short).text

    assert visitor.post("/account/password", {"password": PASSWORD, **new}).status_code == 302
    assert sqlite_town.visitor().sign_in("rita@example.com").status_code == 422
    assert sqlite_town.visitor().sign_in("rita@example.com", "another long one").status_code == 302


def test_two_step_sign_in_from_setting_up_to_a_recovery_code(town: Town) -> None:
    visitor = town.as_("Rita")
    shown = visitor.post("/account/two-step", {"setup": "authenticator"})
    assert shown.status_code == 200
    assert 'src="data:image/svg' in shown.text
    key = shown.text.split('class="two-step-key">')[1].split("<")[0].strip()
    action = shown.text.split('action="/account/two-step/')[1].split('"')[0]
    code = TOTP(key=key.replace("-", "")).generate().token
    assert visitor.post(f"/account/two-step/{action}", {"code": code}).status_code == 302
    made = visitor.post("/account/recovery-codes", {"generate_new_codes": "y"})
    codes = [part.split("</code>")[0] for part in made.text.split("<li><code>")[1:]]
    assert len(codes) == 5

    again = town.visitor()
    asked = again.sign_in("rita@example.com", then="")
    assert asked.headers["Location"].startswith("/sign-in/code")
    assert again.get("/account/settings").status_code == 303
    again.fetch_token("/sign-in/code")
    assert again.post("/sign-in/code", {"code": "000000"}).status_code == 422
    assert again.post("/sign-in/recovery", {"code": codes[0]}).status_code == 302
    assert again.get("/account/settings").status_code == 200

    third = town.visitor()
    third.sign_in("rita@example.com", then="")
    third.fetch_token("/sign-in/recovery")
    assert third.post("/sign-in/recovery", {"code": codes[0]}).status_code == 422


def test_presence_is_noted_at_most_every_five_minutes(town: Town) -> None:
    visitor, began = town.as_("Ada"), town.clock.now()
    seen = []
    for _ in range(3):
        visitor.get("/w/acme/admin/people")
        uow = town.work()
        seen.append(uow.session.scalar(select(Member.last_seen_at).where(Member.id == town.ids["Ada"])))
        uow.session.close()
        town.clock.advance(timedelta(minutes=3))

    assert seen == [began, began, began + timedelta(minutes=6)]


def test_an_address_sent_along_gives_no_new_tries_for_ones_own_password(sqlite_town: Town) -> None:
    rita = sqlite_town.as_("Rita")
    new = {"password": "wrong password", "new_password": "another password", "new_password_confirm": "x"}
    for number in range(10):
        sent = {**new, "email": f"{number}@example.com"}
        assert rita.post("/account/password", sent).status_code == 422

    assert rita.post("/account/password", {**new, "email": "10@example.com"}).status_code == 429
