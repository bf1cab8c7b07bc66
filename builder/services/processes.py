"""Changing a live pipeline: order, names, probabilities, markers of its stages (S2, S3, S12).

Every change publishes a new version. Records stay on the version they are on; what counts for everybody at
once is the order in reports and the probability of a stage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from builder.db.records import Record
from builder.errors import N_, Invalid, NotFound, Problem, Stale
from builder.metadata.grammar import Document
from builder.queries.definitions import live_document
from builder.services.definitions import EDIT, Published, publish
from builder.services.ledger import Ledger
from builder.services.records import write_record
from builder.services.standings import load_standings, set_probability
from builder.services.unit_of_work import UnitOfWork

NOT_SAVED = N_("The process was not changed.")
NOT_ALL = N_("The new order must name each stage once.")
NO_PERCENT = N_("A probability is a whole number from 0 to 100.")
NO_NAME = N_("A stage needs a name.")
BATCH = 200


@dataclass(frozen=True)
class ChangeStage:
    """New texts and probability of one stage; ``None`` leaves a part as it is.

    Texts are by language; an empty text removes that language.
    """

    stage_key: str
    label: Mapping[str, str] | None = None
    probability: int | None = None
    definition: Mapping[str, str] | None = None
    goal: Mapping[str, str] | None = None
    marker: Mapping[str, str] | None = None


def reorder(
    uow: UnitOfWork, pipeline_key: str, stage_keys: Sequence[str], seen: int | None = None
) -> Published:
    """Put the stages into a new order. ``seen``: the version number that the person looked at.

    Errors: Forbidden, NotFound, Stale; Invalid when a stage is missing, named twice, or lint refuses.
    """
    document = _document(uow, pipeline_key, seen)
    stages = {stage["key"]: stage for stage in document["stages"]}
    if sorted(stage_keys) != sorted(stages):
        raise Invalid(NOT_SAVED, problems=(Problem(NOT_ALL, "stages"),))
    return publish(uow, [{**document, "stages": [stages[key] for key in stage_keys]}])


def change_stage(
    uow: UnitOfWork, pipeline_key: str, change: ChangeStage, seen: int | None = None
) -> Published:
    """Change one stage. Errors: Forbidden, NotFound, Stale, Invalid with a problem for each faulty part."""
    document = _document(uow, pipeline_key, seen)
    if all(stage["key"] != change.stage_key for stage in document["stages"]):
        raise NotFound()
    problems = []
    if change.label is not None and not any(text.strip() for text in change.label.values()):
        problems.append(Problem(NO_NAME, "label"))
    if change.probability is not None and not 0 <= change.probability <= 100:
        problems.append(Problem(NO_PERCENT, "probability"))
    if problems:
        raise Invalid(NOT_SAVED, problems=tuple(problems))
    stages = [
        _changed(stage, change) if stage["key"] == change.stage_key else stage for stage in document["stages"]
    ]
    published = publish(uow, [{**document, "stages": stages}])
    if change.probability is not None:
        renew_probabilities(uow, pipeline_key, change.stage_key)
    return published


def renew_probabilities(uow: UnitOfWork, pipeline_key: str, stage_key: str) -> int:
    """Let the open records of a stage take its probability of now; returns how many changed.

    Their slices keep what it was before (B6).
    """
    last, changed = 0, 0
    while True:
        ids = uow.session.scalars(
            select(Record.id)
            .where(
                Record.pipeline_key == pipeline_key,
                Record.stage_key == stage_key,
                Record.deleted_at.is_(None),
                Record.id > last,
            )
            .order_by(Record.id)
            .limit(BATCH)
        ).all()
        if not ids:
            return changed
        last = ids[-1]
        changed += _renew(uow, ids)


def _renew(uow: UnitOfWork, record_ids: Sequence[int]) -> int:
    ledger, changed = Ledger(uow), 0
    for standing in load_standings(uow, record_ids, of_everyone=True).values():
        set_probability(uow, standing)
        ledger.settle(standing, uow.clock.now())
        if standing.record["probability"] != standing.stored["probability"]:
            write_record(uow, standing)
            changed += 1
    ledger.write()
    return changed


def _document(uow: UnitOfWork, pipeline_key: str, seen: int | None) -> Document:
    uow.require(EDIT)
    uow.begin(alone=True)
    number, document = live_document(uow.session, "pipeline", pipeline_key)
    if seen is not None and seen != number:
        raise Stale(now=number)
    return document


def _changed(stage: Document, change: ChangeStage) -> Document:
    changed: dict[str, Any] = dict(stage)
    for part in ("label", "definition", "goal"):
        texts = getattr(change, part)
        if texts is not None:
            _put(changed, part, _texts(texts))
    if change.probability is not None:
        changed["probability"] = change.probability
    if change.marker is not None:
        label = _texts(change.marker)
        _put(changed, "marker", {**stage.get("marker", {}), "label": label} if label else {})
    return changed


def _put(document: dict[str, Any], part: str, value: dict[str, Any]) -> None:
    if value:
        document[part] = value
    else:
        document.pop(part, None)


def _texts(texts: Mapping[str, str]) -> dict[str, Any]:
    return {language: text.strip() for language, text in texts.items() if text.strip()}
