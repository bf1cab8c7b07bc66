"""Mails that pages send: written in the language of who gets them, handed to the background (S117)."""

from __future__ import annotations

from typing import Any

from flask import render_template

from blueprints import house
from blueprints.languages import DEFAULT_LANGUAGE, LANGUAGES, in_language, language
from builder.exchange.mail import Mail


def is_on() -> bool:
    """Whether this installation has a mail server."""
    return house.settings().mail is not None


def public_address(path: str) -> str:
    """The whole address of a path, as mails name it: from the settings, for a request's host is said by
    whoever sends it.
    """
    return f"{house.settings().public_url}{path}"


def send(session: Any, kind: str, to: str, locale: str | None, **facts: Any) -> None:
    """Hand over ``templates/emails/<kind>``, in the running transaction of ``session``; the caller commits,
    then tells the queue. ``locale``: the receiver's; without one that of the present answer.
    """
    with in_language(locale if locale in LANGUAGES else (language() or DEFAULT_LANGUAGE)):
        subject, _, text = render_template(f"emails/{kind}.txt", **facts).strip().partition("\n")
        tag = language().replace("_", "-")
        html = render_template(f"emails/{kind}.html", subject=subject, language_tag=tag, **facts)
    house.queue().enqueue_mail(session, Mail(to, subject.strip(), text.strip() + "\n", html))
