"""Mails: what one is, how it waits sealed, and how it is handed to a mail server."""

from __future__ import annotations

import base64
import hashlib
import json
import smtplib
import ssl
from dataclasses import asdict, dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr

from cryptography.fernet import Fernet

from builder.settings import MailServer

TIMEOUT = 20.0
_PURPOSE = b"waiting mails"


@dataclass(frozen=True)
class Mail:
    """One mail to one person, as plain text and as HTML. Its texts may hold a secret link."""

    to: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


def sealed(mail: Mail, secret: str) -> str:
    """The mail encrypted by a key made from the installation's secret."""
    return _cipher(secret).encrypt(json.dumps(asdict(mail)).encode()).decode()


def opened(text: str, secret: str) -> Mail:
    """What ``sealed`` made. Errors: cryptography.fernet.InvalidToken under another secret."""
    return Mail(**json.loads(_cipher(secret).decrypt(text.encode())))


def deliver(server: MailServer, mail: Mail) -> None:
    """Hand the mail to the server. Errors: smtplib.SMTPException, OSError."""
    with _connected(server) as connection:
        if server.user:
            connection.login(server.user, server.password)
        connection.send_message(_message(server, mail))


def _cipher(secret: str) -> Fernet:
    key = hashlib.blake2b(_PURPOSE, key=hashlib.sha256(secret.encode()).digest(), digest_size=32).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def _connected(server: MailServer) -> smtplib.SMTP:
    if server.security == "smtps":
        return smtplib.SMTP_SSL(
            server.host, server.port, timeout=TIMEOUT, context=ssl.create_default_context()
        )
    connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)
    if server.security == "smtp+starttls":
        try:
            connection.starttls(context=ssl.create_default_context())
        except (smtplib.SMTPException, OSError):
            connection.close()
            raise
    return connection


def _message(server: MailServer, mail: Mail) -> EmailMessage:
    message = EmailMessage()
    message["From"] = server.sender
    message["To"] = mail.to
    message["Subject"] = " ".join(mail.subject.split())
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=parseaddr(server.sender)[1].partition("@")[2] or None)
    # Programs that answer by themselves leave it alone (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message
