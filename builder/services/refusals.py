"""Refused moves, counted: which fields stood in the way (B20). Nothing is told of the record."""

from __future__ import annotations

from collections.abc import Iterable

from builder.domain.moves import Unmet
from builder.domain.pipeline import Pipeline
from builder.services.unit_of_work import UnitOfWork

_ASKED = ("required_field", "record", "feedback")


def note_refusal(uow: UnitOfWork, pipeline: Pipeline, stage_key: str | None, unmet: Iterable[Unmet]) -> None:
    """Write down, in a transaction of its own, what a move was refused for; nothing where no field was asked.

    A field of the object goes by its key, one of the stage's feedback by ``form:key``. Only a refused move
    pays for it, and it names no record: what it is for is the form.
    """
    present = pipeline.by_key.get(stage_key or "")
    form = f"{present.feedback}:" if present is not None and present.feedback else ""
    fields = sorted(
        {
            (form if one.kind == "feedback" else "") + one.field
            for one in unmet
            if one.kind in _ASKED and one.field and (form or one.kind != "feedback")
        }
    )
    if not fields:
        return
    uow.begin()
    data = {"pipeline": pipeline.key, "from": stage_key, "fields": fields}
    uow.log("move.refused", object_key=pipeline.object_key, data=data)
    uow.commit()
