"""The live definitions of a workspace, and the older versions that records and stays pin (idea 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, select

from builder.db.definitions import Definition, DefinitionVersion
from builder.db.tenancy import WorkspaceSession
from builder.domain.feedback import Feedback
from builder.domain.pipeline import Pipeline
from builder.domain.workspaces import WorkspaceInfo
from builder.errors import NotFound
from builder.metadata.cache import ProcessCache
from builder.metadata.catalog import Catalog, PlainRow, catalog_of

DRAFT = "draft"
PUBLISHED = "published"
RETIRED = "retired"
WITHDRAWN = "withdrawn"  # the end of a definition, as it was last
REMOVAL = "removal"  # a draft: the definition shall go

_live: ProcessCache[tuple[int, int], Mapping[tuple[str, str], Any]] = ProcessCache(256)
_old_pipelines: ProcessCache[tuple[int, int], Pipeline] = ProcessCache(1024)
_old_feedback: ProcessCache[tuple[int, int], Feedback] = ProcessCache(2048)


def load_catalog(session: WorkspaceSession, workspace: WorkspaceInfo) -> Catalog:
    """The workspace's live definitions, compiled; no statement when this process knows the stamp.

    ``workspace.definitions_stamp`` comes from the statement that read the membership, so the next
    request of every process sees a publish.
    """
    return catalog_of(workspace.id, workspace.definitions_stamp, lambda: live_rows(session))


def live_rows(session: WorkspaceSession) -> list[PlainRow]:
    """The published version of every definition of the bound workspace."""
    live = _versions().where(DefinitionVersion.id == Definition.live_version_id)
    return [_row(row) for row in session.execute(live)]


def version_row(session: WorkspaceSession, version_id: int) -> PlainRow:
    """One version of any status. Raises NotFound."""
    row = session.execute(_versions().where(DefinitionVersion.id == version_id)).one_or_none()
    if row is None:
        raise NotFound()
    return _row(row)


def pipeline_version(session: WorkspaceSession, catalog: Catalog, version_id: int) -> Pipeline:
    """The version a record is on: live ones from the catalog, older ones read once per process.

    Raises NotFound.
    """
    live = next((known for known in catalog.pipelines.values() if known.version_id == version_id), None)
    return live or _old_pipelines.get(
        (catalog.workspace_id, version_id),
        lambda: catalog.pipeline_version(version_id, lambda wanted: _pinned(session, wanted)),
    )


def feedback_version(session: WorkspaceSession, catalog: Catalog, version_id: int) -> Feedback:
    """The form that a stay pins, as ``pipeline_version``."""
    live = next((known for known in catalog.feedback.values() if known.version_id == version_id), None)
    return live or _old_feedback.get(
        (catalog.workspace_id, version_id),
        lambda: catalog.feedback_version(version_id, lambda wanted: _pinned(session, wanted)),
    )


def _pinned(session: WorkspaceSession, version_id: int) -> PlainRow:
    # Kept for the life of the process, so it must not remember that it was live while it was read.
    return replace(version_row(session, version_id), status=RETIRED)


def _versions() -> Select[*tuple[Any, ...]]:
    return select(
        Definition.kind,
        Definition.key,
        DefinitionVersion.id,
        DefinitionVersion.number,
        DefinitionVersion.checksum,
        DefinitionVersion.document,
        DefinitionVersion.slots,
        DefinitionVersion.status,
    ).join(DefinitionVersion, DefinitionVersion.definition_id == Definition.id)


def _row(row: Any) -> PlainRow:
    return PlainRow(
        kind=row.kind,
        key=row.key,
        version_id=row.id,
        number=row.number,
        checksum=row.checksum,
        document=row.document,
        slots=row.slots,
        status=row.status,
    )


def live_documents(session: WorkspaceSession, workspace: WorkspaceInfo) -> Mapping[tuple[str, str], Any]:
    """The live document of each (kind, key); no statement when this process knows the stamp."""
    return _live.get(
        (workspace.id, workspace.definitions_stamp),
        lambda: {(row.kind, row.key): row.document for row in live_rows(session)},
    )


def live_numbers(session: WorkspaceSession, kind: str) -> dict[str, int]:
    """The version number of what is live, by key: what a form sends back as the state it was made from."""
    rows = session.execute(
        select(Definition.key, DefinitionVersion.number)
        .join(DefinitionVersion, DefinitionVersion.id == Definition.live_version_id)
        .where(Definition.kind == kind)
    )
    return {row.key: row.number for row in rows}


def live_document(session: WorkspaceSession, kind: str, key: str) -> tuple[int, dict[str, Any]]:
    """Version number and document of what is live. Raises NotFound."""
    row = session.execute(
        select(DefinitionVersion.number, DefinitionVersion.document)
        .join(Definition, Definition.live_version_id == DefinitionVersion.id)
        .where(Definition.kind == kind, Definition.key == key)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row.number, row.document
