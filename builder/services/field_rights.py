"""What the roles of a workspace hide or only show of one object, changed together (S118).

Every role whose rights change is published anew, so the next request of every process goes by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from builder.errors import Stale
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
    """Give the roles these rights of the object's fields.

    Errors: Forbidden, NotFound (object, role), Stale; Invalid with the places ``/fields/<object>/<field>`` in
    ``role/<role>.json`` where a field cannot be hidden.
    """
    uow.require(EDIT)
    uow.begin(alone=True)
    uow.catalog.object(object_key)
    return publish(uow, [_document(uow, object_key, role) for role in wanted])


def _document(uow: UnitOfWork, object_key: str, role: RoleFields) -> Document:
    number, document = live_document(uow.session, "role", role.role_key)
    if number != role.seen:
        raise Stale(now=number)
    changed: dict[str, Any] = {key: value for key, value in document.items() if key != "fields"}
    rights = {**_standing(uow, document.get("fields", {})), object_key: dict(role.rights)}
    kept = {key: fields for key, fields in rights.items() if fields}
    return {**changed, "fields": kept} if kept else changed


def _standing(uow: UnitOfWork, stored: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The stored rights without those of objects and fields that are gone since."""
    return {
        key: {
            field: right for field, right in fields.items() if field in uow.catalog.object(key).fields.by_key
        }
        for key, fields in stored.items()
        if key in uow.catalog.objects
    }
