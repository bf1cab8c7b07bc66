"""What becomes of open records and of sums with a publish: what is chosen, and what a worker then does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from htmx_flask import request

from blueprints import house
from blueprints.scope import Scope
from builder.domain.labels import Label
from builder.metadata.grammar import Document
from builder.queries import drafts as queries
from builder.queries.impact import Touched
from builder.services.definitions import Published
from builder.services.migration import checked_mapping
from builder.services.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class MigrationChoice:
    """What to do with the open records of a process: ``gone`` are stages that go, ``stages`` those that stay.

    Both as (key, name); ``count`` open records are in the process.
    """

    pipeline_key: str
    label: Label
    count: int
    gone: Sequence[tuple[str, Label]]
    stages: Sequence[tuple[str, Label]]


def migration_choices(found: Sequence[queries.Draft], touched: Sequence[Touched]) -> list[MigrationChoice]:
    counts = {each.concern.key: each.count for each in touched if each.concern.kind == "pipeline_changed"}
    return [
        MigrationChoice(
            draft.key,
            Label.of(draft.document["label"]),
            counts[draft.key],
            _stages(draft.live, without=draft.document),
            _stages(draft.document),
        )
        for draft in found
        if draft.kind == "pipeline" and draft.live is not None and counts.get(draft.key)
    ]


def _stages(document: Document, without: Document | None = None) -> list[tuple[str, Label]]:
    """The open stages of a pipeline, but for those of another version."""
    other = {stage["key"] for stage in without["stages"]} if without else set()
    return [
        (stage["key"], Label.of(stage["label"]))
        for stage in document["stages"]
        if stage.get("kind", "open") == "open" and stage["key"] not in other
    ]


def bring_over(uow: UnitOfWork, here: Scope, published: Published, found: Sequence[queries.Draft]) -> None:
    """Hand the records of those processes for which it was chosen to a worker, in the same transaction."""
    versions: Mapping[str, int] = {
        key: number for kind, key, number in published.versions if kind == "pipeline"
    }
    live = {each.key: each.live for each in found if each.kind == "pipeline"}
    for key, version_id in versions.items():
        before = live.get(key)
        if before is None or request.form.get(f"records-{key}") != "migrate":
            continue
        chosen = {
            stage["key"]: request.form.get(f"to-{key}-{stage['key']}", "") for stage in before["stages"]
        }
        mapping = checked_mapping(
            uow.catalog.pipeline(key), {stage: target for stage, target in chosen.items() if target}
        )
        house.queue().enqueue_migration(
            uow.session, here.workspace.key, key, version_id, mapping, here.actor.member_id
        )


def count_later(uow: UnitOfWork, here: Scope, published: Published) -> None:
    """Have large processes with other steps counted anew by a worker, in the same transaction."""
    for key in published.uncounted:
        house.queue().enqueue_counting(uow.session, here.workspace.key, key)
