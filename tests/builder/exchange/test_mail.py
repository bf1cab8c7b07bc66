"""Mails on their way: sealed while they wait, whole when they arrive."""

from __future__ import annotations

import smtplib
from dataclasses import replace

import pytest
from cryptography.fernet import InvalidToken

from builder.exchange.mail import Mail, deliver, opened, sealed
from tests.fixtures.mails import RunningPostOffice

MAIL = Mail("rita@example.com", "欢迎 Rita", "Open https://crm.example.com/x\n", "<p>Open <b>it</b> 打开</p>")


def test_a_sealed_mail_is_opened_by_the_same_secret_only() -> None:
    closed = sealed(MAIL, "a secret of the house")
    assert "crm.example.com" not in closed
    assert "rita" not in closed
    assert opened(closed, "a secret of the house") == MAIL
    with pytest.raises(InvalidToken):
        opened(closed, "another secret")


def test_its_texts_are_not_told_when_it_is_printed() -> None:
    assert "crm.example.com" not in repr(MAIL)


def test_it_arrives_as_text_and_as_html(post_office: RunningPostOffice) -> None:
    deliver(post_office.server, MAIL)
    (mail,) = post_office.office.taken
    assert (mail["To"], mail["From"]) == ("rita@example.com", "Funnelwright <crm@example.com>")
    assert mail["Subject"] == "欢迎 Rita"
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "https://crm.example.com/x" in text.get_content()
    assert "打开" in html.get_content()


def test_a_head_cannot_be_added_by_a_name(post_office: RunningPostOffice) -> None:
    deliver(post_office.server, replace(MAIL, subject="Hello\r\nBcc: eve@example.com"))
    assert post_office.office.taken[0]["Bcc"] is None


def test_a_server_without_encryption_gets_nothing_where_it_is_asked_for(
    post_office: RunningPostOffice,
) -> None:
    with pytest.raises(smtplib.SMTPNotSupportedError):
        deliver(replace(post_office.server, security="smtp+starttls"), MAIL)
    assert post_office.office.taken == []
