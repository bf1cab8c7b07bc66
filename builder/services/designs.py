"""What the designers of the Studio write: one edit of a draft at a time, never a publish.

A draft that says what is live already is no change, so it is dropped.
"""

from __future__ import annotations

from sqlalchemy import delete, select

from builder.db.definitions import Definition, DefinitionVersion
from builder.errors import N_, Invalid, NotFound, Problem, Stale
from builder.metadata.documents import MAX_BYTES, canonical, checksum
from builder.metadata.editing.edit import NOT_CHANGED, Edit
from builder.metadata.grammar import Document
from builder.queries.definitions import DRAFT, editable_document, live_document
from builder.services.definitions import EDIT, save_draft
from builder.services.unit_of_work import UnitOfWork

CHANGED = N_(
    "Somebody else changed this draft meanwhile. Here it is as it stands now; nothing was overwritten."
)
TAKEN = N_("There is something with the key “%(key)s” already. Choose another name.")
TOO_BIG = N_("The form has grown beyond %(limit)s bytes. Take something out first.")


def change(uow: UnitOfWork, kind: str, key: str, seen: str, edit: Edit) -> Document:
    """Make one edit of the draft, or of a new draft of what is live; answers the document afterwards.

    ``seen``: the checksum of what the person looked at. Errors: Forbidden; NotFound; Stale when it is
    another by now; Refused (Invalid) by the edit itself. The caller commits.
    """
    uow.require(EDIT)
    # Alone, so that of two edits of one draft the second sees the first on every database.
    uow.begin(alone=True)
    document, now, is_draft = editable_document(uow.session, kind, key)
    if now != seen:
        raise Stale(CHANGED)
    changed = edit.apply(document)
    if len(canonical(changed).encode()) > MAX_BYTES:
        raise Invalid(NOT_CHANGED, problems=(Problem(TOO_BIG, "", {"limit": MAX_BYTES}),))
    if checksum(changed) == now:
        return document
    if is_draft and _is_live(uow, kind, key, changed):
        _drop(uow, kind, key)
    else:
        save_draft(uow, changed)
    return changed


def begin(uow: UnitOfWork, document: Document) -> None:
    """Keep a new object or form as a draft. Errors: Forbidden; Invalid when its key is taken."""
    uow.require(EDIT)
    uow.begin(alone=True)
    if document["key"] in keys_of(uow, document["kind"]):
        raise Invalid(NOT_CHANGED, problems=(Problem(TAKEN, "label", {"key": document["key"]}),))
    save_draft(uow, document)


def discard(uow: UnitOfWork, kind: str, key: str, seen: str) -> bool:
    """Drop the draft; whether something live is left. Errors: Forbidden, NotFound, Stale."""
    uow.require(EDIT)
    uow.begin(alone=True)
    _, now, is_draft = editable_document(uow.session, kind, key)
    if not is_draft:
        raise NotFound()
    if now != seen:
        raise Stale(CHANGED)
    _drop(uow, kind, key)
    uow.log("definition.discarded", data={"kind": kind, "key": key})
    return _has_live(uow, kind, key)


def keys_of(uow: UnitOfWork, kind: str) -> frozenset[str]:
    """Every key of a kind that a definition ever had, with a version of any status or none."""
    return frozenset(uow.session.scalars(select(Definition.key).where(Definition.kind == kind)))


def field_keys_ever(uow: UnitOfWork, kind: str, key: str) -> frozenset[str]:
    """The fields of all versions of a form: values may be stored under the key of one that is gone."""
    documents = uow.session.scalars(
        select(DefinitionVersion.document)
        .join(Definition, Definition.id == DefinitionVersion.definition_id)
        .where(Definition.kind == kind, Definition.key == key, DefinitionVersion.status != DRAFT)
    )
    return frozenset(name for document in documents for name in document["fields"]["properties"])


def _has_live(uow: UnitOfWork, kind: str, key: str) -> bool:
    try:
        live_document(uow.session, kind, key)
    except NotFound:
        return False
    return True


def _is_live(uow: UnitOfWork, kind: str, key: str, document: Document) -> bool:
    return _has_live(uow, kind, key) and checksum(live_document(uow.session, kind, key)[1]) == checksum(
        document
    )


def _drop(uow: UnitOfWork, kind: str, key: str) -> None:
    of_definition = select(Definition.id).where(Definition.kind == kind, Definition.key == key)
    uow.session.execute(
        delete(DefinitionVersion).where(
            DefinitionVersion.definition_id.in_(of_definition.scalar_subquery()),
            DefinitionVersion.status == DRAFT,
        )
    )
