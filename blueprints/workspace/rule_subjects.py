"""What the rules of *which process for whom* may ask about, for their builder and for telling them."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext

from blueprints.languages import language
from blueprints.messages import local
from blueprints.scope import Scope
from blueprints.workspace.filter_words import in_words, pointed_at
from blueprints.workspace.shown import field_context
from blueprints.workspace.subjects import Subject
from builder.domain.assignment import DEPARTMENTS, ROLE, AssignmentRule
from builder.domain.conditions import Condition
from builder.domain.fields import FieldDefinition, Option
from builder.domain.kinds import kind_of_type
from builder.domain.labels import Label
from builder.queries.people import departments
from builder.queries.row import names_of_members, names_of_visible

Fields = Mapping[str, FieldDefinition]


def rule_subjects(here: Scope, own: Fields, others: Mapping[str, Fields]) -> dict[str, Subject]:
    """By name: fields of the record, of what it refers to (``client.sector``), and about who starts.

    ``others``: the fields of the other objects by object key.
    """
    found = {key: _subject(key, _called(field), field) for key, field in own.items()}
    for head, field in own.items():
        if field.type != "reference":
            continue
        for key, there in others.get(str(field.params.get("target")), {}).items():
            name = f"{head}.{key}"
            found[name] = _subject(name, f"{_called(field)} › {_called(there)}", there, _called(field))
    return {**found, **_about_the_starter(here)}


def live_subjects(here: Scope, object_key: str) -> dict[str, Subject]:
    """The same, of the definitions in force as the reader sees them."""
    others = {key: each.fields.by_key for key, each in here.catalog.objects.items()}
    return rule_subjects(here, others.get(object_key, {}), others)


def rule_name(rule: AssignmentRule, here: Scope, object_key: str) -> str:
    """What a rule in force is called; one without a name is told by its condition."""
    return str(local(rule.label)) or words_of(here, rule.when, live_subjects(here, object_key))


def words_of(here: Scope, condition: Condition, subjects: Mapping[str, Subject]) -> str:
    """A condition as people say it, with the names of the records and people in it."""
    names = names_of_visible(here.session, here.actor, pointed_at(condition, subjects, ("reference",)))
    members = names_of_members(here.session, pointed_at(condition, subjects, ("user",)))
    return in_words(condition, subjects, field_context(here, names, members))


def _called(field: FieldDefinition) -> str:
    return field.label.text(language()) or field.key


def _subject(name: str, label: str, field: FieldDefinition, group: str = "") -> Subject:
    return Subject(name, label, kind_of_type(field.type), field, group)


def _about_the_starter(here: Scope) -> dict[str, Subject]:
    places = tuple(
        Option(str(node.id), Label.of("\u2003" * node.depth + node.name))
        for node in departments(here.session)
    )
    roles = tuple(Option(key, role.label) for key, role in here.catalog.roles.items())
    asked = (
        (DEPARTMENTS, "choices", gettext("Department of the person who starts"), places),
        (ROLE, "choice", gettext("Role of the person who starts"), roles),
    )
    return {
        name: _subject(name, label, FieldDefinition(name, kind, Label.of(label), options=options))
        for name, kind, label, options in asked
        if options
    }
