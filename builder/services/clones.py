"""A new workspace with the definitions of another and none of its records, people or files (S116)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from builder.clock import Clock
from builder.db.definitions import PackBase
from builder.db.tenancy import WorkspaceSession
from builder.domain.workspaces import WorkspaceInfo
from builder.errors import N_, Conflict
from builder.metadata.documents import checksum
from builder.metadata.grammar import Document
from builder.metadata.pack_parts import portable
from builder.queries import packs as queries
from builder.services import people, workspaces
from builder.services.definitions import EDIT, Occasion, publish
from builder.services.packs import keep_bases
from builder.services.unit_of_work import UnitOfWork

NO_FOUNDER_ROLE = N_("No role of this workspace may both change definitions and add people.")
EMPTY = N_("There is nothing to take over: this workspace has no definitions.")


@dataclass(frozen=True)
class Setup:
    """What a workspace hands on: its published definitions, and the texts to merge later packs by."""

    documents: tuple[Document, ...]
    bases: tuple[Document, ...]

    def founder_role(self) -> str | None:
        """The role with the most rights of those that may change definitions and add people."""
        roles = [each for each in self.documents if each["kind"] == "role"]
        fit = [each for each in roles if {EDIT, people.EDIT_PEOPLE} <= set(each["rights"])]
        best = max(fit, key=lambda each: (len(each["rights"]), each["key"]), default=None)
        return str(best["key"]) if best else None


@dataclass(frozen=True)
class Founder:
    """Who begins in the new workspace: their name and the address of their sign-in."""

    name: str
    email: str


def setup_of(uow: UnitOfWork) -> Setup:
    """What the workspace hands on. Raises Forbidden; Conflict when it has no definitions."""
    uow.require(EDIT)
    live = queries.live_by_name(uow.session)
    if not live:
        raise Conflict(EMPTY)
    bases = uow.session.scalars(select(PackBase.document).order_by(PackBase.checksum))
    return Setup(tuple(portable(live[name]) for name in sorted(live)), tuple(bases))


def clone(
    session: WorkspaceSession,
    clock: Clock,
    setup: Setup,
    facts: workspaces.WorkspaceFacts,
    founder: Founder | None = None,
) -> UnitOfWork:
    """Make a workspace with this set-up, its transaction still open; the caller commits once.

    ``session`` is bound to no workspace yet. Raises Invalid, its problems placed at the names of
    ``WorkspaceFacts``; Conflict when the key is taken, or nobody could begin.
    """
    role = setup.founder_role()
    if founder is not None and role is None:
        raise Conflict(NO_FOUNDER_ROLE)
    uow = workspaces.create(session, clock, facts)
    keep_bases(uow, {checksum(text): text for text in setup.bases})
    publish(uow, setup.documents, Occasion("file", note=""))
    if founder is not None and role is not None:
        people.add(uow, people.PersonFacts(founder.name, role, founder.email))
    return uow


def clone_beside(
    engine: Any, clock: Clock, setup: Setup, facts: workspaces.WorkspaceFacts, founder: Founder
) -> WorkspaceInfo:
    """As ``clone``, in a session of its own and committed: for whoever works in another workspace."""
    with WorkspaceSession(engine, expire_on_commit=False) as session:
        uow = clone(session, clock, setup, facts, founder)
        uow.commit()
        return uow.workspace
