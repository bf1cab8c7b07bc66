"""A forgotten password: by mail where there is a mail server, with words of what to do where there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from builder.settings import Settings
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.mails import MAIL, PUBLIC_URL, Outbox
from tests.fixtures.town import PASSWORD, Town

FORGOTTEN = "/sign-in/forgotten"


@pytest.fixture
def settings_for(settings_for: Callable[..., Settings], request: pytest.FixtureRequest) -> Any:
    def make(database: FreshDatabase, **changes: object) -> Settings:
        if "own_application" in request.fixturenames:
            changes = {"mail": MAIL, "public_url": PUBLIC_URL, **changes}
        return settings_for(database, **changes)

    return make


@pytest.mark.usefixtures("own_application")
def test_a_new_password_comes_by_a_link_that_works_once(town: Town) -> None:
    outbox = town.app.extensions["funnelwright.queue"] = Outbox()
    visitor = town.visitor()
    assert f'href="{FORGOTTEN}"' in visitor.get("/sign-in").text
    visitor.fetch_token(FORGOTTEN)
    visitor.client.environ_base["HTTP_HOST"] = "evil.example.com"
    first = visitor.post(FORGOTTEN, {"email": " Rita@example.com"})
    (mail,) = outbox.mails
    assert mail.to == "rita@example.com"
    assert "evil" not in mail.text + mail.html
    path = outbox.last_link()
    assert path.startswith(f"{FORGOTTEN}/")

    del visitor.client.environ_base["HTTP_HOST"]
    visitor.fetch_token(path)
    assert visitor.post(path, {"password": "another one", "password_confirm": "nothing"}).status_code == 422
    answer = visitor.post(path, {"password": "another one", "password_confirm": "another one"})
    assert answer.status_code == 302
    assert town.visitor().sign_in("rita@example.com", PASSWORD).status_code == 422
    assert town.visitor().sign_in("rita@example.com", "another one").status_code == 302
    assert town.visitor().get(path).status_code == 302

    # Whether an address is known is not told, neither by words nor by a mail.
    unknown = town.visitor()
    unknown.fetch_token(FORGOTTEN)
    second = unknown.post(FORGOTTEN, {"email": "nobody@example.com"})
    assert (second.status_code, second.location) == (first.status_code, first.location)
    assert len(outbox.mails) == 1


@pytest.mark.usefixtures("own_application")
def test_mails_are_not_sent_without_end(sqlite_town: Town) -> None:
    outbox = sqlite_town.app.extensions["funnelwright.queue"] = Outbox()
    visitor = sqlite_town.visitor()
    visitor.fetch_token(FORGOTTEN)
    codes = [visitor.post(FORGOTTEN, {"email": "rita@example.com"}).status_code for _ in range(11)]
    assert codes[-1] == 429
    assert len(outbox.mails) == 10


def test_without_mail_the_page_says_who_helps(sqlite_town: Town) -> None:
    visitor = sqlite_town.visitor()
    assert 'href="/sign-in/help"' in visitor.get("/sign-in").text
    assert "an admin of your workspace helps" in visitor.get("/sign-in/help").text
    assert visitor.get(FORGOTTEN).status_code == 404
