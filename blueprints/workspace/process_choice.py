"""Which process a new record enters: what the rules say, what the person may choose instead (S6–S10, S27)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from blueprints.messages import local, message
from blueprints.scope import Scope
from blueprints.workspace.filter_words import evaluation_context
from blueprints.workspace.rule_subjects import rule_name
from builder.domain.assignment import Choice
from builder.domain.fields import ObjectDefinition
from builder.domain.pipeline import Pipeline
from builder.errors import N_
from builder.queries.assignment import Starter, choice_of, starter_of
from builder.services.assignment import NONE_OPEN, NOT_OPEN

CHOOSE_PROCESS = N_("Choose the process that this record goes through.")
LEADS_ELSEWHERE = N_("What you filled in leads to another process: “%(process)s”. Look at it, then create.")
NO_PROCESS = "-"


@dataclass(frozen=True)
class ProcessField:
    """The control: processes that are open to the person (key, name), the one chosen, and why (``note``).

    ``proposed``: what the rules say; it travels with the form, so that whoever did not choose another follows
    it when what decides changes. ``problem``: why the form cannot be taken with it.
    """

    options: tuple[tuple[str, str], ...]
    chosen: str
    proposed: str
    note: str
    problem: str = ""

    @property
    def entry_key(self) -> str | None:
        """The process that the record enters, ``None`` for none."""
        return self.chosen if self.chosen not in ("", NO_PROCESS) else None


def process_field(
    here: Scope,
    definition: ObjectDefinition,
    values: Mapping[str, Any],
    sent: MultiDict[str, str],
    *,
    is_final: bool = False,
) -> ProcessField | None:
    """The control for a record with these values; ``None`` for objects without processes.

    ``sent``: the form, or the query of the address at first. ``is_final``: it is to be created now.
    """
    pipelines = {each.key: each for each in here.catalog.pipelines_of(definition.key)}
    if not pipelines:
        return None
    choice = _choice(here, definition, values)
    proposed = choice.pipeline_key or ""
    asked = sent.get("pipeline", "")
    follows = not asked or asked == sent.get("proposed")
    chosen = proposed if follows else asked
    problem = ""
    if is_final and asked and chosen and chosen != asked:
        problem = message(LEADS_ELSEWHERE, {"process": pipelines[chosen].label})
    elif is_final:
        problem = _problem(pipelines, choice, asked)
    return ProcessField(
        tuple((key, local(pipelines[key].label)) for key in choice.open_keys),
        chosen if chosen in choice.open_keys or chosen == NO_PROCESS else "",
        proposed,
        _note(here, definition, pipelines, choice, chosen),
        problem,
    )


def open_processes(
    here: Scope, object_key: str, values: Mapping[str, Any], otherwise: str | None = None
) -> list[Pipeline]:
    """The processes that the person may start, the one that the rules or a default say first."""
    definition = here.catalog.objects.get(object_key)
    if definition is None:
        return []
    pipelines = {each.key: each for each in here.catalog.pipelines_of(object_key)}
    if not pipelines:
        return []
    choice = _choice(here, definition, values, otherwise)
    return [pipelines[key] for key in sorted(choice.open_keys, key=lambda key: key != choice.pipeline_key)]


def may_start(here: Scope, pipeline: Pipeline) -> bool:
    """Whether the process is open to the person's departments; a statement only where it is assigned."""
    definition = here.catalog.object(pipeline.object_key)
    if not definition.assignment.departments.get(pipeline.key):
        return True
    return definition.assignment.is_open(pipeline.key, _starter(here, definition).departments)


def deciding_fields(definition: ObjectDefinition) -> frozenset[str]:
    """The fields of the form by which rules decide."""
    heads = {name.partition(".")[0] for name in definition.assignment.names}
    return frozenset(heads & definition.fields.by_key.keys())


def _starter(here: Scope, definition: ObjectDefinition) -> Starter:
    today = here.workspace.day_of(here.clock.now())
    return starter_of(here.session, here.actor, definition.assignment, today)


def _choice(
    here: Scope, definition: ObjectDefinition, values: Mapping[str, Any], otherwise: str | None = None
) -> Choice:
    starter, context = _starter(here, definition), evaluation_context(here)
    return choice_of(here.session, here.catalog, definition, values, starter, context, otherwise)


def _problem(pipelines: Mapping[str, Pipeline], choice: Choice, asked: str) -> str:
    if asked == NO_PROCESS or asked in choice.open_keys:
        return ""
    if asked in pipelines:
        return message(NOT_OPEN, {"pipeline": pipelines[asked].label})
    # Without a word about it nothing is asked where nothing could be chosen.
    return gettext(CHOOSE_PROCESS) if choice.open_keys else ""


def _note(
    here: Scope,
    definition: ObjectDefinition,
    pipelines: Mapping[str, Pipeline],
    choice: Choice,
    chosen: str,
) -> str:
    """Why this process is proposed, or what the rules say when another one is chosen."""
    if not choice.open_keys:
        return gettext(NONE_OPEN)
    rule = choice.rule
    if rule is None or choice.pipeline_key is None:
        return gettext("The record starts in the first stage of it.")
    name = rule_name(rule, here, definition.key)
    if chosen == choice.pipeline_key:
        return gettext("By the rule “%(rule)s”.", rule=name)
    process = local(pipelines[choice.pipeline_key].label)
    return gettext("The rule “%(rule)s” says “%(process)s”.", rule=name, process=process)
