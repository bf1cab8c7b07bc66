"""Handing mails over: what cannot arrive is given up, what may arrive later is tried again."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from builder.exchange.mail import Mail, sealed
from builder.jobs import mails
from builder.settings import Settings
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.mails import RunningPostOffice

MAIL = Mail("rita@example.com", "Welcome", "Hello", "<p>Hello</p>")


@pytest.fixture
def settings(
    sqlite_database: FreshDatabase, settings_for: Callable[..., Settings], post_office: RunningPostOffice
) -> Iterator[Settings]:
    made = settings_for(sqlite_database, mail=post_office.server)
    mails.settle_in(made)
    yield made
    mails._settings.clear()


def test_a_mail_is_sent(settings: Settings, post_office: RunningPostOffice) -> None:
    assert mails.hand_over_mail(sealed(MAIL, settings.secret_key)) == "sent"
    assert [mail["To"] for mail in post_office.office.taken] == ["rita@example.com"]


def test_one_that_is_refused_for_good_is_given_up(settings: Settings, post_office: RunningPostOffice) -> None:
    post_office.office.answers = ["550 nobody of that name"]
    assert mails.hand_over_mail(sealed(MAIL, settings.secret_key)) == "refused"


def test_one_that_may_be_taken_later_is_tried_again(
    settings: Settings, post_office: RunningPostOffice
) -> None:
    post_office.office.answers = ["451 come again"]
    with pytest.raises(smtplib.SMTPDataError):
        mails.hand_over_mail(sealed(MAIL, settings.secret_key))
    assert mails.hand_over_mail(sealed(MAIL, settings.secret_key)) == "sent"


def test_without_a_server_or_under_another_secret_it_is_given_up(settings: Settings) -> None:
    assert mails.hand_over_mail(sealed(MAIL, "another secret of 1999")) == "failed"
    mails.settle_in(replace(settings, mail=None))
    assert mails.hand_over_mail(sealed(MAIL, settings.secret_key)) == "failed"
