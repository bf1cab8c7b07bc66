"""Invitations: by mail or by a link that is passed on; the link works once, for seven days."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import select

from builder.db.ids import to_public
from builder.db.people import UserAccount
from builder.db.postings import Posting
from builder.services import people
from builder.services.postings import posting_key
from tests.blueprints.workspace.test_once import key_in
from tests.fixtures.mails import MAIL, PUBLIC_URL, Outbox
from tests.fixtures.town import PASSWORD, Town

NEW = "/w/acme/admin/people/new"
NORA = {"name": "Nora New", "email": "nora@example.com", "role_key": "rep", "invites": "y"}
CHOSEN = {"password": "my own words", "repeated": "my own words"}


def with_mail(town: Town) -> Outbox:
    settings, outbox = town.app.extensions["funnelwright.settings"], Outbox()
    town.app.extensions["funnelwright.settings"] = replace(settings, mail=MAIL, public_url=PUBLIC_URL)
    town.app.extensions["funnelwright.queue"] = outbox
    return outbox


def invite(town: Town, name: str, who: str = "Ada") -> str:
    return f"/w/acme/admin/people/{to_public(town.ids[name])}/invitation"


def test_a_new_person_gets_a_mail_chooses_a_password_and_is_in(town: Town) -> None:
    outbox = with_mail(town)
    answer = town.as_("Ada").post(NEW, NORA)
    assert (answer.status_code, answer.location) == (303, "/w/acme/admin/people")
    (mail,) = outbox.mails
    assert mail.to == "nora@example.com"
    assert "Ada has added you to the workspace “Acme”" in mail.text
    assert 'href="https://crm.example.com/invitation/' in mail.html

    nora, path = town.visitor(), outbox.last_link()
    page = nora.get(path)
    assert "nora@example.com" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    nora.fetch_token(path)
    answer = nora.post(path, CHOSEN)
    assert (answer.status_code, answer.location) == (303, "/")
    assert nora.get("/").location.startswith("/w/acme/")
    assert town.visitor().get(path).status_code == 404
    assert town.visitor().sign_in("nora@example.com", "my own words").status_code == 302


def test_a_form_that_is_sent_twice_adds_one_person_and_sends_one_mail(town: Town) -> None:
    outbox, ada = with_mail(town), town.as_("Ada")
    form = {**NORA, "once": key_in(ada.get(NEW).text)}
    for _ in range(2):
        answer = ada.post(NEW, form)
        assert (answer.status_code, answer.location) == (303, "/w/acme/admin/people")
    assert len(outbox.mails) == 1
    listed = unescape(ada.get("/w/acme/admin/people").text)
    assert "The invitation to Nora New is on its way already." in listed

    person = f"/w/acme/admin/people/{to_public(town.ids['Rita'])}"
    again = {"once": key_in(ada.get(person).text)}
    for _ in range(2):
        assert ada.post(invite(town, "Rita"), again).status_code == 303
    assert len(outbox.mails) == 2
    assert ada.post(invite(town, "Rita"), {"once": key_in(ada.get(person).text)}).status_code == 303
    assert len(outbox.mails) == 3, "asked for again on a page of its own"


def test_clicks_at_the_same_time_send_one_mail(town: Town) -> None:
    outbox, ada = with_mail(town), town.as_("Ada")
    key = key_in(ada.get(f"/w/acme/admin/people/{to_public(town.ids['Rita'])}").text)
    start, answers = threading.Barrier(4), []

    def click() -> None:
        start.wait()
        answers.append(ada.post(invite(town, "Rita"), {"once": key}).status_code)

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for each in clicks:
        each.start()
    for each in clicks:
        each.join(60)
    assert answers == [303] * 4
    assert len(outbox.mails) == 1


def test_a_colleague_without_a_sign_in_is_added_once(town: Town) -> None:
    ada = town.as_("Ada")
    before = ada.get("/w/acme/admin/people").text.count('class="person-link"')
    form = {"name": "Nils New", "role_key": "rep", "once": key_in(ada.get(NEW).text)}
    first, second = (ada.post(NEW, form) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert second.location.startswith("/w/acme/admin/people/")
    page = ada.get("/w/acme/admin/people").text
    assert len(re.findall(r'class="person-link"[^>]*>.*?</a>', page, re.DOTALL)) == before + 1


def test_a_password_that_was_made_is_told_once_however_often_the_form_is_sent(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    form = {"name": "Nora New", "email": "nora@example.com", "role_key": "rep"}
    form["once"] = key_in(ada.get(NEW).text)
    assert "password-told" in ada.post(NEW, form).text
    again = ada.post(NEW, form)
    assert again.status_code == 303
    assert "Make a new password" in ada.get(again.location).text


def test_a_password_that_is_typed_cannot_be_tried_by_what_is_stored_of_the_form(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    form = {"name": "Nora New", "email": "nora@example.com", "role_key": "rep", "password": "typed by Ada"}
    key = key_in(ada.get(NEW).text)
    assert ada.post(NEW, {**form, "once": key}).status_code == 303
    with sqlite_town.work().session as session:
        (stored,) = session.scalars(select(Posting.key)).all()
    told = posting_key(key, [("", NEW), *form.items()])
    assert stored[:16] == told[:16]
    assert stored != told


def test_a_link_is_shown_again_to_who_sends_the_form_again(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    form = {**NORA, "once": key_in(ada.get(NEW).text)}
    for _ in range(2):
        found = re.search(r"<code[^>]*>http://localhost(/invitation/[^<]+)</code>", ada.post(NEW, form).text)
        assert found
        assert sqlite_town.visitor().get(found.group(1)).status_code == 200


def test_the_mail_is_in_the_language_of_who_gets_it(sqlite_town: Town) -> None:
    outbox, ada = with_mail(sqlite_town), sqlite_town.as_("Ada")
    with sqlite_town.work().session as session:
        session.begin_write()
        rita = session.query(UserAccount).filter_by(email="rita@example.com").one()
        rita.locale = "zh_Hans"
        session.commit()
    answer = ada.post(invite(sqlite_town, "Rita"))
    assert answer.status_code == 303
    assert "你好" in outbox.mails[0].text or "您好" in outbox.mails[0].text
    assert 'lang="zh-Hans"' in outbox.mails[0].html
    assert "is on its way" in unescape(ada.get("/w/acme/admin/people").text)


def test_without_mail_the_link_is_shown_once(sqlite_town: Town) -> None:
    page = sqlite_town.as_("Ada").post(NEW, NORA)
    assert page.status_code == 200
    found = re.search(r"<code[^>]*>http://localhost(/invitation/[^<]+)</code>", page.text)
    assert found
    assert sqlite_town.visitor().get(found.group(1)).status_code == 200


def test_a_password_that_is_typed_needs_no_invitation(sqlite_town: Town) -> None:
    outbox = with_mail(sqlite_town)
    answer = sqlite_town.as_("Ada").post(NEW, {**NORA, "password": "typed by Ada"})
    assert answer.status_code == 303
    assert outbox.mails == []


def test_who_has_a_sign_in_elsewhere_is_told_and_keeps_it(sqlite_town: Town) -> None:
    outbox = with_mail(sqlite_town)
    sqlite_town.as_("Ada").post(NEW, {**NORA, "email": "otto@example.com"})
    assert "Sign in as you do elsewhere" in outbox.mails[0].text
    assert outbox.last_link() == "/sign-in"


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"password": "short", "repeated": "short"}, "at least 8 characters"),
        ({"password": "long enough", "repeated": "not the same"}, "not the same"),
        ({}, "at least 8 characters"),
    ],
)
def test_a_bad_password_is_refused_and_the_link_stays(
    sqlite_town: Town, sent: dict[str, str], told: str
) -> None:
    outbox = with_mail(sqlite_town)
    sqlite_town.as_("Ada").post(invite(sqlite_town, "Rita"))
    visitor, path = sqlite_town.visitor(), outbox.last_link()
    visitor.fetch_token(path)
    answer = visitor.post(path, sent)
    assert answer.status_code == 422
    assert told in unescape(answer.text)
    assert visitor.get(path).status_code == 200
    assert sqlite_town.visitor().sign_in("rita@example.com", PASSWORD).status_code == 302


def test_a_link_ends_after_seven_days_when_it_is_changed_and_with_another_password(sqlite_town: Town) -> None:
    outbox, ada = with_mail(sqlite_town), sqlite_town.as_("Ada")
    ada.post(invite(sqlite_town, "Rita"))
    path, visitor = outbox.last_link(), sqlite_town.visitor()
    # Not the last sign: some of its bits say nothing.
    assert visitor.get(path[:-2] + ("a" if path[-2] != "a" else "b") + path[-1]).status_code == 404
    assert visitor.get("/invitation/nonsense").status_code == 404
    sqlite_town.clock.advance(timedelta(days=6, hours=23))
    assert visitor.get(path).status_code == 200
    sqlite_town.clock.advance(timedelta(hours=2))
    assert visitor.get(path).status_code == 404

    ada.post(invite(sqlite_town, "Mia"))
    path = outbox.last_link()
    ada.post(f"/w/acme/admin/people/{to_public(sqlite_town.ids['Mia'])}/password")
    assert visitor.get(path).status_code == 404


def test_a_link_ends_when_the_person_joins_another_workspace(town: Town) -> None:
    """Whoever saw it in the first one would come into the other by it."""
    outbox, visitor = with_mail(town), town.visitor()
    town.as_("Ada").post(invite(town, "Rita"))
    path = outbox.last_link()
    visitor.fetch_token(path)
    uow = town.work("other")
    people.add(uow, people.PersonFacts("Rita", "rep", "rita@example.com"))
    uow.commit()
    uow.session.close()
    assert visitor.get(path).status_code == 404
    assert visitor.post(path, CHOSEN).status_code == 404
    assert town.visitor().sign_in("rita@example.com", PASSWORD).status_code == 302


def test_inviting_is_for_those_who_keep_the_people(sqlite_town: Town) -> None:
    path = invite(sqlite_town, "Mia")
    for name, status in (("Rita", 403), ("Otto", 404)):
        assert sqlite_town.as_(name).post(path).status_code == status
    ada = sqlite_town.as_("Ada")
    assert ada.post(path.replace(to_public(sqlite_town.ids["Mia"]), "AAAAAAAAAAA")).status_code == 404
    assert ada.get(path).status_code == 405
    ada.post(NEW, {"name": "No Address", "role_key": "rep", "invites": "y"})


def test_a_link_never_stands_in_the_log(sqlite_town: Town, caplog: pytest.LogCaptureFixture) -> None:
    outbox = with_mail(sqlite_town)
    sqlite_town.as_("Ada").post(invite(sqlite_town, "Rita"))
    caplog.clear()
    sqlite_town.visitor().get(outbox.last_link())
    assert "/invitation/<token>" in caplog.text
    assert outbox.last_link().rpartition("/")[2] not in caplog.text
