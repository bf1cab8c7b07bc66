"""Publishing what admins defined: drafts, checks, immutable versions, the stamp (idea 2).

A publish is one transaction: new versions, earlier ones retired, slots of existing records filled, the stamp
of the workspace changed. The stamp is read with every request, so the next one of every process sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, func, select, update

from builder.db.definitions import Definition, DefinitionVersion
from builder.db.ids import new_id
from builder.db.people import Workspace
from builder.db.records import Record
from builder.domain.fields import FieldSet, ObjectDefinition
from builder.errors import N_, Conflict, Invalid
from builder.metadata.catalog import PlainRow
from builder.metadata.compiler import Version, compiled, field_set
from builder.metadata.documents import check, checksum, normalised, unstorable
from builder.metadata.grammar import KINDS, DefinitionProblem, Document, pointer
from builder.metadata.lint import Surroundings, lint
from builder.metadata.slots import assign_slots
from builder.metadata.upcasters import upcast
from builder.queries.definitions import DRAFT, PUBLISHED, RETIRED, live_rows
from builder.queries.definitions import drafts as stored_drafts
from builder.services.backfill import fill_again
from builder.services.maintenance import rebuild_rollup
from builder.services.totals import recount_after
from builder.services.unit_of_work import UnitOfWork

EDIT = "definitions.edit"
STORABLE = tuple(kind for kind in KINDS if kind != "pack")
WITH_FIELDS = ("object", "feedback")
UNSOUND = N_("This cannot be published: %(count)s things are wrong.")
ROLE_MOVED = N_("Records exist already, so the role “%(role)s” stays with “%(field)s”.")


@dataclass(frozen=True)
class Published:
    """What a publish did. ``versions``: (kind, key, version id) of each new version, in order.

    ``warnings`` are findings that did not stand in the way.
    """

    versions: tuple[tuple[str, str, int], ...]
    warnings: tuple[DefinitionProblem, ...] = ()


def save_draft(uow: UnitOfWork, document: Document, *, expected_checksum: str | None = None) -> int:
    """Keep a document as the draft of its kind and key; its version id. The live version stays as it is.

    A draft may be unfinished, but must name a known kind and a well-formed key. ``expected_checksum``: of
    the draft that was edited. Raises Forbidden, Invalid, Conflict when somebody else saved meanwhile.
    """
    uow.require(EDIT)
    uow.begin()
    wrong = list(unstorable(document)) or _head_problems(document)
    if wrong:
        raise Invalid(N_("The draft was not saved."), problems=tuple(wrong))
    document = normalised(document)
    definition = _definition(uow, document["kind"], document["key"])
    of_definition = DefinitionVersion.definition_id == definition.id
    draft = uow.session.scalar(
        select(DefinitionVersion).where(of_definition, DefinitionVersion.status == DRAFT)
    )
    if expected_checksum is not None and (draft is None or draft.checksum != expected_checksum):
        raise Conflict(N_("Somebody else changed or published this draft meanwhile."))
    if draft is None:
        draft = _version(uow, definition, document, DRAFT)
        uow.session.add(draft)
    else:
        draft.document, draft.checksum = document, checksum(document)
        draft.grammar = document.get("grammar", 0)
    uow.session.flush()
    uow.log("definition.drafted", data={"kind": definition.kind, "key": definition.key})
    return draft.id


def publish_drafts(uow: UnitOfWork) -> Published:
    """Publish all drafts of the workspace together, as one change."""
    uow.require(EDIT)
    uow.begin(alone=True)
    return publish(uow, [draft.document for draft in stored_drafts(uow.session)])


def publish(uow: UnitOfWork, documents: Iterable[Document]) -> Published:
    """Make ``documents`` the live versions of their kinds and keys; unchanged ones are left alone.

    All are checked, linted and compiled together, beside what is live, before anything is written.
    Afterwards ``uow.catalog`` and ``uow.workspace`` are those of the new stamp. Raises Forbidden; Invalid
    with every error, each a DefinitionProblem with its file (``objects/account.json``) and JSON pointer.
    """
    uow.require(EDIT)
    # One publish after another, so that each is checked beside what the one before made live.
    uow.begin(alone=True)
    live = {(row.kind, row.key): row for row in live_rows(uow.session)}
    documents = list(documents)
    warnings = refuse_unsound(documents, live, _former_types(uow, documents, live))
    changed = []
    for document in (normalised(upcast(document)) for document in documents):
        before = live.get((document["kind"], document["key"]))
        if before is None or before.checksum != checksum(document):
            changed.append((document, before, _slots(document, before)))
    _refuse_moved_roles(uow, changed)
    versions = tuple(_write(uow, document, before, slots) for document, before, slots in changed)
    if versions:
        _stamp(uow)
        for document, before, _ in changed:
            if document["kind"] == "object" and before is not None:
                fill_again(uow, compiled_row(before), uow.catalog.object(document["key"]))
                recount_after(uow, compiled_row(before), uow.catalog.object(document["key"]))
            if (
                document["kind"] == "pipeline"
                and before is not None
                and _steps(before.document) != _steps(document)
            ):
                rebuild_rollup(uow, document["key"])
    return Published(versions, warnings)


def _steps(document: Document) -> list[tuple[str, str]]:
    """The order and kinds of stages, which the sums of a pipeline depend on."""
    return [(stage["key"], stage["kind"]) for stage in upcast(document)["stages"]]


def _former_types(
    uow: UnitOfWork, documents: Sequence[Document], live: Mapping[tuple[str, str], PlainRow]
) -> dict[tuple[str, str], dict[str, str]]:
    """Types of the fields of versions before the live one, by kind and key.

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


