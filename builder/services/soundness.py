"""Whether documents may be published beside what is live and what records and people need (idea 2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from sqlalchemy import select

from builder.db.definitions import Definition, DefinitionVersion
from builder.db.ledger import StayRow
from builder.db.people import Member
from builder.db.records import Record
from builder.domain.fields import FieldSet
from builder.domain.labels import Label
from builder.errors import N_, Conflict, Invalid
from builder.metadata.catalog import PlainRow
from builder.metadata.compiler import field_set
from builder.metadata.documents import check
from builder.metadata.grammar import KINDS, DefinitionProblem, Document, pointer
from builder.metadata.lint import Surroundings, lint
from builder.queries.definitions import RETIRED
from builder.services.unit_of_work import UnitOfWork

STORABLE = tuple(kind for kind in KINDS if kind != "pack")
WITH_FIELDS = ("object", "feedback")
Name: TypeAlias = tuple[str, str]  # kind and key
UNSOUND = N_("This cannot be published: %(count)s things are wrong.")
STILL_USED = N_("“%(name)s” cannot go: there are records or people that use it.")
ROLE_MOVED = N_("Records exist already, so the role “%(role)s” stays with “%(field)s”.")


def refuse_unsound(
    documents: Sequence[Document],
    live: Mapping[tuple[str, str], PlainRow],
    former: Mapping[tuple[str, str], Mapping[str, str]],
) -> tuple[DefinitionProblem, ...]:
    """Check documents beside the live ones; warnings and hints. Raises Invalid with every error.

    ``former``: as ``Surroundings.former``, by kind and key.
    """
    found: list[DefinitionProblem] = []
    for document in documents:
        kind = document.get("kind") if isinstance(document, dict) else None
        wrong = check(kind, document) if kind in STORABLE else head_problems(document)
        found += [replace(problem, file=_place(document)) for problem in wrong]
    if not any(problem.is_error for problem in found):
        around = Surroundings.of([*(row.document for row in live.values()), *documents])
        for document in documents:
            name = (document["kind"], document["key"])
            before = live.get(name)
            beside = replace(
                around, previous=before.document if before else None, former=former.get(name, {})
            )
            found += [
                replace(problem, file=_place(document))
                for problem in lint(document["kind"], document, beside)
            ]
    wrong = [problem for problem in found if problem.is_error]
    if wrong:
        raise Invalid(UNSOUND, count=len(wrong), problems=tuple(wrong))
    return tuple(found)


def head_problems(document: Any) -> list[DefinitionProblem]:
    """Whether a document can be filed at all: its kind and key."""
    if not isinstance(document, dict) or document.get("kind") not in STORABLE:
        return [
            DefinitionProblem(N_("The kind is one of %(known)s."), "/kind", {"known": ", ".join(STORABLE)})
        ]
    shape = [problem for problem in check(document["kind"], document) if problem.place in ("/key", "")]
    return [problem for problem in shape if problem.place == "/key" or "key" not in document]


def former_types(
    uow: UnitOfWork, documents: Sequence[Document], live: Mapping[tuple[str, str], PlainRow]
) -> dict[tuple[str, str], dict[str, str]]:
    """Types of the fields of versions before the live one, by kind and key, as ``refuse_unsound`` wants it.

    Read where a field is new: only then may its key have been another's.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}
    for document in documents:
        if not isinstance(document, dict) or document.get("kind") not in WITH_FIELDS:
            continue
        before = live.get((document["kind"], str(document.get("key"))))
        if before is None or _types(document).keys() <= _types(before.document).keys():
            continue
        versions = uow.session.scalars(
            select(DefinitionVersion.document)
            .join(Definition, Definition.id == DefinitionVersion.definition_id)
            .where(
                Definition.kind == before.kind,
                Definition.key == before.key,
                DefinitionVersion.status == RETIRED,
            )
            .order_by(DefinitionVersion.number)
        )
        types = found.setdefault((before.kind, before.key), {})
        for version in versions:
            types |= _types(version)
    return found


def refuse_used(uow: UnitOfWork, row: PlainRow) -> None:
    """Raises Conflict when records or people still need a definition that shall go."""
    uses = {
        "object": select(Record.id).where(Record.object_key == row.key),
        "pipeline": select(StayRow.id).where(StayRow.pipeline_key == row.key),
        "role": select(Member.id).where(Member.role_key == row.key),
    }
    if row.kind in uses and uow.session.scalar(uses[row.kind].limit(1)) is not None:
        raise Conflict(STILL_USED, name=Label.of(row.document.get("label")))


def refuse_moved_roles(
    uow: UnitOfWork, changed: Iterable[tuple[Document, PlainRow | None, dict[str, str]]]
) -> None:
    """A role (amount, owner …) may not move to another field while records exist.

    Typed columns, slices and roll-ups of the past were made from the field that had it.
    """
    for document, before, _ in changed:
        if document["kind"] != "object" or before is None:
            continue
        now = {role: field.key for role, field in fields_of(document).by_role.items()}
        then = {role: field.key for role, field in fields_of(before.document).by_role.items()}
        moved = [role for role, key in then.items() if now.get(role) != key]
        gained = [
            role for role, key in now.items() if role not in then and key in fields_of(before.document).by_key
        ]
        if (moved or gained) and _has_records(uow, document["key"]):
            role = (moved or gained)[0]
            field = then.get(role) or now[role]
            place = pointer("fields", "properties", field, "x-role")
            problem = DefinitionProblem(
                ROLE_MOVED, place, {"role": role, "field": field}, file=_place(document)
            )
            raise Invalid(UNSOUND, count=1, problems=(problem,))


def _types(document: Document) -> dict[str, str]:
    """Field keys and their types, of a document that may be of any shape."""
    fields = document.get("fields")
    known = fields.get("properties") if isinstance(fields, dict) else None
    if not isinstance(known, dict):
        return {}
    return {key: str(field.get("x-type")) for key, field in known.items() if isinstance(field, dict)}


def changes_types(document: Any, live: Mapping[tuple[str, str], PlainRow]) -> bool:
    """Whether a field that is live gets another type: conditions beside it may not fit it any more."""
    if not isinstance(document, dict):
        return False
    before = live.get((str(document.get("kind")), str(document.get("key"))))
    if before is None or before.kind not in WITH_FIELDS:
        return False
    then = _types(before.document)
    return any(then.get(key, type_key) != type_key for key, type_key in _types(document).items())


def fields_of(document: Document) -> FieldSet:
    """The compiled fields of an object or a feedback form."""
    return field_set(document["fields"])


def _has_records(uow: UnitOfWork, object_key: str) -> bool:
    found = uow.session.scalar(select(Record.id).where(Record.object_key == object_key).limit(1))
    return found is not None


def _place(document: Any) -> str:
    if not isinstance(document, dict):
        return ""
    return f"{str(document.get('kind', ''))[:20]}/{str(document.get('key', ''))[:63]}.json"
