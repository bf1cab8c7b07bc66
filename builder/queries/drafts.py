"""Drafts of definitions beside what is live, and the change sets that were published (B7)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from builder.db.definitions import ChangeSet, Definition, DefinitionVersion
from builder.db.people import Member
from builder.db.tenancy import WorkspaceSession
from builder.domain.labels import Label
from builder.errors import NotFound
from builder.metadata.grammar import Document
from builder.queries.definitions import DRAFT, REMOVAL, WITHDRAWN

OPEN = (DRAFT, REMOVAL)


@dataclass(frozen=True)
class Editable:
    """The document that a designer shows: the draft if there is one, else what is live.

    ``number`` is that of the live version, 0 where there is none yet.
    """

    document: Document
    checksum: str
    is_draft: bool
    number: int


@dataclass(frozen=True)
class Draft:
    """A definition on its way: to ``document``, or out (``is_removal``).

    ``base``: what was live when it was begun, ``live``: what is live now; None where there was or is none.
    """

    version_id: int
    kind: str
    key: str
    document: Document
    checksum: str
    is_removal: bool
    base_id: int | None
    base: Document | None
    live_id: int | None
    live: Document | None
    saved_by: str | None

    @property
    def label(self) -> Label:
        return Label.of(self.document.get("label") or self.key)

    @property
    def is_behind(self) -> bool:
        """Whether something else was published since the draft was begun."""
        return self.base_id != self.live_id


@dataclass(frozen=True)
class PublishedChange:
    """One definition in a change set: what it was before (None: new), what it became (None: gone)."""

    kind: str
    key: str
    version_id: int
    live_id: int | None
    before: Document | None
    after: Document | None


@dataclass(frozen=True)
class ChangeSetFacts:
    """A change set of the history; ``names``: kind, key and label of what it changed."""

    id: int
    number: int
    source: str
    note: str
    published_at: datetime
    published_by: str | None
    undoes: int | None
    names: tuple[tuple[str, str, Label], ...] = ()


def editable(session: WorkspaceSession, kind: str, key: str) -> Editable:
    """What a designer shows of a definition. Raises NotFound, also when its removal is drafted."""
    drafted, live = aliased(DefinitionVersion), aliased(DefinitionVersion)
    row = session.execute(
        select(
            drafted.document.label("draft"),
            drafted.checksum.label("draft_checksum"),
            drafted.status,
            live.document,
            live.checksum,
            live.number,
        )
        .select_from(Definition)
        .outerjoin(drafted, (drafted.definition_id == Definition.id) & drafted.status.in_(OPEN))
        .outerjoin(live, live.id == Definition.live_version_id)
        .where(Definition.kind == kind, Definition.key == key)
    ).one_or_none()
    if row is None or row.status == REMOVAL or (row.draft is None and row.document is None):
        raise NotFound()
    if row.draft is not None:
        return Editable(row.draft, row.draft_checksum, True, row.number or 0)
    return Editable(row.document, row.checksum, False, row.number)


def drafts(session: WorkspaceSession) -> list[Draft]:
    """All drafts of the workspace, by kind and key."""
    drafted, live, base = (aliased(DefinitionVersion) for _ in range(3))
    rows = session.execute(
        select(
            drafted.id,
            Definition.kind,
            Definition.key,
            drafted.document,
            drafted.checksum,
            drafted.status,
            drafted.base_id,
            base.document.label("base"),
            Definition.live_version_id,
            live.document.label("live"),
            Member.name,
        )
        .select_from(drafted)
        .join(Definition, Definition.id == drafted.definition_id)
        .outerjoin(live, live.id == Definition.live_version_id)
        .outerjoin(base, base.id == drafted.base_id)
        .outerjoin(Member, Member.id == drafted.created_by)
        .where(drafted.status.in_(OPEN))
        .order_by(Definition.kind, Definition.key)
    )
    return [
        Draft(
            version_id=row.id,
            kind=row.kind,
            key=row.key,
            document=row.document,
            checksum=row.checksum,
            is_removal=row.status == REMOVAL,
            base_id=row.base_id,
            base=row.base,
            live_id=row.live_version_id,
            live=row.live,
            saved_by=row.name,
        )
        for row in rows
    ]


def drafts_count(session: WorkspaceSession) -> int:
    """How many definitions are drafted."""
    count = select(func.count()).select_from(DefinitionVersion).where(DefinitionVersion.status.in_(OPEN))
    return session.scalar(count) or 0


def stage_keys_ever(session: WorkspaceSession, pipeline_key: str) -> frozenset[str]:
    """The stages of all versions of a process: history names them, so their keys are not given again."""
    documents = session.scalars(
        select(DefinitionVersion.document)
        .join(Definition, Definition.id == DefinitionVersion.definition_id)
        .where(Definition.kind == "pipeline", Definition.key == pipeline_key)
    )
    return frozenset(stage["key"] for document in documents for stage in document["stages"])


def digest(found: Sequence[Draft]) -> str:
    """What somebody saw before publishing: changes with every draft and with every publish beneath one."""
    seen = [f"{each.kind}/{each.key} {each.checksum} {each.is_removal} {each.live_id}" for each in found]
    return hashlib.sha256("\n".join(seen).encode("utf-8")).hexdigest()[:32]


def change_sets(
    session: WorkspaceSession, before: int | None = None, limit: int = 20
) -> list[ChangeSetFacts]:
    """The history, newest first; ``before``: only those of a smaller number."""
    wanted = _facts().order_by(ChangeSet.number.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(ChangeSet.number < before)
    rows = session.execute(wanted).all()
    names: dict[int, list[tuple[str, str, Label]]] = {row.id: [] for row in rows}
    changed = session.execute(
        select(
            DefinitionVersion.change_set_id,
            Definition.kind,
            Definition.key,
            DefinitionVersion.document["label"].label("label"),
        )
        .join(Definition, Definition.id == DefinitionVersion.definition_id)
        .where(DefinitionVersion.change_set_id.in_(list(names)))
        .order_by(Definition.kind, Definition.key)
    )
    for change in changed:
        names[change.change_set_id].append((change.kind, change.key, Label.of(change.label or change.key)))
    return [_told(row, tuple(names[row.id])) for row in rows]


def change_set(session: WorkspaceSession, number: int) -> tuple[ChangeSetFacts, list[PublishedChange]]:
    """One change set with all that it changed. Raises NotFound."""
    row = session.execute(_facts().where(ChangeSet.number == number)).one_or_none()
    if row is None:
        raise NotFound()
    version, earlier = aliased(DefinitionVersion), aliased(DefinitionVersion)
    before = (
        select(func.max(earlier.number))
        .where(
            earlier.definition_id == version.definition_id,
            earlier.number < version.number,
            earlier.status.not_in(OPEN),
        )
        .scalar_subquery()
    )
    previous = aliased(DefinitionVersion)
    changed = session.execute(
        select(
            Definition.kind,
            Definition.key,
            Definition.live_version_id,
            version.id,
            version.status,
            version.document,
            previous.document.label("before"),
            previous.status.label("before_status"),
        )
        .select_from(version)
        .join(Definition, Definition.id == version.definition_id)
        .outerjoin(previous, (previous.definition_id == version.definition_id) & (previous.number == before))
        .where(version.change_set_id == row.id)
        .order_by(Definition.kind, Definition.key)
    )
    changes = [
        PublishedChange(
            kind=each.kind,
            key=each.key,
            version_id=each.id,
            live_id=each.live_version_id,
            before=None if each.before_status == WITHDRAWN else each.before,
            after=None if each.status == WITHDRAWN else each.document,
        )
        for each in changed
    ]
    return _told(row, tuple((each.kind, each.key, _label(each)) for each in changes)), changes


def _label(change: PublishedChange) -> Label:
    document = change.after or change.before or {}
    return Label.of(document.get("label") or change.key)


def _facts() -> Select[*tuple[Any, ...]]:
    undone = aliased(ChangeSet)
    return (
        select(
            ChangeSet.id,
            ChangeSet.number,
            ChangeSet.source,
            ChangeSet.note,
            ChangeSet.published_at,
            Member.name,
            undone.number.label("undoes"),
        )
        .outerjoin(Member, Member.id == ChangeSet.published_by)
        .outerjoin(undone, undone.id == ChangeSet.undoes_id)
    )


def _told(row: Any, names: tuple[tuple[str, str, Label], ...]) -> ChangeSetFacts:
    return ChangeSetFacts(
        row.id, row.number, row.source, row.note, row.published_at, row.name, row.undoes, names
    )
