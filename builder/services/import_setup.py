"""From a person's choices to a plan: fields for every column, the pipeline of a history, what must be asked.

``plan_import`` only reads and proposes; ``carry_out`` publishes the new fields and the pipeline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from builder.domain.fields import ObjectDefinition
from builder.errors import N_, Invalid, Problem
from builder.exchange.detection import FileFormat
from builder.exchange.mapping import suggest
from builder.exchange.moments import DateOrder
from builder.exchange.new_fields import NewField, label_of, new_field, slug
from builder.exchange.plan import ImportPlan
from builder.exchange.profile import ColumnProfile, TableProfile
from builder.exchange.units import Unit
from builder.metadata.grammar import Document
from builder.queries.record_keys import id_of_key
from builder.services.definitions import Occasion, publish
from builder.services.import_choices import Choices
from builder.services.import_history import plan_history
from builder.services.import_new_fields import with_fields
from builder.services.import_units import meanings, new_options, units
from builder.services.unit_of_work import UnitOfWork

ASK_ORDER = N_("In column %(column)s the day and the month cannot be told apart. Say which comes first.")
ASK_SERIAL = N_("In column %(column)s numbers stand for dates. Say how they are written.")
ASK_MARK = N_("In column %(column)s the point or comma may mark thousands or decimals. Say which.")
LOG_NEEDS = N_(
    "A log of visits needs three columns: what a record is known again by, its stage, and when it came there."
)
NO_ROLE_FIELD = N_("The object has no field for the owner of a record.")
_DATES = ("date", "datetime")
_NUMBERS = ("integer", "decimal", "money", "percent")
_ROLE_TYPES = {"owner": "user", "amount": "money"}


@dataclass(frozen=True)
class Proposal:
    """A plan, what must be published before it, and what only a person can decide (place: column).

    ``types``: the type of what each used column fills.
    """

    plan: ImportPlan
    new_fields: tuple[NewField, ...] = ()
    object_document: Document | None = None
    pipeline_document: Document | None = None
    questions: tuple[Problem, ...] = ()
    types: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def unpublished(self) -> dict[str, Document]:
        """The definitions that would be published, by their kind."""
        documents = {"object": self.object_document, "pipeline": self.pipeline_document}
        return {kind: document for kind, document in documents.items() if document is not None}

    def refuse_questions(self) -> None:
        """Errors: Invalid with every open question."""
        if self.questions:
            raise Invalid(N_("Something must be decided first."), problems=self.questions)


def plan_import(
    uow: UnitOfWork,
    profile: TableProfile,
    file_format: FileFormat,
    object_key: str,
    choices: Choices,
) -> Proposal:
    """What to do with a file whose columns are ``profile``.

    Errors: NotFound (object), Invalid for columns and fields that are not there and for a log that nothing
    puts in order, Conflict for a pipeline that does not fit.
    """
    definition = uow.shown.object(object_key)
    _require_columns(profile, choices)
    _require_order(choices)
    given, made = _given(definition, profile, choices)
    mapped = _mapped(profile, definition, choices, given)
    made += _new_fields(uow, profile, definition, choices, mapped, made)
    mapped |= {new.column: new.key for new in made}
    name = definition.fields.by_role.get("name")
    history, pipeline = plan_history(uow, profile, definition, choices.history)
    types = _types(definition, mapped, made, choices)
    plan = ImportPlan(
        object_key=object_key,
        format=file_format,
        mode=choices.mode,
        fields=tuple(mapped.items()),
        key_column=choices.key_column,
        name_from_key=name is not None and choices.key_column is not None and name.key not in mapped.values(),
        orders=_orders(profile, choices),
        marks={column.name: column.mark for column in profile.columns if column.mark} | dict(choices.marks),
        units=units(profile, choices, types, uow.workspace.currency),
        options=meanings(choices, mapped),
        create_users=choices.create_users,
        create_references=choices.create_references,
        known_rows=choices.known_rows,
        entry_pipeline=choices.entry_pipeline if choices.history is None else None,
        history=history,
    )
    options = new_options(definition, choices, mapped)
    document = with_fields(uow, object_key, made, options) if made or options else None
    return Proposal(plan, tuple(made), document, pipeline, tuple(_questions(profile, choices, types)), types)


def carry_out(uow: UnitOfWork, proposal: Proposal) -> ImportPlan:
    """Publish what the plan needs, in the running transaction; the plan as it can be run.

    Errors: Forbidden (making fields and pipelines is a right), Invalid when the definitions are unsound.
    """
    if documents := list(proposal.unpublished.values()):
        publish(uow, documents, Occasion("import"))
    return proposal.plan


def _require_columns(profile: TableProfile, choices: Choices) -> None:
    known = {column.name for column in profile.columns}
    history = choices.history
    named = [
        choices.key_column,
        choices.owner_column,
        choices.amount_column,
        *choices.fields,
        *choices.new_types,
    ]
    if history is not None:
        named += [history.stage_column, history.at_column, history.closed_column]
        named += [history.amount_column, history.user_column, history.status_column]
    missing = [name for name in named if name is not None and name not in known]
    if missing:
        raise Invalid(
            N_("The file has no column “%(column)s”. Its columns are: %(columns)s."),
            column=missing[0],
            columns=", ".join(sorted(known))[:500],
        )


def _require_order(choices: Choices) -> None:
    """The lines of a log belong to a record and follow each other in time."""
    history = choices.history
    if choices.mode == "log" and (choices.key_column is None or history is None or history.at_column is None):
        raise Invalid(LOG_NEEDS)


def _given(
    definition: ObjectDefinition, profile: TableProfile, choices: Choices
) -> tuple[dict[str, str], list[NewField]]:
    """Columns whose field is fixed: by a person, or by the part that the field plays."""
    given = {column: key for column, key in choices.fields.items() if key is not None}
    made: list[NewField] = []
    for role, column in (("owner", choices.owner_column), ("amount", choices.amount_column)):
        if column is None:
            continue
        known = definition.fields.by_role.get(role)
        if known is not None:
            given[column] = known.key
        elif choices.create_fields:
            key = slug(column, set(definition.fields.by_key), "field")
            document = {"x-type": _ROLE_TYPES[role], "x-label": label_of(column), "x-role": role}
            made.append(NewField(column, key, _ROLE_TYPES[role], document))
        else:
            raise Invalid(NO_ROLE_FIELD)
    return given, made


def _types(
    definition: ObjectDefinition, mapped: Mapping[str, str], made: Sequence[NewField], choices: Choices
) -> dict[str, str | None]:
    """The type of what each used column fills."""
    targets = {key: known.type for key, known in definition.fields.targets.items()}
    targets |= {new.key: new.type for new in made}
    types: dict[str, str | None] = {column: targets.get(key) for column, key in mapped.items()}
    types = {**dict.fromkeys(_moment_columns(choices), "datetime"), **types}
    if choices.history is not None and choices.history.amount_column is not None:
        types.setdefault(choices.history.amount_column, "money")
    return types


def _moment_columns(choices: Choices) -> set[str]:
    history = choices.history
    columns = (history.at_column, history.closed_column) if history else ()
    return {column for column in columns if column is not None}


def _history_columns(choices: Choices) -> set[str]:
    history = choices.history
    if history is None:
        return set()
    return {
        *_moment_columns(choices),
        history.stage_column,
        *(column for column in (history.user_column, history.status_column) if column),
    }


def _mapped(
    profile: TableProfile, definition: ObjectDefinition, choices: Choices, given: Mapping[str, str]
) -> dict[str, str]:
    left_out = {column for column, key in choices.fields.items() if key is None}
    # A column that a person gave to a field may tell a time as well.
    without = (_history_columns(choices) - set(given)) | left_out | set(choices.new_types)
    if choices.mode == "log":
        # The columns of a log tell events; only what a person names says something of the record.
        without |= {column.name for column in profile.columns} - set(given)
    found = suggest(profile, definition, given, without)
    return {
        item.column: item.field for item in found if item.field is not None and item.column not in without
    }


def _new_fields(
    uow: UnitOfWork,
    profile: TableProfile,
    definition: ObjectDefinition,
    choices: Choices,
    mapped: Mapping[str, str],
    made: Sequence[NewField],
) -> list[NewField]:
    """Fields for the columns that should become some."""
    served = {*mapped, *_history_columns(choices), *(new.column for new in made), choices.key_column}
    left_out = {column for column, key in choices.fields.items() if key is None}
    # Keys of hidden fields are taken as well.
    taken = {*uow.catalog.object(definition.key).fields.by_key, *(new.key for new in made)}
    found: list[NewField] = []
    for column in profile.columns:
        is_wanted = column.name in choices.new_types or (
            choices.create_fields and choices.mode == "rows" and column.name not in left_out
        )
        if not is_wanted or column.name in served or column.kind == "empty":
            continue
        new = new_field(
            column,
            taken,
            uow.shown.objects,
            definition.key,
            choices.new_types.get(column.name),
            keeps_unit=choices.units.get(column.name) == Unit().code,
        )
        taken.add(new.key)
        found.append(new)
    return found


def _orders(profile: TableProfile, choices: Choices) -> dict[str, DateOrder]:
    """How the dates of each column are written: as a person says, else as the values show."""
    found: dict[str, DateOrder] = {}
    for column in profile.columns:
        if column.name in choices.orders:
            found[column.name] = choices.orders[column.name]
        elif choices.order is not None and (choices.order in column.orders or not column.orders):
            found[column.name] = choices.order
        elif column.orders:
            found[column.name] = column.orders[0]
    return found


def _questions(profile: TableProfile, choices: Choices, types: Mapping[str, str | None]) -> Iterable[Problem]:
    """What the values leave open in columns that are used. ``types``: column to the type of its field."""
    is_ours = _is_export(profile)
    for column in profile.columns:
        wanted = types.get(column.name)
        if wanted in _DATES and choices.order is None and column.name not in choices.orders:
            if column.is_order_open:
                yield Problem(ASK_ORDER, column.name, {"column": column.name})
            elif not column.date_share and column.likely_order:
                yield Problem(ASK_SERIAL, column.name, {"column": column.name})
        if (
            wanted in _NUMBERS
            and column.is_mark_open
            and column.name not in choices.marks
            and not (is_ours and _has_points(column))
        ):
            yield Problem(ASK_MARK, column.name, {"column": column.name})


def _is_export(profile: TableProfile) -> bool:
    """Whether the file is an export of ours: one of its columns holds our keys."""
    return any(column.samples and all(map(id_of_key, column.samples)) for column in profile.columns)


def _has_points(column: ColumnProfile) -> bool:
    """Whether no value has a comma, as we write numbers; a program may have written them anew."""
    return column.values is not None and not any("," in value for value in column.values)
