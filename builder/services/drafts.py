"""Definitions on their way: drafts that several admins see, published together, or rolled back (B7).

A draft is edited against what was seen of it, so that nobody overwrites anybody; it remembers what was live
when it was begun, so that what others published since is not lost either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sqlalchemy import delete, select

from builder.db.definitions import Definition, DefinitionVersion
from builder.domain.labels import Label
from builder.errors import N_, Conflict, Invalid, NotFound
from builder.metadata.documents import checksum, normalised, unstorable
from builder.metadata.grammar import DefinitionProblem, Document
from builder.metadata.merging import merge
from builder.queries import drafts as stored
from builder.queries.definitions import DRAFT, REMOVAL, live_rows
from builder.services.definitions import (
    EDIT,
    Occasion,
    Published,
    find_definition,
    new_version,
    publish,
)
from builder.services.soundness import changes_types, former_types, head_problems, refuse_unsound
from builder.services.unit_of_work import UnitOfWork

Side: TypeAlias = Literal["ours", "theirs"]

CHANGED = N_("Somebody else changed or published this draft meanwhile.")
CHANGED_SINCE = N_("The drafts are not those that you looked at. Look at them again, then publish.")
BEHIND = N_("“%(name)s” was published by somebody else since. Bring the draft up to date first.")
CONTRADICT = N_("Both sides changed the same things in different ways. Say whose changes stay.")
NOTHING = N_("There is nothing to publish.")
MOVED_ON = N_("“%(name)s” was changed again since, so this cannot be taken back as a whole.")
NOTE_TOO_LONG = N_("The note has more than %(limit)s characters.")
NOTE_LIMIT = 500


@dataclass(frozen=True)
class Current:
    """What there is of a definition, locked: its draft and the checksum that a designer has seen."""

    definition: Definition
    draft: DefinitionVersion | None
    seen: str | None


def save_draft(uow: UnitOfWork, document: Document, *, expected_checksum: str | None = None) -> int | None:
    """Keep a document as the draft of its kind and key; its version id, None when it is what is live.

    The live version stays as it is. A draft may be unfinished, but must name a known kind and a well-formed
    key. ``expected_checksum``: of the document that was edited (``queries.drafts.editable``), whether draft
    or live. Raises Forbidden, Invalid, Conflict when somebody else saved or published meanwhile.
    """
    uow.require(EDIT)
    uow.begin(alone=True)
    wrong = list(unstorable(document)) or head_problems(document)
    if wrong:
        raise Invalid(N_("The draft was not saved."), problems=tuple(wrong))
    document = normalised(document)
    current = _current(uow, document["kind"], document["key"])
    if expected_checksum is not None and current.seen != expected_checksum:
        raise Conflict(CHANGED)
    draft = _drafted(uow, current, document, DRAFT)
    is_live = _is_live(uow, current.definition, draft)
    if is_live:
        uow.session.delete(draft)
    uow.session.flush()
    uow.log("definition.drafted", data={"kind": current.definition.kind, "key": current.definition.key})
    return None if is_live else draft.id


def draft_removal(uow: UnitOfWork, kind: str, key: str, expected_checksum: str | None = None) -> None:
    """Say that a definition shall go with the next publish; one that was never live goes at once.

    Raises Forbidden, NotFound, Conflict.
    """
    uow.require(EDIT)
    uow.begin(alone=True)
    current = _known(uow, kind, key, expected_checksum)
    if current.definition.live_version_id is None:
        uow.session.delete(current.draft)
    else:
        live = uow.session.get_one(DefinitionVersion, (uow.workspace.id, current.definition.live_version_id))
        _drafted(uow, current, live.document, REMOVAL)
    uow.session.flush()
    uow.log("definition.drafted", data={"kind": kind, "key": key})


def discard(uow: UnitOfWork, kind: str, key: str, expected_checksum: str | None = None) -> None:
    """Throw a draft away; what is live stays. Raises Forbidden, NotFound, Conflict."""
    uow.require(EDIT)
    uow.begin(alone=True)
    current = _known(uow, kind, key, expected_checksum)
    if current.draft is None:
        raise NotFound()
    uow.session.delete(current.draft)
    uow.session.flush()
    uow.log("definition.draft_discarded", data={"kind": kind, "key": key})


def bring_up_to_date(
    uow: UnitOfWork, kind: str, key: str, stays: Side | None = None, *, seen: str | None = None
) -> None:
    """Put a draft upon what was published since it was begun, keeping both.

    Where both changed the same thing, ``stays`` decides: ours is the draft. ``seen``: the digest of this one
    draft that somebody looked at. Raises Forbidden, NotFound, Conflict where nothing decides or where the
    draft or what is live is another by now.
    """
    uow.require(EDIT)
    uow.begin(alone=True)
    found = next((each for each in stored.drafts(uow.session) if (each.kind, each.key) == (kind, key)), None)
    if found is None:
        raise NotFound()
    if seen is not None and stored.digest([found]) != seen:
        raise Conflict(CHANGED)
    current = _current(uow, kind, key)
    assert current.draft is not None
    if found.base is not None and found.live is not None and not found.is_removal:
        merged = merge(found.base, found.document, found.live, prefer_theirs=stays == "theirs")
        if merged.conflicts and stays is None:
            raise Conflict(CONTRADICT)
        current.draft.document = normalised(merged.document)
        current.draft.checksum = checksum(merged.document)
    current.draft.base_id = found.live_id
    if _is_live(uow, current.definition, current.draft):
        uow.session.delete(current.draft)
    uow.session.flush()
    uow.log("definition.drafted", data={"kind": kind, "key": key})


def publish_drafts(
    uow: UnitOfWork, *, note: str = "", seen: str | None = None, counts_later: bool = False
) -> Published:
    """Publish all drafts of the workspace together, as one change set.

    ``seen``: the digest of the drafts that somebody looked at (``queries.drafts.digest``). Raises
    Forbidden; Invalid with every error; Conflict when there is nothing to publish, the drafts are others
    by now, or one is behind what is live.
    """
    uow.require(EDIT)
    uow.begin(alone=True)
    note = _checked_note(note)
    found = stored.drafts(uow.session)
    if seen is not None and stored.digest(found) != seen:
        raise Conflict(CHANGED_SINCE)
    if not found:
        raise Conflict(NOTHING)
    for each in found:
        if each.is_behind:
            raise Conflict(BEHIND, name=Label.of(each.document.get("label")) or each.key)
    ends = [(each.kind, each.key) for each in found if each.is_removal]
    documents = [each.document for each in found if not each.is_removal]
    # First, for the numbers of versions: a draft has one, too.
    uow.session.execute(delete(DefinitionVersion).where(DefinitionVersion.status.in_(stored.OPEN)))
    return publish(uow, documents, Occasion("studio", note, counts_later=counts_later), withdrawn=ends)


def problems_of(uow: UnitOfWork, found: Sequence[stored.Draft]) -> tuple[DefinitionProblem, ...]:
    """What would be said if these drafts were published now: errors, also in what stays and needs something
    that goes; or else warnings and hints about the drafts.
    """
    live = {(row.kind, row.key): row for row in live_rows(uow.session)}
    gone = [row for each in found if each.is_removal and (row := live.pop((each.kind, each.key), None))]
    documents = [each.document for each in found if not each.is_removal]
    names = {(each.kind, each.key) for each in found}
    is_judged = bool(gone) or any(changes_types(document, live) for document in documents)
    beside = [row.document for name, row in live.items() if is_judged and name not in names]
    try:
        told = refuse_unsound([*documents, *beside], live, former_types(uow, documents, live))
    except Invalid as error:
        return tuple(problem for problem in error.problems if isinstance(problem, DefinitionProblem))
    drafted = {f"{kind}/{key}.json" for kind, key in names}
    return tuple(problem for problem in told if problem.file in drafted)


def roll_back(uow: UnitOfWork, number: int, note: str = "", *, counts_later: bool = False) -> Published:
    """Take a change set back: what it changed becomes as it was before, what it brought goes.

    Records are not touched: values of fields that go stay stored, and records in process stay on the version
    that they are on. Raises Forbidden, NotFound; Conflict when something of it was changed since, or is in
    use; Invalid when what was before no longer fits the rest.
    """
    uow.require(EDIT)
    uow.begin(alone=True)
    note = _checked_note(note)
    facts, changes = stored.change_set(uow.session, number)
    for change in changes:
        is_live = change.live_id == (None if change.after is None else change.version_id)
        if not is_live:
            document = change.after or change.before or {}
            raise Conflict(MOVED_ON, name=Label.of(document.get("label")) or change.key)
    documents = [change.before for change in changes if change.before is not None]
    ends = [(change.kind, change.key) for change in changes if change.before is None]
    return publish(uow, documents, Occasion("rollback", note, facts.id, counts_later), withdrawn=ends)


def _checked_note(note: str) -> str:
    note = note.strip()
    if len(note) > NOTE_LIMIT:
        raise Invalid(NOTE_TOO_LONG, limit=NOTE_LIMIT)
    return note


def _current(uow: UnitOfWork, kind: str, key: str) -> Current:
    definition = find_definition(uow, kind, key)
    draft = uow.session.scalar(
        select(DefinitionVersion).where(
            DefinitionVersion.definition_id == definition.id, DefinitionVersion.status.in_(stored.OPEN)
        )
    )
    seen = draft.checksum if draft is not None else None
    if draft is None and definition.live_version_id is not None:
        live = uow.session.get_one(DefinitionVersion, (uow.workspace.id, definition.live_version_id))
        seen = live.checksum
    return Current(definition, draft, seen)


def _known(uow: UnitOfWork, kind: str, key: str, expected_checksum: str | None) -> Current:
    """As ``_current``, of a definition that has a draft or is live."""
    known = select(Definition.id).where(Definition.kind == kind, Definition.key == key)
    if uow.session.scalar(known) is None:
        raise NotFound()
    current = _current(uow, kind, key)
    if current.seen is None:
        raise NotFound()
    if expected_checksum is not None and current.seen != expected_checksum:
        raise Conflict(CHANGED)
    return current


def _drafted(uow: UnitOfWork, current: Current, document: Document, status: str) -> DefinitionVersion:
    draft = current.draft
    if draft is None:
        draft = new_version(uow, current.definition, document, status)
        draft.base_id = current.definition.live_version_id
        uow.session.add(draft)
    draft.document, draft.checksum, draft.status = document, checksum(document), status
    draft.grammar = document.get("grammar", 0)
    draft.created_by, draft.created_at = uow.actor.member_id or None, uow.clock.now()
    return draft


def _is_live(uow: UnitOfWork, definition: Definition, draft: DefinitionVersion) -> bool:
    """Whether the draft says what is live already."""
    if definition.live_version_id is None or draft.status == REMOVAL:
        return False
    live = uow.session.get_one(DefinitionVersion, (uow.workspace.id, definition.live_version_id))
    return live.checksum == draft.checksum
