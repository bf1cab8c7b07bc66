"""What a workspace has of packs, what one would change in it, what hinders its leaving (B9)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from builder.db.definitions import PackBase
from builder.db.ledger import StayRow
from builder.db.people import Member
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.labels import Label
from builder.metadata import packs
from builder.metadata.grammar import Document
from builder.metadata.pack_parts import Name, by_name, closure, dependants
from builder.metadata.pack_plan import Plan, plan_of, recorded
from builder.queries.definitions import live_rows
from builder.queries.drafts import drafts

INSTALL = "pack_install"


@dataclass(frozen=True)
class InstalledPack:
    """A pack that definitions of the workspace came from. ``parts``: checksum of the pack's text by name."""

    key: str
    version: str
    document: Document

    @property
    def head(self) -> Document:
        head: Document = self.document["head"]
        return head

    @property
    def label(self) -> Label:
        return Label.of(self.document["label"])

    @property
    def parts(self) -> dict[Name, str]:
        return recorded(self.document)[0]

    @property
    def left_out(self) -> frozenset[Name]:
        return recorded(self.document)[1]


@dataclass(frozen=True)
class Leaving:
    """What of a pack can go. ``used``: how many records, visits or people hold each that cannot; ``needed``:
    which definitions that stay need each of the others that cannot.
    """

    free: tuple[Name, ...]
    used: Mapping[Name, int]
    needed: Mapping[Name, tuple[Name, ...]]


def live_by_name(session: WorkspaceSession) -> dict[Name, Document]:
    """The published documents, those that say what is installed included."""
    return {(row.kind, row.key): row.document for row in live_rows(session)}


def drafted_by_name(session: WorkspaceSession) -> dict[Name, Document]:
    """The documents as they would be if all drafts were published now."""
    found = live_by_name(session)
    for draft in drafts(session):
        if draft.is_removal:
            found.pop((draft.kind, draft.key), None)
        else:
            found[(draft.kind, draft.key)] = draft.document
    return found


def installed_among(documents: Mapping[Name, Document]) -> dict[str, InstalledPack]:
    """The installed packs by key."""
    return {
        key: InstalledPack(key, document["version"], document)
        for (kind, key), document in documents.items()
        if kind == INSTALL
    }


def installed_packs(session: WorkspaceSession) -> list[InstalledPack]:
    """The packs that are in force, by key."""
    found = installed_among(live_by_name(session))
    return [found[key] for key in sorted(found)]


def definitions_among(documents: Mapping[Name, Document]) -> dict[Name, Document]:
    """The documents without those that say what is installed."""
    return {name: document for name, document in documents.items() if name[0] != INSTALL}


def plan(
    session: WorkspaceSession,
    pack: Document,
    ours: Mapping[Name, Document],
    only: Collection[Name] | None = None,
) -> Plan:
    """What the pack would make of ``ours``: an install, or an upgrade where it is installed.

    ``only``: the definitions that are wanted, with what they need; of an installed pack, in addition to
    those that it brought. ``None``: all, of an installed pack all but those that were left out.
    """
    theirs = by_name(packs.documents(packs.normalised(pack)))
    installed = installed_among(ours).get(pack["key"])
    mine = definitions_among(ours)
    head = packs.head(pack)
    if installed is None:
        wanted = frozenset(theirs) if only is None else closure(only, theirs)
        return plan_of(head, theirs, mine, left_out=frozenset(theirs) - wanted)
    known = base_documents(session, installed.parts)
    out = installed.left_out & frozenset(theirs)
    return plan_of(head, theirs, mine, known, out - closure(only or (), theirs))


def base_documents(session: WorkspaceSession, parts: Mapping[Name, str]) -> dict[Name, Document]:
    """The texts that the pack had for each of its parts when it was installed."""
    rows = session.execute(
        select(PackBase.checksum, PackBase.document).where(PackBase.checksum.in_(set(parts.values())))
    )
    texts = {row.checksum: row.document for row in rows}
    return {name: texts[digest] for name, digest in parts.items() if digest in texts}


def leaving(session: WorkspaceSession, wanted: Iterable[Name], ours: Mapping[Name, Document]) -> Leaving:
    """What of the wanted can go: no record, visit or person holds it, and nothing that stays needs it."""
    mine = definitions_among(ours)
    asked = [name for name in wanted if name in mine]
    counts = _uses(session)
    used = {name: counts[name] for name in asked if counts.get(name)}
    free = [name for name in asked if name not in used]
    needed: dict[Name, tuple[Name, ...]] = {}
    while held := dependants(free, mine):
        needed |= held
        free = [name for name in free if name not in held]
    return Leaving(tuple(free), used, needed)


def _uses(session: WorkspaceSession) -> dict[Name, int]:
    """Records by object (those in the recycle bin too), records that were in a process, people by role."""
    asked: tuple[tuple[str, Any, Any], ...] = (
        ("object", Record.object_key, Record.id),
        ("pipeline", StayRow.pipeline_key, StayRow.record_id),
        ("role", Member.role_key, Member.id),
    )
    found: dict[Name, int] = {}
    for kind, key, counted in asked:
        rows = session.execute(select(key, func.count(counted.distinct())).group_by(key))
        found |= {(kind, row[0]): row[1] for row in rows if row[0]}
    return found
