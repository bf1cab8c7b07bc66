"""All live definitions of one workspace together, compiled (CONTRIBUTING, *How the data flows*)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol, TypeVar, cast

from builder.domain.feedback import Feedback
from builder.domain.fields import ObjectDefinition
from builder.domain.overdue_stays import StageLimits
from builder.domain.permissions import FEEDBACK_MARK, Veil
from builder.domain.pipeline import FunnelDefinition, Pipeline
from builder.domain.roles import Role
from builder.domain.saved_view import View
from builder.domain.totals import TOTAL_TYPES, Total, total_of
from builder.errors import N_, NotFound
from builder.metadata.cache import ProcessCache
from builder.metadata.compiler import Definition, Version, compiled
from builder.metadata.field_rights import seen_feedback, seen_objects, seen_views, veils_of
from builder.metadata.total_units import with_units

UNKNOWN = N_("This workspace has no %(kind)s “%(key)s”.")

OWNER = "owner"

Kind = TypeVar("Kind")


class DefinitionRow(Protocol):
    """A stored version of a definition, as ``queries.definitions`` reads it.

    ``document`` is the authored document, ``slots`` maps filterable field keys to columns of ``record``,
    ``status`` is ``published`` for the live version and ``retired`` for those before it.
    """

    @property
    def kind(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def version_id(self) -> int: ...
    @property
    def number(self) -> int: ...
    @property
    def checksum(self) -> str: ...
    @property
    def document(self) -> dict[str, Any]: ...
    @property
    def slots(self) -> Mapping[str, str] | None: ...
    @property
    def status(self) -> str: ...


@dataclass(frozen=True)
class PlainRow:
    """A ``DefinitionRow`` for callers that have no table of their own, such as tests and pack previews."""

    kind: str
    key: str
    version_id: int
    number: int
    checksum: str
    document: dict[str, Any]
    slots: Mapping[str, str] | None = None
    status: str = "published"


def compile_row(row: DefinitionRow) -> Definition:
    """One stored version, compiled; from the cache of the process when it was compiled before."""
    version = Version.of(row.version_id, row.number, row.slots, is_live=row.status == "published")
    return compiled(row.document, version, digest=row.checksum)


@dataclass(frozen=True)
class Catalog:
    """What a workspace has published. Frozen, and shared by all requests that see the same ``stamp``.

    Objects are ordered by their place in the menu, everything else by key. Live versions are found by
    key; a version that a record or a stay pins is found by id through ``pipeline_version`` and
    ``feedback_version`` with a loader, because old versions are read only when they are needed.
    """

    workspace_id: int
    stamp: int
    objects: Mapping[str, ObjectDefinition] = field(default_factory=dict)
    pipelines: Mapping[str, Pipeline] = field(default_factory=dict)
    feedback: Mapping[str, Feedback] = field(default_factory=dict)
    views: Mapping[str, View] = field(default_factory=dict)
    funnels: Mapping[str, FunnelDefinition] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)

    @classmethod
    def build(cls, workspace_id: int, stamp: int, rows: Iterable[DefinitionRow]) -> Catalog:
        """Compile the published versions among ``rows``. Errors: Uncompilable."""
        kinds: dict[str, dict[str, Definition]] = {
            kind: {} for kind in ("object", "pipeline", "feedback", "view", "funnel", "role")
        }
        for row in sorted(rows, key=lambda row: (row.kind, row.key)):
            # What says where the others came from (pack_install) is nothing that anybody works with.
            if row.status == "published" and row.kind in kinds:
                kinds[row.kind][row.key] = compile_row(row)
        objects = cast("dict[str, ObjectDefinition]", kinds["object"])
        views = cast("dict[str, View]", kinds["view"])
        return cls(
            workspace_id=workspace_id,
            stamp=stamp,
            objects=with_units(dict(sorted(objects.items(), key=lambda item: (item[1].position, item[0])))),
            pipelines=cast("dict[str, Pipeline]", kinds["pipeline"]),
            feedback=cast("dict[str, Feedback]", kinds["feedback"]),
            views=dict(sorted(views.items(), key=lambda item: (item[1].position, item[0]))),
            funnels=cast("dict[str, FunnelDefinition]", kinds["funnel"]),
            roles=cast("dict[str, Role]", kinds["role"]),
        )

    @cached_property
    def time_limits(self) -> StageLimits:
        """The limits of the open stages that have any, as the processes stand now."""
        return {
            (pipeline.key, stage.key): stage.limits
            for pipeline in self.pipelines.values()
            for stage in pipeline.stages
            if stage.is_open and stage.limits
        }

    def object(self, key: str) -> ObjectDefinition:
        """Errors: NotFound."""
        return _found(self.objects, "object", key)

    def pipeline(self, key: str) -> Pipeline:
        """The live version. Errors: NotFound."""
        return _found(self.pipelines, "pipeline", key)

    def role(self, key: str) -> Role:
        """Errors: NotFound."""
        return _found(self.roles, "role", key)

    def funnel(self, key: str) -> FunnelDefinition:
        """A funnel by key, or the default funnel of the pipeline of that key (M0). Errors: NotFound."""
        if key not in self.funnels and key in self.pipelines:
            return FunnelDefinition.of(self.pipelines[key])
        return _found(self.funnels, "funnel", key)

    def pipelines_of(self, object_key: str) -> tuple[Pipeline, ...]:
        """The live pipelines that records of an object can enter (S27)."""
        return tuple(pipeline for pipeline in self.pipelines.values() if pipeline.object_key == object_key)

    def views_of(self, object_key: str) -> tuple[View, ...]:
        return tuple(view for view in self.views.values() if view.object_key == object_key)

    def pipeline_version(self, version_id: int, load: Callable[[int], DefinitionRow]) -> Pipeline:
        """Any version by id: live ones at once, older ones through ``load`` and the process cache."""
        live = self._pipelines_by_version.get(version_id)
        return live or cast("Pipeline", compile_row(load(version_id)))

    def feedback_version(self, version_id: int, load: Callable[[int], DefinitionRow]) -> Feedback:
        """Any version by id, as ``pipeline_version``."""
        live = self._feedback_by_version.get(version_id)
        return live or cast("Feedback", compile_row(load(version_id)))

    @cached_property
    def open_objects(self) -> frozenset[str]:
        """Objects without an owner field: their records are the whole company's (products, price lists)."""
        return frozenset(key for key, known in self.objects.items() if OWNER not in known.fields.by_role)

    def veils_of(self, role_key: str) -> Mapping[str, Veil]:
        """What a role hides or only shows, by object (S118); nothing for a role that is not defined."""
        return self._seen(role_key)[0]

    def seen_by(self, role_key: str) -> Catalog:
        """The catalog as people of a role see it: hidden fields are not there. Made once a role."""
        return self._seen(role_key)[1]

    def _seen(self, role_key: str) -> tuple[Mapping[str, Veil], Catalog]:
        role = self.roles.get(role_key)
        if role is None or not role.fields:
            return {}, self
        known = self._by_role.get(role_key)
        if known is None:
            # Two threads may make the same one; either serves.
            veils = veils_of(self.objects, role, self.feedback)
            seen = replace(
                self,
                objects=with_units(seen_objects(self.objects, veils)),
                views=seen_views(self.views, veils),
                feedback={
                    key: seen_feedback(form, veils.get(FEEDBACK_MARK + key))
                    for key, form in self.feedback.items()
                },
            )
            known = self._by_role[role_key] = veils, seen
        return known

    @cached_property
    def _by_role(self) -> dict[str, tuple[Mapping[str, Veil], Catalog]]:
        return {}

    @cached_property
    def totals(self) -> tuple[Total, ...]:
        """The roll-up fields of all objects, with what they count."""
        sources = {key: definition.fields.by_key for key, definition in self.objects.items()}
        made = (
            total_of(definition.key, field, sources)
            for definition in self.objects.values()
            for field in definition.fields
            if field.type in TOTAL_TYPES
        )
        return tuple(total for total in made if total is not None)

    @cached_property
    def _pipelines_by_version(self) -> Mapping[int, Pipeline]:
        return {pipeline.version_id: pipeline for pipeline in self.pipelines.values()}

    @cached_property
    def _feedback_by_version(self) -> Mapping[int, Feedback]:
        return {feedback.version_id: feedback for feedback in self.feedback.values()}


_catalogs: ProcessCache[tuple[int, int], Catalog] = ProcessCache(256)


def catalog_of(workspace_id: int, stamp: int, rows: Callable[[], Iterable[DefinitionRow]]) -> Catalog:
    """The catalog of a workspace at a stamp; ``rows`` is called only when this process has not built it.

    The stamp changes with every publish and is read with every request, so the next request of every
    process sees a publish.
    """
    return _catalogs.get((workspace_id, stamp), lambda: Catalog.build(workspace_id, stamp, rows()))


def _found(known: Mapping[str, Kind], kind: str, key: str) -> Kind:
    if key not in known:
        raise NotFound(UNKNOWN, kind=kind, key=key)
    return known[key]
