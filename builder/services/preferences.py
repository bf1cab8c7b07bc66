"""A person's own settings: name, language, theme and time zone, valid in all workspaces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from builder.db.people import UserAccount
from builder.db.tenancy import WorkspaceSession
from builder.domain.workspaces import time_zones
from builder.errors import N_, Invalid, Problem
from builder.services.workspaces import LOCALES

THEMES = ("light", "dark", "auto")
NAME_LENGTH = 200


@dataclass(frozen=True)
class Preferences:
    """``None``: as the browser (language), the device (theme) or the workspace (time zone) says."""

    name: str
    locale: str | None = None
    theme: str | None = None
    time_zone: str | None = None


def save(session: WorkspaceSession, user_id: int, wanted: Preferences, now: datetime) -> None:
    """Store the settings and commit. Raises Invalid, its problems placed at the names of ``Preferences``."""
    name = " ".join(wanted.name.split())
    problems = []
    if not name:
        problems.append(Problem(N_("A person needs a name."), "name"))
    if len(name) > NAME_LENGTH or "\0" in name:
        problems.append(Problem(N_("At most %(limit)s characters, please."), "name", {"limit": NAME_LENGTH}))
    for place, value, known in (
        ("locale", wanted.locale, LOCALES),
        ("theme", wanted.theme, THEMES),
        ("time_zone", wanted.time_zone, time_zones()),
    ):
        if value is not None and value not in known:
            problems.append(Problem(N_("Choose one of those offered."), place))
    if problems:
        raise Invalid(N_("Your settings were not saved."), problems=tuple(problems))
    session.begin_write()
    session.execute(
        update(UserAccount)
        .where(UserAccount.id == user_id)
        .values(
            name=name,
            locale=wanted.locale,
            theme=wanted.theme,
            time_zone=wanted.time_zone,
            update_datetime=now,
        )
    )
    session.commit()