def _types(document: Document) -> dict[str, str]:
    """Field keys and their types, of a document that may be of any shape."""
    fields = document.get("fields")
    known = fields.get("properties") if isinstance(fields, dict) else None
    if not isinstance(known, dict):
        return {}
    return {key: str(field.get("x-type")) for key, field in known.items() if isinstance(field, dict)}


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
        wrong = check(kind, document) if kind in STORABLE else _head_problems(document)
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


def compiled_row(row: PlainRow) -> ObjectDefinition:
    """A stored version of an object, compiled."""
    version = Version.of(row.version_id, row.number, row.slots)
    definition = compiled(row.document, version, digest=row.checksum)
    assert isinstance(definition, ObjectDefinition)
    return definition


def _head_problems(document: Any) -> list[DefinitionProblem]:
    """Whether a document can be filed at all: its kind and key."""
    if not isinstance(document, dict) or document.get("kind") not in STORABLE:
        return [
            DefinitionProblem(N_("The kind is one of %(known)s."), "/kind", {"known": ", ".join(STORABLE)})
        ]
    shape = [problem for problem in check(document["kind"], document) if problem.place in ("/key", "")]
    return [problem for problem in shape if problem.place == "/key" or "key" not in document]


def _place(document: Any) -> str:
    if not isinstance(document, dict):
        return ""
    return f"{str(document.get('kind', ''))[:20]}/{str(document.get('key', ''))[:63]}.json"


def _slots(document: Document, before: PlainRow | None) -> dict[str, str]:
    """Where filterable fields are copied to: kept from the version before, so that no record changes."""
    if document["kind"] != "object":
        return {}
    return assign_slots(tuple(_fields(document)), (before.slots if before else None) or {})


def _fields(document: Document) -> FieldSet:
    return field_set(document["fields"])


def _refuse_moved_roles(
    uow: UnitOfWork, changed: Iterable[tuple[Document, PlainRow | None, dict[str, str]]]
) -> None:
    """A role (amount, owner …) may not move to another field while records exist.

    Typed columns, slices and roll-ups of the past were made from the field that had it.
    """
    for document, before, _ in changed:
        if document["kind"] != "object" or before is None:
            continue
        now = {role: field.key for role, field in _fields(document).by_role.items()}
        then = {role: field.key for role, field in _fields(before.document).by_role.items()}
        moved = [role for role, key in then.items() if now.get(role) != key]
        gained = [
            role for role, key in now.items() if role not in then and key in _fields(before.document).by_key
        ]
        if (moved or gained) and _has_records(uow, document["key"]):
            role = (moved or gained)[0]
            field = then.get(role) or now[role]
            place = pointer("fields", "properties", field, "x-role")
            problem = DefinitionProblem(
                ROLE_MOVED, place, {"role": role, "field": field}, file=_place(document)
            )
            raise Invalid(UNSOUND, count=1, problems=(problem,))


def _has_records(uow: UnitOfWork, object_key: str) -> bool:
    found = uow.session.scalar(select(Record.id).where(Record.object_key == object_key).limit(1))
    return found is not None


def _write(
    uow: UnitOfWork, document: Document, before: PlainRow | None, slots: dict[str, str]
) -> tuple[str, str, int]:
    definition = _definition(uow, document["kind"], document["key"])
    of_definition = DefinitionVersion.definition_id == definition.id
    uow.session.execute(delete(DefinitionVersion).where(of_definition, DefinitionVersion.status == DRAFT))
    if before is not None:
        uow.session.execute(
            update(DefinitionVersion).where(DefinitionVersion.id == before.version_id).values(status=RETIRED)
        )
    version = _version(uow, definition, document, PUBLISHED, slots)
    uow.session.add(version)
    definition.live_version_id = version.id
    uow.session.flush()
    uow.log(
        "definition.published",
        data={
            "kind": definition.kind,
            "key": definition.key,
            "version_id": str(version.id),
            "number": version.number,
            "checksum": version.checksum,
        },
    )
    return definition.kind, definition.key, version.id


def _definition(uow: UnitOfWork, kind: str, key: str) -> Definition:
    found = uow.session.scalar(select(Definition).where(Definition.kind == kind, Definition.key == key))
    if found is None:
        found = Definition(
            workspace_id=uow.workspace.id, id=new_id(), kind=kind, key=key, created_at=uow.clock.now()
        )
        uow.session.add(found)
        uow.session.flush()
    return found


def _version(
    uow: UnitOfWork,
    definition: Definition,
    document: Document,
    status: str,
    slots: dict[str, str] | None = None,
) -> DefinitionVersion:
    number = uow.session.scalar(
        select(func.max(DefinitionVersion.number)).where(DefinitionVersion.definition_id == definition.id)
    )
    now = uow.clock.now()
    is_live = status == PUBLISHED
    with_schema = is_live and definition.kind in WITH_FIELDS
    return DefinitionVersion(
        workspace_id=uow.workspace.id,
        id=new_id(),
        definition_id=definition.id,
        number=(number or 0) + 1,
        status=status,
        grammar=document.get("grammar", 0),
        document=document,
        schema=dict(_fields(document).schema) if with_schema else None,
        slots=slots or {},
        checksum=checksum(document),
        created_at=now,
        created_by=uow.actor.member_id or None,
        published_at=now if is_live else None,
    )


def _stamp(uow: UnitOfWork) -> None:
    """A new stamp, unlike any before even after a rollback, and with it the new catalog."""
    stamp = new_id()
    uow.session.execute(
        update(Workspace).where(Workspace.id == uow.workspace.id).values(definitions_stamp=stamp)
    )
    uow.workspace = replace(uow.workspace, definitions_stamp=stamp)
    uow.renew_catalog()
