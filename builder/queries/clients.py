"""The workspaces of a consultant side by side: what each is set up with (S116).

Each is read in a session of its own, bound to it, and only where the reader may change definitions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from builder.db.tenancy import WorkspaceSession
from builder.domain.labels import Label
from builder.metadata.grammar import Document
from builder.metadata.pack_parts import Name
from builder.queries.definitions import load_catalog
from builder.queries.drafts import drafts_count
from builder.queries.memberships import Membership
from builder.queries.packs import InstalledPack, definitions_among, installed_packs, live_by_name

EDIT = "definitions.edit"


@dataclass(frozen=True)
class ClientWorkspace:
    """One workspace of the reader. ``role``: theirs there; ``packs``: what is installed."""

    membership: Membership
    role: Label
    packs: tuple[InstalledPack, ...]
    objects: int
    pipelines: int
    draft_count: int


def clients(engine: Any, memberships: Iterable[Membership]) -> list[ClientWorkspace]:
    """Those of the workspaces whose definitions the reader may change."""
    found = []
    for membership in memberships:
        with _opened(engine, membership) as session:
            if session is None:
                continue
            catalog = load_catalog(session, membership.workspace)
            found.append(
                ClientWorkspace(
                    membership,
                    catalog.roles[membership.role_key].label,
                    tuple(installed_packs(session)),
                    len(catalog.objects),
                    len(catalog.pipelines),
                    drafts_count(session),
                )
            )
    return found


def definitions_of(engine: Any, membership: Membership) -> dict[Name, Document] | None:
    """The published definitions of another workspace, ``None`` where the reader may not change them."""
    with _opened(engine, membership) as session:
        return None if session is None else definitions_among(live_by_name(session))


@contextmanager
def _opened(engine: Any, membership: Membership) -> Iterator[WorkspaceSession | None]:
    with WorkspaceSession(engine, expire_on_commit=False) as session:
        session.bind_workspace(membership.workspace.id)
        role = load_catalog(session, membership.workspace).roles.get(membership.role_key)
        yield session if role is not None and EDIT in role.rights else None
