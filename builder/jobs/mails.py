"""Sending mails in the background: tried again for half an hour when the server does not answer."""

from __future__ import annotations

import smtplib

import structlog
from cryptography.fernet import InvalidToken
from dbos import DBOS, error

from builder.exchange.mail import deliver, opened
from builder.jobs.names import MAIL_WORKFLOW
from builder.settings import Settings

_log = structlog.get_logger("funnelwright.jobs")
_settings: list[Settings] = []
TRIES = 7
FIRST_PAUSE_SECONDS = 5.0
# The server will say the same the next time (RFC 5321).
_FOR_GOOD = 500


def settle_in(settings: Settings) -> None:
    """Say once, before the runner is launched, which server takes mails."""
    _settings[:] = [settings]


@DBOS.workflow(name=MAIL_WORKFLOW)
def send_mail(sealed_mail: str) -> str:
    """Send a sealed mail; after a crash it is called again, and may then arrive twice."""
    try:
        return hand_over_mail(sealed_mail)
    except error.DBOSMaxStepRetriesExceeded as failure:
        _log.warning("a mail was not sent", problem=type(failure.errors[-1]).__name__)
        return "failed"


@DBOS.step(
    name="hand_over_mail",
    retries_allowed=True,
    interval_seconds=FIRST_PAUSE_SECONDS,
    backoff_rate=3.0,
    max_attempts=TRIES,
)
def hand_over_mail(sealed_mail: str) -> str:
    """Neither the address nor the text is logged."""
    settings = _settings[0]
    if settings.mail is None:
        _log.warning("a mail was not sent", problem="MAIL_URL is not set here")
        return "failed"
    try:
        deliver(settings.mail, opened(sealed_mail, settings.secret_key))
    except InvalidToken:
        _log.warning("a mail was not sent", problem="it was sealed under another SECRET_KEY")
        return "failed"
    except smtplib.SMTPRecipientsRefused as refusal:
        codes = [code for code, _ in refusal.recipients.values()]
        if min(codes, default=0) < _FOR_GOOD:
            raise
        _log.warning("a mail was refused", codes=codes)
        return "refused"
    except smtplib.SMTPResponseException as refusal:
        if refusal.smtp_code < _FOR_GOOD:
            raise
        _log.warning("a mail was refused", codes=[refusal.smtp_code])
        return "refused"
    return "sent"
