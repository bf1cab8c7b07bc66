"""What a report is asked with, turned into pipelines, dimensions and populations."""

from __future__ import annotations

from sqlalchemy import select

from builder.db.ledger import StayRow
from builder.db.tenancy import WorkspaceSession
from builder.domain.fields import ObjectDefinition
from builder.domain.pipeline import Pipeline
from builder.errors import N_, NotFound
from builder.metadata.catalog import Catalog

# Roles of a field that only something on its way to being sold has.
_SELLING_ROLES = frozenset({"amount", "expected_close", "probability", "forecast_category"})


def selling_objects(catalog: Catalog) -> tuple[ObjectDefinition, ...]:
    """Objects whose records go through pipelines, those that look most like something sold first: by how
    many of the fields *amount*, *expected close*, *probability* and *forecast category* they have."""
    with_pipelines = [item for item in catalog.objects.values() if catalog.pipelines_of(item.key)]
    return tuple(sorted(with_pipelines, key=lambda item: -len(_SELLING_ROLES & item.fields.by_role.keys())))


def first_pipeline(session: WorkspaceSession, catalog: Catalog) -> Pipeline:
    """The pipeline that reports open on: the first that any record has entered, of what looks most like
    something sold; else the first at all. One statement for it and each before it, where there are several.

    Errors: NotFound.
    """
    offered = [each for item in selling_objects(catalog) for each in catalog.pipelines_of(item.key)]
    if not offered:
        raise NotFound(N_("This workspace has no pipeline yet."))
    if len(offered) == 1:
        return offered[0]
    visit = select(StayRow.id).limit(1)
    entered = (each for each in offered if session.scalar(visit.where(StayRow.pipeline_key == each.key)))
    return next(entered, offered[0])


def pipeline_named(catalog: Catalog, name: str) -> Pipeline:
    """The pipeline with this key, or with this label in any language. Errors: NotFound."""
    if name in catalog.pipelines:
        return catalog.pipelines[name]
    wanted = name.casefold()
    for pipeline in catalog.pipelines.values():
        if any(text.casefold() == wanted for _, text in pipeline.label.translations):
            return pipeline
    raise NotFound(N_("There is no pipeline “%(pipeline)s”."), pipeline=name[:80])


def object_named(catalog: Catalog, name: str | None) -> ObjectDefinition:
    """The object of that key, or the first one that sells. Errors: NotFound."""
    if name is not None:
        return catalog.object(name)
    objects = selling_objects(catalog)
    if not objects:
        raise NotFound(N_("This workspace has no pipeline yet."))
    return objects[0]
