"""The process that an import brings its records into, and the one that it made, which its undo leaves."""

from __future__ import annotations

from flask import url_for

from blueprints.scope import Scope
from blueprints.workspace.area import board_address, has_endpoint
from blueprints.workspace.import_choices import stored_choices
from builder.domain.labels import Label
from builder.exchange.plan import ImportPlan
from builder.queries.imports import JobRow


def board_of(here: Scope, job: JobRow) -> tuple[Label, str] | None:
    """The process whose stages the file told, and the address of its board."""
    history = ImportPlan.from_document(job.options["plan"]).history if "plan" in job.options else None
    pipeline = here.catalog.pipelines.get(history.pipeline) if history is not None else None
    address = board_address(pipeline.key) if pipeline is not None else ""
    return (pipeline.label, address) if pipeline is not None and address else None


def made_process(here: Scope, job: JobRow) -> tuple[Label, str] | None:
    """Its name and where it can be changed or seen, while it is there."""
    choices = stored_choices(job.options)
    if choices is None or choices.history is None or not choices.history.create or "plan" not in job.options:
        return None
    history = ImportPlan.from_document(job.options["plan"]).history
    pipeline = here.catalog.pipelines.get(history.pipeline) if history is not None else None
    if pipeline is None:
        return None
    if here.actor.can("definitions.edit") and has_endpoint("studio.process"):
        return pipeline.label, url_for("studio.process", pipeline_key=pipeline.key)
    return pipeline.label, board_address(pipeline.key)
