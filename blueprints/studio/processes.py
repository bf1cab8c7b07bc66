"""Processes with their stages: what each asks for, their order, names and probabilities (S2, S3, S4, S12).

Whoever may change them sees the draft, where there is one; everybody else sees what is published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import render_template, url_for
from flask_babel import format_decimal, gettext, lazy_gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import show_form
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from blueprints.studio.background_words import QUESTION_WORDS, SCENARIO_WORDS
from blueprints.studio.change_words import problem_line
from blueprints.studio.move_map import move_map
from blueprints.workspace.limit_words import limits_line
from builder.domain.fields import ObjectDefinition
from builder.domain.funnel import StepFigures
from builder.domain.pipeline import Pipeline
from builder.errors import NotFound
from builder.forms.process import LANGUAGES, NamedRow, NameForm, ProcessForm, RowsForm
from builder.metadata.compiler import compiled
from builder.metadata.editing.stages import possible
from builder.metadata.grammar import DefinitionProblem, Document
from builder.metadata.lint import Surroundings, lint
from builder.queries.definitions import live_rows
from builder.queries.drafts import Editable, drafts, drafts_count, editable
from builder.queries.funnel import funnel_report
from builder.queries.population import Population
from builder.services.definitions import EDIT

SEE_FIGURES = "insights.view"
KINDS = {
    "open": lazy_gettext("Open"),
    "won": lazy_gettext("Won"),
    "lost": lazy_gettext("Lost"),
    "invalid": lazy_gettext("Invalid"),
}
RULES = {
    "any": lazy_gettext("forward and back between all open stages"),
    "forward": lazy_gettext("forward only, also over several stages"),
    "next": lazy_gettext("to the next stage only"),
    "none": lazy_gettext("only what is ticked below"),
}
BLANKS = 2


@dataclass(frozen=True)
class Design:
    """A process as its designer shows it: the document that is edited, compiled, and who looks at it."""

    pipeline: Pipeline
    document: Document
    checksum: str
    is_draft: bool
    number: int

    @classmethod
    def read(cls, here: Scope, pipeline_key: str) -> Design:
        """Errors: NotFound."""
        return cls.of(editable(here.session, "pipeline", pipeline_key))

    @classmethod
    def of(cls, found: Editable) -> Design:
        pipeline = compiled(found.document)
        assert isinstance(pipeline, Pipeline)
        return cls(pipeline, found.document, found.checksum, found.is_draft, found.number)

    def stage(self, stage_key: str) -> Mapping[str, Any]:
        """Errors: NotFound."""
        for stage in self.document["stages"]:
            if stage["key"] == stage_key:
                return dict(stage)
        raise NotFound()


@studio.get("/processes")
def process_list() -> str:
    here = scope()
    live = here.catalog.pipelines
    may_edit = here.actor.can(EDIT)
    shown = [(each, False) for each in live.values()]
    if may_edit:
        shown = [(each, each.key in _drafted(here)) for each in live.values()]
        shown += [(each, True) for key, each in _drafted(here).items() if key not in live]
    objects = {**(_new_objects(here) if may_edit else {}), **here.catalog.objects}
    return render_template(
        "pages/studio/processes.html",
        pipelines=shown,
        objects=objects,
        assigned=_assigned(objects, [pipeline for pipeline, _ in shown]) if may_edit else [],
        may_edit=may_edit,
        draft_count=drafts_count(here.session) if may_edit else 0,
    )


def _new_objects(here: Scope) -> dict[str, ObjectDefinition]:
    """Objects that are drafted only: their processes are drafted beside them."""
    made = (
        compiled(draft.document)
        for draft in drafts(here.session)
        if draft.kind == "object" and draft.live is None and not draft.is_removal
    )
    return {each.key: each for each in made if isinstance(each, ObjectDefinition)}


def _assigned(objects: Mapping[str, ObjectDefinition], shown: Sequence[Pipeline]) -> list[ObjectDefinition]:
    """The objects of these processes: which of them a record enters is said for each object."""
    keys = {pipeline.object_key for pipeline in shown}
    return [definition for key, definition in objects.items() if key in keys]


def _drafted(here: Scope) -> dict[str, Pipeline]:
    """Processes with a draft, as drafted."""
    found = {}
    for draft in drafts(here.session):
        if draft.kind == "pipeline" and not draft.is_removal:
            pipeline = compiled(draft.document)
            assert isinstance(pipeline, Pipeline)
            found[draft.key] = pipeline
    return found


@studio.get("/processes/<pipeline_key>")
def process(pipeline_key: str) -> Response:
    here = scope()
    if here.actor.can(EDIT):
        return show_design(here, pipeline_key)
    return _show_live(here, here.catalog.pipeline(pipeline_key))


def _show_live(here: Scope, pipeline: Pipeline) -> Response:
    return show_form(
        "pages/studio/process.html",
        fragment="fragments/process/stages.html",
        pipeline=pipeline,
        definition=here.catalog.objects.get(pipeline.object_key),
        catalog=here.catalog,
        design=None,
        earned=earned(here, pipeline),
        limits_line=limits_line,
        problems=[],
    )


def show_design(
    here: Scope,
    pipeline_key: str,
    *,
    problems: Sequence[tuple[str, str]] = (),
    typed: Mapping[str, Any] | None = None,
    status: int = 200,
) -> Response:
    """The designer of a process. ``typed``: forms that were refused, by name, instead of what is stored."""
    design = Design.read(here, pipeline_key)
    forms = {**_forms(design), **(typed or {})}
    forms["new_stage"].kind.choices = list(KINDS.items())
    moves = possible(design.document)
    findings = found_in(here, design.document)
    return show_form(
        "pages/studio/process.html",
        fragment="fragments/process/designer.html",
        pipeline=design.pipeline,
        definition=here.catalog.objects.get(design.pipeline.object_key),
        catalog=here.catalog,
        design=design,
        earned=earned(here, design.pipeline),
        findings=[(each.severity, problem_line(each, design.document)) for each in findings],
        draft_count=drafts_count(here.session),
        limits_line=limits_line,
        rules=RULES,
        kinds=KINDS,
        scenarios=SCENARIO_WORDS,
        questions=QUESTION_WORDS,
        moves=moves,
        map=move_map(design.pipeline, moves, request.values.get("moves", ""), request.args.get("arrow", "")),
        problems=problems,
        status=status,
        **forms,
    )


def found_in(here: Scope, document: Document) -> list[DefinitionProblem]:
    """What lint says of a draft beside everything else as it is drafted or live."""
    known = {(row.kind, row.key): row.document for row in live_rows(here.session)}
    previous = known.get((document["kind"], document["key"]))
    known |= {(each.kind, each.key): each.document for each in drafts(here.session) if not each.is_removal}
    known[(document["kind"], document["key"])] = document
    return lint(document["kind"], document, Surroundings.of(known.values(), previous=previous))


def _forms(design: Design) -> dict[str, Any]:
    """The forms of the designer, with what is stored."""
    document = design.document
    facts = {
        **texts_in(document, "label"),
        **texts_in(document, "description"),
        "average_cycle_days": document.get("average_cycle_days"),
        "reminder_days": document.get("reminder_days"),
    }
    reasons = document.get("reasons", {})
    return {
        "settings": ProcessForm(data=facts),
        "new_stage": NameForm(prefix="new-"),
        "milestones": rows_form("milestones", document.get("milestones", ())),
        "reasons": {
            kind: rows_form(kind, [each for each in reasons.get(kind, ()) if not each.get("retired")])
            for kind in ("won", "lost", "invalid")
        },
    }


def rows_form(prefix: str, stored: Sequence[Mapping[str, Any]]) -> RowsForm:
    """Named rows with a few empty ones behind them."""
    rows = [{"key": each["key"], **texts_in(each, "label")} for each in stored]
    return RowsForm(prefix=f"{prefix}-", data={"rows": [*rows, *({} for _ in range(BLANKS))]})


def texts_in(document: Mapping[str, Any], part: str) -> dict[str, str]:
    """The texts of a part as the controls of a form hold them; plain text counts as English."""
    value = document.get(part) or {}
    texts = {"en": value} if isinstance(value, str) else value
    return {f"{part}_{code}": texts.get(code, "") for code in LANGUAGES}


def named_rows(rows: Sequence[Any]) -> list[tuple[str, dict[str, str]]]:
    """Key and name of each row of a form, as edits take them."""
    return [(row.form.key.data or "", label_of(row.form)) for row in rows]


def label_of(form: NamedRow | NameForm | Any) -> dict[str, str]:
    return {code: form[f"label_{code}"].data or "" for code in LANGUAGES}


@dataclass(frozen=True, slots=True)
class Earned:
    """The stage win rate M4 as history has it, in words, and the list of the records behind it."""

    text: str
    href: str


def earned(here: Scope, pipeline: Pipeline) -> dict[str, Earned]:
    """Stage key → what its probability turned out to be, of the records that the reader may see; one sum
    of roll-ups. Stages that nothing has ended after are left out, and all where Insights are not open."""
    if not here.actor.can(SEE_FIGURES) or pipeline.key not in here.catalog.pipelines:
        return {}
    live = here.catalog.pipelines[pipeline.key]
    people = Population((live.key,), live.object_key, here.actor)
    report = funnel_report(
        here.session, people, live, "visited", currency=here.workspace.currency, amounts="none"
    )
    return {
        step.stage: Earned(_in_words(step), _ended_list(live, step.stage))
        for step in report.figures.steps
        if step.ended
    }


def _in_words(step: StepFigures) -> str:
    return gettext(
        "%(won)s of %(ended)s = %(rate)s %%",
        won=format_decimal(step.ended_won),
        ended=format_decimal(step.ended),
        rate=format_decimal(round(100 * step.ended_won / step.ended, 1)),
    )


def _ended_list(pipeline: Pipeline, stage_key: str) -> str:
    return url_for("insights.drill", pipeline=pipeline.key, figure="ended", stage=stage_key)
