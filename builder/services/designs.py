"""What the designers of the Studio write: one edit of a draft at a time, never a publish."""

from __future__ import annotations

from sqlalchemy import select

from builder.db.definitions import Definition, DefinitionVersion
from builder.errors import N_, Conflict, Invalid, Problem
from builder.metadata.documents import MAX_BYTES, canonical, checksum
from builder.metadata.editing.edit import NOT_CHANGED, Edit
from builder.metadata.editing.inside import Path, form_at
from builder.metadata.grammar import Document
from builder.queries.drafts import OPEN, editable
from builder.services.definitions import EDIT
from builder.services.drafts import save_draft
from builder.services.unit_of_work import UnitOfWork

CHANGED = N_(
    "Somebody else changed this draft meanwhile. Here it is as it stands now; nothing was overwritten."
)
TAKEN = N_("There is something with the key “%(key)s” already. Choose another name.")
TOO_BIG = N_("The form has grown beyond %(limit)s bytes. Take something out first.")


def change(uow: UnitOfWork, kind: str, key: str, seen: str, edit: Edit) -> Document:
    """Make one edit of the draft, or of a new draft of what is live; answers the document afterwards.

    ``seen``: the checksum of what the person looked at. Errors: Forbidden; NotFound; Conflict when it is
    another by now; Refused (Invalid) by the edit itself. The caller commits.
    """
    uow.require(EDIT)
    # Alone, so that of two edits of one draft the second sees the first on every database.
    uow.begin(alone=True)
    current = editable(uow.session, kind, key)
    if current.checksum != seen:
        raise Conflict(CHANGED)
    changed = edit.apply(current.document)
    if len(canonical(changed).encode()) > MAX_BYTES:
        raise Invalid(NOT_CHANGED, problems=(Problem(TOO_BIG, "", {"limit": MAX_BYTES}),))
    if checksum(changed) != seen:
        save_draft(uow, changed, expected_checksum=seen)
    return changed


def begin(uow: UnitOfWork, document: Document) -> None:
    """Keep a new object or form as a draft. Errors: Forbidden; Invalid when its key is taken."""
    uow.require(EDIT)
    uow.begin(alone=True)
    if document["key"] in keys_of(uow, document["kind"]):
        raise Invalid(NOT_CHANGED, problems=(Problem(TAKEN, "label", {"key": document["key"]}),))
    save_draft(uow, document)


def keys_of(uow: UnitOfWork, kind: str) -> frozenset[str]:
    """Every key of a kind that a definition ever had, with a version of any status or none."""
    return frozenset(uow.session.scalars(select(Definition.key).where(Definition.kind == kind)))


def field_keys_ever(uow: UnitOfWork, kind: str, key: str, path: Path = ()) -> frozenset[str]:
    """The fields of all versions of a form, or of the one that ``path`` leads to within it: values may be
    stored under the key of one that is gone.
    """
    documents = uow.session.scalars(
        select(DefinitionVersion.document)
        .join(Definition, Definition.id == DefinitionVersion.definition_id)
        .where(Definition.kind == kind, Definition.key == key, DefinitionVersion.status.not_in(OPEN))
    )
    forms = (form_at(document["fields"], path) for document in documents)
    return frozenset(name for form in forms if form is not None for name in form["properties"])
