"""Publishing what admins defined: checks, immutable versions, the stamp (idea 2).

A publish is one transaction: new versions, earlier ones retired, slots of existing records filled, the stamp
of the workspace changed. The stamp is read with every request, so the next one of every process sees it.
Every publish is a change set in the history (B7); drafts are the matter of ``services.drafts``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update

from builder.db.definitions import ChangeSet, Definition, DefinitionVersion
from builder.db.ids import new_id
from builder.domain.fields import ObjectDefinition
from builder.metadata.catalog import PlainRow
from builder.metadata.compiler import Version, compiled
from builder.metadata.documents import checksum, normalised
from builder.metadata.grammar import DefinitionProblem, Document
from builder.metadata.slots import assign_slots
from builder.metadata.upcasters import upcast
from builder.queries.definitions import PUBLISHED, RETIRED, WITHDRAWN, live_rows
from builder.services.backfill import fill_again
from builder.services.counting import FROM_THE_START, is_large, renew_stamp
from builder.services.maintenance import rebuild_rollup
from builder.services.probabilities import renew_probabilities
from builder.services.retyping import convert_values
from builder.services.rollup import forget
from builder.services.soundness import (
    WITH_FIELDS,
    Name,
    changes_types,
    fields_of,
    former_types,
    refuse_moved_roles,
    refuse_unsound,
    refuse_used,
)
from builder.services.totals import recount_after
from builder.services.unit_of_work import UnitOfWork

EDIT = "definitions.edit"


@dataclass(frozen=True)
class Published:
    """What a publish did. ``versions``: (kind, key, version id) of each new version, in order.

    ``warnings`` are findings that did not stand in the way. ``change_set_id``: of the history, if anything
    changed. ``uncounted``: pipelines whose sums the caller has to have made in the background.
    """

    versions: tuple[tuple[str, str, int], ...]
    warnings: tuple[DefinitionProblem, ...] = ()
    change_set_id: int | None = None
    uncounted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Occasion:
    """Why something is published, for the history. ``source``: studio, pack, file, import or rollback;
    ``undoes``: of a rollback, the id of the change set that it takes back. ``counts_later``: whoever asks
    has large pipelines counted anew in the background (``Published.uncounted``).
    """

    source: str = "studio"
    note: str = ""
    undoes: int | None = None
    counts_later: bool = False


STUDIO = Occasion()


def publish(
    uow: UnitOfWork,
    documents: Iterable[Document],
    occasion: Occasion = STUDIO,
    withdrawn: Sequence[Name] = (),
) -> Published:
    """Make ``documents`` the live versions of their kinds and keys; unchanged ones are left alone.

    All are checked, linted and compiled together, beside what is live, before anything is written.
    ``withdrawn`` names definitions that go: nothing that stays may need them, and no record be theirs.
    Afterwards ``uow.catalog`` and ``uow.workspace`` are those of the new stamp. Raises Forbidden; Invalid
    with every error, each a DefinitionProblem with its file (``objects/account.json``) and JSON pointer;
    Conflict when what shall go is in use.
    """
    uow.require(EDIT)
    # One publish after another, so that each is checked beside what the one before made live.
    uow.begin(alone=True)
    live = {(row.kind, row.key): row for row in live_rows(uow.session)}
    gone = [live.pop(name) for name in withdrawn if name in live]
    documents = list(documents)
    # What stays is judged again where something goes, or becomes another thing, that it might need.
    is_judged = bool(gone) or any(changes_types(document, live) for document in documents)
    beside = [row.document for name, row in live.items() if is_judged and name not in _names(documents)]
    warnings = refuse_unsound([*documents, *beside], live, former_types(uow, documents, live))
    changed = []
    for document in (normalised(upcast(document)) for document in documents):
        before = live.get((document["kind"], document["key"]))
        if before is None or before.checksum != checksum(document):
            changed.append((document, before, _slots(uow, document, before, occasion)))
    refuse_moved_roles(uow, changed)
    for row in gone:
        refuse_used(uow, row)
    if not changed and not gone:
        return Published((), warnings)
    change_set_id = _change_set(uow, occasion)
    versions = tuple(
        _write(uow, change_set_id, document, before, slots) for document, before, slots in changed
    )
    for row in gone:
        _withdraw(uow, change_set_id, row)
    renew_stamp(uow)
    for document, before, _ in changed:
        if before is not None:
            _renew(uow, document, before)
    uncounted = tuple(
        document["key"] for document, _, slots in changed if document["kind"] == "pipeline" and slots
    )
    return Published(versions, warnings, change_set_id, uncounted)


def _renew(uow: UnitOfWork, document: Document, before: PlainRow) -> None:
    """Bring what was made by the version before up to date: slots, totals, sums."""
    if document["kind"] == "object":
        convert_values(uow, compiled_row(before), uow.catalog.object(document["key"]))
        fill_again(uow, compiled_row(before), uow.catalog.object(document["key"]))
        recount_after(uow, compiled_row(before), uow.catalog.object(document["key"]))
    if document["kind"] == "pipeline":
        if _steps(before.document) != _steps(document):
            if uow.catalog.pipeline(document["key"]).is_counted:
                rebuild_rollup(uow, document["key"])
            else:
                forget(uow, document["key"])
        rates = _rates(before.document)
        for stage_key, rate in _rates(document).items():
            if rates.get(stage_key, rate) != rate:
                renew_probabilities(uow, document["key"], stage_key)


def _names(documents: Iterable[Document]) -> set[Name]:
    return {(document["kind"], document["key"]) for document in documents if isinstance(document, dict)}


def _change_set(uow: UnitOfWork, occasion: Occasion) -> int:
    number = uow.session.scalar(select(func.max(ChangeSet.number)))
    made = ChangeSet(
        workspace_id=uow.workspace.id,
        id=new_id(),
        number=(number or 0) + 1,
        source=occasion.source,
        note=occasion.note,
        undoes_id=occasion.undoes,
        published_at=uow.clock.now(),
        published_by=uow.actor.member_id or None,
    )
    uow.session.add(made)
    uow.session.flush()
    return made.id


def _withdraw(uow: UnitOfWork, change_set_id: int, row: PlainRow) -> None:
    """Let a definition end; what was made under its versions keeps them."""
    definition = find_definition(uow, row.kind, row.key)
    uow.session.execute(
        update(DefinitionVersion).where(DefinitionVersion.id == row.version_id).values(status=RETIRED)
    )
    definition.live_version_id = None
    end = new_version(uow, definition, row.document, WITHDRAWN)
    end.change_set_id, end.published_at = change_set_id, uow.clock.now()
    uow.session.add(end)
    uow.session.flush()
    uow.log("definition.withdrawn", data={"kind": row.kind, "key": row.key})


def _steps(document: Document) -> list[tuple[str, str]]:
    """The order and kinds of stages, which the sums of a pipeline depend on."""
    return [(stage["key"], stage["kind"]) for stage in upcast(document)["stages"]]


def _rates(document: Document) -> dict[str, int]:
    """The win rates of the stages, in percent."""
    return {stage["key"]: stage.get("probability", 0) for stage in upcast(document)["stages"]}


def compiled_row(row: PlainRow) -> ObjectDefinition:
    """A stored version of an object, compiled."""
    version = Version.of(row.version_id, row.number, row.slots)
    definition = compiled(row.document, version, digest=row.checksum)
    assert isinstance(definition, ObjectDefinition)
    return definition


def _slots(
    uow: UnitOfWork, document: Document, before: PlainRow | None, occasion: Occasion
) -> dict[str, str]:
    """Where filterable fields are copied to: kept from the version before, so that no record changes. Of a
    pipeline, how far its sums go: what is being counted goes on, and begins anew with other steps.
    """
    if document["kind"] == "pipeline" and before is not None:
        going_on = dict(before.slots or {})
        if _steps(before.document) == _steps(document):
            return going_on
        is_later = going_on or (occasion.counts_later and is_large(uow, document["key"]))
        return dict(FROM_THE_START) if is_later else {}
    if document["kind"] != "object":
        return {}
    return assign_slots(tuple(fields_of(document)), (before.slots if before else None) or {})


def _write(
    uow: UnitOfWork,
    change_set_id: int,
    document: Document,
    before: PlainRow | None,
    slots: dict[str, str],
) -> tuple[str, str, int]:
    definition = find_definition(uow, document["kind"], document["key"])
    if before is not None:
        uow.session.execute(
            update(DefinitionVersion).where(DefinitionVersion.id == before.version_id).values(status=RETIRED)
        )
    version = new_version(uow, definition, document, PUBLISHED, slots)
    version.change_set_id = change_set_id
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


def find_definition(uow: UnitOfWork, kind: str, key: str) -> Definition:
    """The definition of that kind and key, made where there is none."""
    found = uow.session.scalar(select(Definition).where(Definition.kind == kind, Definition.key == key))
    if found is None:
        found = Definition(
            workspace_id=uow.workspace.id, id=new_id(), kind=kind, key=key, created_at=uow.clock.now()
        )
        uow.session.add(found)
        uow.session.flush()
    return found


def new_version(
    uow: UnitOfWork,
    definition: Definition,
    document: Document,
    status: str,
    slots: dict[str, str] | None = None,
) -> DefinitionVersion:
    """The next version of a definition, not yet among the rows."""
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
        schema=dict(fields_of(document).schema) if with_schema else None,
        slots=slots or {},
        checksum=checksum(document),
        created_at=now,
        created_by=uow.actor.member_id or None,
        published_at=now if is_live else None,
    )
