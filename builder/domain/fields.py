"""What the admin invents: objects, their fields, the rules between fields, and how a form lays them out.

Compiled from documents by ``builder.metadata.compiler``; frozen, so a compiled object may be shared
between requests (idea 2 of design.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias

from builder.domain.assignment import Assignment
from builder.domain.computation import Computation
from builder.domain.conditions import Condition
from builder.domain.labels import Label
from builder.domain.layouts import Layout, Section, Viewpoint, first_serving

JsonValue: TypeAlias = "bool | int | float | str | list[Any] | dict[str, Any] | None"
HiddenPolicy: TypeAlias = Literal["keep", "clear"]
RuleEffect: TypeAlias = Literal["show", "require", "read_only", "options"]

# Roles: which field fills which typed column of a record (design.md §4).
FIELD_ROLES = (
    "name",
    "number",
    "amount",
    "currency",
    "expected_close",
    "probability",
    "forecast_category",
    "owner",
    "source",
    "account",
    "happened_at",
    "channel",
    "average_cycle",
    "reminder_days",
)


@dataclass(frozen=True, slots=True)
class Option:
    """One choice. ``is_retired``: kept on old records, not offered to new ones."""

    key: str
    label: Label
    color: str = ""
    is_retired: bool = False


@dataclass(frozen=True)
class FieldDefinition:
    """One field of an object, of a feedback form or of a table of rows.

    ``type`` names a class in ``builder.fieldtypes.registry``; ``params`` holds what only that type
    understands (``min``, ``max``, ``max_length``, ``scale``, ``currency``, ``target``, ``formula``,
    ``columns`` and ``parts`` as tuples of FieldDefinition …). ``slot`` is the typed column of ``record`` that
    a filterable field is copied into (``t01``–``t20`` text, ``n01``–``n20`` number), or ``None``.
    ``hidden`` says what happens to the value when a rule hides the field: kept or cleared.
    """

    key: str
    type: str
    label: Label
    help: Label = Label(())
    role: str | None = None
    is_required: bool = False
    is_read_only: bool = False
    is_filterable: bool = False
    slot: str | None = None
    default: JsonValue = None
    options: tuple[Option, ...] = ()
    hidden: HiddenPolicy = "keep"
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def inner(self) -> tuple[FieldDefinition, ...]:
        """The fields inside this one: columns of a table, parts of a group."""
        found: tuple[FieldDefinition, ...] = self.params.get("columns") or self.params.get("parts") or ()
        return found

    def option(self, key: str) -> Option | None:
        return next((option for option in self.options if option.key == key), None)


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition with an effect on fields (``x-rules`` of a schema).

    show: the targets are visible only while ``when`` holds. require: they are required while it
    holds. read_only: they may not be changed while it holds. options: while it holds, the one
    target offers only ``options``.
    """

    effect: RuleEffect
    targets: tuple[str, ...]
    when: Condition
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class FieldSet:
    """The fields of one object, feedback form or task: definitions, rules, layout and JSON Schema.

    ``schema`` is the complete JSON Schema 2020-12 document (rules compiled into ``if``/``then``): an
    independent validator reaches our verdict with it. ``checksum`` identifies the content; every
    cache is keyed by it. ``layouts``: other ways to lay it out, the first that serves somebody decides.
    """

    fields: tuple[FieldDefinition, ...]
    rules: tuple[Rule, ...]
    sections: tuple[Section, ...]
    schema: Mapping[str, Any]
    checksum: str
    layouts: tuple[Layout, ...] = ()

    @cached_property
    def by_key(self) -> Mapping[str, FieldDefinition]:
        return {definition.key: definition for definition in self.fields}

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys of all fields; asked for every record that is written."""
        return frozenset(self.by_key)

    @cached_property
    def _laid_out(self) -> Mapping[str, FieldSet]:
        return {one.key: replace(self, sections=one.sections) for one in self.layouts}

    def laid_out(self, layout_key: str) -> FieldSet:
        """The same fields, laid out so; what stands in no section stays what it is. Errors: KeyError."""
        return self._laid_out[layout_key]

    def seen_from(self, view: Viewpoint) -> FieldSet:
        """The same fields, laid out for somebody."""
        layout = first_serving(self.layouts, view) if self.layouts else None
        return self if layout is None else self.laid_out(layout.key)

    @cached_property
    def targets(self) -> Mapping[str, FieldDefinition]:
        """What a column of a file may fill, by name: every field, and parts of groups as ``place.city``."""
        found = dict(self.by_key)
        for group in self.fields:
            for part in group.params.get("parts", ()):
                if not part.inner:
                    found[f"{group.key}.{part.key}"] = _as_target(group, part)
        return found

    @cached_property
    def _by_type(self) -> Mapping[str, tuple[FieldDefinition, ...]]:
        found: dict[str, tuple[FieldDefinition, ...]] = {}
        for definition in self.fields:
            found[definition.type] = (*found.get(definition.type, ()), definition)
        return found

    def of_type(self, *types: str) -> tuple[FieldDefinition, ...]:
        """The fields of these types; asked for every record that is written."""
        return tuple(field for key in types for field in self._by_type.get(key, ()))

    @cached_property
    def pointing(self) -> tuple[FieldDefinition, ...]:
        """The fields that may name records or people, tables and groups that hold such fields among them."""
        return tuple(filter(_may_point, self.fields))

    @cached_property
    def by_role(self) -> Mapping[str, FieldDefinition]:
        return {definition.role: definition for definition in self.fields if definition.role}

    @cached_property
    def slotted(self) -> tuple[tuple[FieldDefinition, str], ...]:
        """The filterable fields, each with its slot."""
        return tuple((field, field.slot) for field in self.fields if field.slot is not None)

    @cached_property
    def computation(self) -> Computation:
        """All formulas of the form. Errors: FormulaError when they cannot be computed."""
        return Computation.of(self.fields)

    def __iter__(self) -> Iterator[FieldDefinition]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)


def _may_point(field: FieldDefinition) -> bool:
    return field.type in ("reference", "user") or any(map(_may_point, field.inner))


def _as_target(group: FieldDefinition, part: FieldDefinition) -> FieldDefinition:
    """A part under its full name and label; ``part_of`` names the type of its group."""
    locales = dict.fromkeys(locale for locale, _ in (*group.label.translations, *part.label.translations))
    label = Label.of({name: f"{group.label.text(name)}: {part.label.text(name)}" for name in locales})
    key = f"{group.key}.{part.key}"
    return replace(part, key=key, label=label, params={**part.params, "part_of": group.type})


@dataclass(frozen=True)
class Conversion:
    """How a record of this object becomes records of others (lead → opportunity, S26).

    ``targets``: ordered (object key, mapping of target field to source field) pairs; ``pipeline``
    holds the pipeline key the main target enters; ``main`` its object key. ``is_automatic``: it happens by
    itself when a record is won (S21).
    """

    main: str
    pipeline: str
    targets: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    is_automatic: bool = False


@dataclass(frozen=True)
class ObjectDefinition:
    """A kind of record that the admin invented, one live version of it (idea 2).

    ``document``: what it was compiled from; a reader from whom fields are hidden gets it compiled without
    them (``metadata.field_rights``).
    """

    key: str
    label: Label
    label_plural: Label
    icon: str
    color: str
    fields: FieldSet
    list_columns: tuple[str, ...]
    list_sort: tuple[str, ...]
    search_fields: tuple[str, ...]
    duplicate_keys: tuple[str, ...]
    version_id: int
    number: int
    checksum: str
    conversion: Conversion | None = None
    assignment: Assignment = field(default_factory=Assignment)
    position: int = 0
    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
