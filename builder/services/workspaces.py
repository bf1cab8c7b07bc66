"""Workspaces: one for each client company, created with an industry template (idea 7)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from builder.clock import Clock
from builder.db.ids import new_id
from builder.db.people import Workspace
from builder.db.tenancy import WorkspaceSession
from builder.domain.money import MoneyError, exponent
from builder.domain.permissions import Actor
from builder.domain.workspaces import WorkspaceInfo, time_zones
from builder.errors import N_, Conflict, Invalid, NotFound, Problem
from builder.metadata.catalog import Catalog
from builder.queries.definitions import load_catalog
from builder.services.unit_of_work import UnitOfWork

LOCALES = ("en", "zh_Hans")
NAME_LENGTH = 200
# In addresses and on the command line.
_KEY = re.compile(r"[a-z][a-z0-9-]{0,62}")
TAKEN = N_("There is a workspace “%(key)s” already.")


@dataclass(frozen=True)
class WorkspaceFacts:
    """``key`` never changes; ``name`` empty: the key. Days and periods are those of ``time_zone``."""

    key: str
    name: str = ""
    locale: str = "en"
    time_zone: str = "UTC"
    currency: str = "USD"


def system_actor() -> Actor:
    """The product itself: the command line, the demo, migrations of data."""
    return Actor(
        member_id=0, name="System", role_key="", rights=frozenset(), visibility="all", is_system=True
    )


def create(session: WorkspaceSession, clock: Clock, facts: WorkspaceFacts) -> UnitOfWork:
    """Create an empty workspace and return a unit of work in it, its transaction still open.

    The caller installs a pack and commits once. Raises Invalid, its problems placed at the names of
    ``WorkspaceFacts``; Conflict when the key is taken.
    """
    facts = checked(facts)
    session.begin_write()
    if session.scalar(select(Workspace.id).where(Workspace.key == facts.key)) is not None:
        raise Conflict(TAKEN, key=facts.key)
    info = WorkspaceInfo(
        id=new_id(),
        key=facts.key,
        name=facts.name,
        locale=facts.locale,
        time_zone=facts.time_zone,
        currency=facts.currency,
    )
    session.add(
        Workspace(
            id=info.id,
            key=info.key,
            name=info.name,
            locale=info.locale,
            time_zone=info.time_zone,
            currency=info.currency,
            created_at=clock.now(),
        )
    )
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(TAKEN, key=facts.key) from error
    session.bind_workspace(info.id)
    uow = UnitOfWork(session, info, system_actor(), Catalog(info.id, 0), clock)
    uow.log("workspace.created", data={"key": info.key, "name": info.name})
    return uow


def open_workspace(
    session: WorkspaceSession, clock: Clock, key: str, actor: Actor | None = None
) -> UnitOfWork:
    """A unit of work in an existing workspace for the system (or ``actor``). Raises NotFound."""
    row = session.execute(
        select(
            Workspace.id,
            Workspace.name,
            Workspace.locale,
            Workspace.time_zone,
            Workspace.currency,
            Workspace.definitions_stamp,
        ).where(Workspace.key == key)
    ).one_or_none()
    if row is None:
        raise NotFound(N_("There is no workspace “%(key)s”."), key=key)
    info = WorkspaceInfo(
        id=row.id,
        key=key,
        name=row.name,
        locale=row.locale,
        time_zone=row.time_zone,
        currency=row.currency,
        definitions_stamp=row.definitions_stamp,
    )
    session.bind_workspace(info.id)
    return UnitOfWork(session, info, actor or system_actor(), load_catalog(session, info), clock)


def list_workspaces(session: WorkspaceSession) -> list[WorkspaceFacts]:
    """All workspaces by key; for the command line of whoever runs the installation."""
    rows = session.execute(
        select(
            Workspace.key, Workspace.name, Workspace.locale, Workspace.time_zone, Workspace.currency
        ).order_by(Workspace.key)
    )
    return [WorkspaceFacts(*row) for row in rows]


def checked(facts: WorkspaceFacts) -> WorkspaceFacts:
    """The facts with a tidy name. Raises Invalid, its problems placed at their names."""
    problems: list[Problem] = []
    name = " ".join(facts.name.split()) or facts.key
    if not _KEY.fullmatch(facts.key):
        text = N_("A key begins with a letter a–z and goes on with a–z, 0–9 and -, at most 63 in all.")
        problems.append(Problem(text, "key"))
    if len(name) > NAME_LENGTH or "\0" in name:
        problems.append(Problem(N_("At most %(limit)s characters, please."), "name", {"limit": NAME_LENGTH}))
    if facts.locale not in LOCALES:
        problems.append(
            Problem(N_("The language is one of %(known)s."), "locale", {"known": ", ".join(LOCALES)})
        )
    if facts.time_zone not in time_zones():
        problems.append(
            Problem(N_("“%(zone)s” is not a time zone."), "time_zone", {"zone": facts.time_zone[:64]})
        )
    try:
        exponent(facts.currency)
    except MoneyError as error:
        problems.append(Problem(error.message_key, "currency", error.values))
    if problems:
        raise Invalid(N_("The workspace was not created."), problems=tuple(problems))
    return WorkspaceFacts(facts.key, name, facts.locale, facts.time_zone, facts.currency)
