"""What the roles of a workspace hide or only show of one object, changed together (S118).

Every role whose rights change is published anew, so the next request of every process goes by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from builder.domain.feedback import Feedback
from builder.domain.fields import ObjectDefinition
from builder.domain.permissions import FEEDBACK_MARK
from builder.errors import NotFound, Stale
from builder.metadata.grammar import Document
from builder.queries.definitions import live_document
from builder.services.definitions import EDIT, Published, publish
from builder.services.unit_of_work import UnitOfWork

RIGHTS = ("hidden", "read_only")


@dataclass(frozen=True)
class RoleFields:
    """The rights of one role: ``rights`` by field key, visible ones left out. ``seen``: the number of the
    role's version that the person looked at.
    """

    role_key: str
    rights: Mapping[str, str]
    seen: int


def change(uow: UnitOfWork, object_key: str, wanted: Sequence[RoleFields]) -> Published:
    """Give the roles these rights of the fields of an object, or of a feedback form under its marked key.

    Errors: Forbidden, NotFound (object, role), Stale; Invalid with the places ``/fields/<object>/<field>`` in
    ``role/<role>.json`` where a field cannot be hidden.
    """
    uow.require(EDIT)
    uow.begin(alone=True)
    if object_key.removeprefix(FEEDBACK_MARK) not in (
        uow.catalog.feedback if object_key.startswith(FEEDBACK_MARK) else uow.catalog.objects
    ):
        raise NotFound()
    return publish(uow, [_document(uow, object_key, role) for role in wanted])


def _document(uow: UnitOfWork, object_key: str, role: RoleFields) -> Document:
    number, document = live_document(uow.session, "role", role.role_key)
    if number != role.seen:
        raise Stale(now=number)
    changed: dict[str, Any] = {
        key: value for key, value in document.items() if key not in ("fields", "feedback")
    }
    parts = {
        "fields": _standing(uow.catalog.objects, document.get("fields", {})),
        "feedback": _standing(uow.catalog.feedback, document.get("feedback", {})),
    }
    is_feedback = object_key.startswith(FEEDBACK_MARK)
    part = parts["feedback" if is_feedback else "fields"]
    part[object_key.removeprefix(FEEDBACK_MARK)] = dict(role.rights)
    for name, forms in parts.items():
        if kept := {key: fields for key, fields in forms.items() if fields}:
            changed[name] = kept
    return changed


def _standing(
    known: Mapping[str, ObjectDefinition] | Mapping[str, Feedback], stored: Mapping[str, Any]
) -> dict[str, dict[str, str]]:
    """The stored rights without those of forms and fields that are gone since."""
    return {
        key: {field: right for field, right in fields.items() if field in known[key].fields.by_key}
        for key, fields in stored.items()
        if key in known
    }
