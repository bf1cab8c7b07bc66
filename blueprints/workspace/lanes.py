"""The lanes of a board as people see them: names, addresses, and what dropping a card into one changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext

from blueprints.languages import language
from blueprints.messages import local
from blueprints.scope import Scope
from blueprints.workspace.cards import HeadView, total_of
from blueprints.workspace.shown import record_column_label
from builder.db.ids import from_public, to_public
from builder.domain.conditions import Condition
from builder.domain.fields import ObjectDefinition
from builder.domain.pipeline import Pipeline
from builder.domain.saved_view import can_divide
from builder.errors import N_, Invalid, NotFound
from builder.queries.board import Card
from builder.queries.lanes import DEPARTMENT, OWNER, Heads, LaneField, LaneValue, lane_field
from builder.queries.people import active_members, departments
from builder.queries.row import names_of_members, names_of_records

EMPTY, YES, NO = "-", "yes", "no"
FIXED_TYPES = ("choice", "yes_no")
MOST_CHOICES = 300
BY_OWNER = N_("The department of a record follows its owner: give it to somebody of that department instead.")
LOCKED = N_("“%(field)s” cannot be changed here.")


@dataclass(frozen=True)
class Lanes:
    """One way to divide the board of an object. ``name``: a field or ``record.<column>``."""

    here: Scope
    definition: ObjectDefinition
    name: str

    @property
    def field(self) -> LaneField:
        return lane_field(self.definition, self.name)

    @property
    def label(self) -> str:
        field = self.definition.fields.by_key.get(self.name)
        if field is None:
            return record_column_label(self.name.removeprefix("record."))
        return field.label.text(language()) or field.key

    @property
    def fixed(self) -> tuple[LaneValue, ...] | None:
        """All values there can be, in their order; ``None`` where the records decide."""
        field = self.definition.fields.by_key.get(self.name)
        if field is None or field.type not in FIXED_TYPES:
            return None
        if field.type == "yes_no":
            return (True, False)
        return tuple(option.key for option in field.options if not option.is_retired)

    def titles(self, values: Iterable[LaneValue]) -> Mapping[LaneValue, str]:
        """What the lanes are called that hold cards of the reader; at most one statement."""
        values = tuple(values)
        ids = {int(value) for value in values if isinstance(value, str) and value.isdecimal()}
        names: Mapping[int, str] = {}
        if self.field.type == "user":
            names = names_of_members(self.here.session, ids)
        elif self.field.type == "reference":
            names = names_of_records(self.here.session, ids)
        elif self.field.name == DEPARTMENT and ids:
            names = {node.id: node.name for node in departments(self.here.session)}
        return {value: self._title(value, names) for value in values}

    def _title(self, value: LaneValue, names: Mapping[int, str]) -> str:
        if value is None:
            return gettext("Without “%(field)s”", field=self.label)
        if isinstance(value, bool):
            return gettext("Yes") if value else gettext("No")
        if self.field.type == "choice":
            option = self.definition.fields.by_key[self.name].option(value)
            return str(local(option.label)) if option else value
        return names.get(int(value), gettext("Not available"))

    def token(self, value: LaneValue) -> str:
        """The value in an address."""
        if value is None:
            return EMPTY
        if isinstance(value, bool):
            return YES if value else NO
        return value if self.field.type == "choice" else to_public(int(value))

    def read(self, token: str) -> LaneValue:
        """The value behind a token. Errors: NotFound for what no lane can be."""
        if token == EMPTY:
            return None
        if self.field.type == "yes_no":
            if token not in (YES, NO):
                raise NotFound()
            return token == YES
        if self.field.type == "choice":
            if self.definition.fields.by_key[self.name].option(token) is None:
                raise NotFound()
            return token
        try:
            return str(from_public(token))
        except ValueError:
            raise NotFound() from None

    def condition(self, value: LaneValue) -> Condition:
        return self.field.condition(value)

    def value_of(self, card: Card) -> LaneValue:
        """In which lane a card lies."""
        if self.field.name == OWNER:
            return None if card.owner_id is None else str(card.owner_id)
        if self.field.name == DEPARTMENT:
            return None if card.department_id is None else str(card.department_id)
        value: LaneValue = card.data.get(self.name)
        return value

    def change(self, token: str) -> dict[str, Any]:
        """The values that bring a record into a lane.

        Errors: NotFound; Invalid where the field is not for changing. Whether the value fits is for whoever
        saves to say.
        """
        if self.field.name == DEPARTMENT:
            raise Invalid(BY_OWNER)
        key = self.name
        if self.field.name == OWNER:
            owner = self.definition.fields.by_role.get("owner")
            if owner is None:
                raise Invalid(LOCKED, field=self.label)
            key = owner.key
        if self.definition.fields.by_key[key].is_read_only:
            raise Invalid(LOCKED, field=self.label)
        return {key: self.read(token)}

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Lanes to choose from without dragging, as (token, name); none where there are too many."""
        values: tuple[LaneValue, ...] = self.fixed or ()
        if self.field.type == "user":
            people = active_members(self.here.session)[:MOST_CHOICES]
            return [(to_public(person.id), person.name) for person in people]
        titles = self.titles(values)
        return [(self.token(value), titles[value]) for value in values]


def lane_id(token: str) -> str:
    """The part of an element's id that names a lane: keys of options may hold anything."""
    return hashlib.blake2s(token.encode(), digest_size=6).hexdigest()


def lane_head(pipeline: Pipeline, token: str, heads: Heads) -> HeadView:
    """The figures of a lane over all open stages."""
    return replace(total_of(pipeline, heads), stage_key=f"lane-{lane_id(token)}")


def open_stages(pipeline: Pipeline) -> tuple[str, ...]:
    return tuple(stage.key for stage in pipeline.open_stages)


def offered(definition: ObjectDefinition) -> list[tuple[str, str]]:
    """By what a board can be divided, as (name, label); fields first."""
    found = [
        (field.key, field.label.text(language()) or field.key)
        for field in definition.fields
        if can_divide(definition, field.key)
    ]
    names = (DEPARTMENT,) if "owner" in definition.fields.by_role else ()
    return found + [(name, record_column_label(name.removeprefix("record."))) for name in names]
