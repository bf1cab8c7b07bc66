"""Mappings of columns kept under a name: saved with an import, taken again for the next such file (S25).

They belong to the workspace and an object. Whoever may import may use, rename and delete them; what they
would do beyond the rights of whoever uses them is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, select, update

from builder.db.ids import new_id
from builder.db.imports import ImportMapping
from builder.domain.fields import ObjectDefinition
from builder.errors import N_, Conflict, Invalid, NotFound, Problem, Stale
from builder.exchange.plan import BY_RULES
from builder.exchange.profile import TableProfile
from builder.services.import_choices import NEW_OPTION, Choices
from builder.services.import_history import find_pipeline
from builder.services.import_setup import Proposal
from builder.services.unit_of_work import UnitOfWork

LONGEST_NAME = 100
# Of one object; the page lists them all.
MOST_MAPPINGS = 200
NOT_SAVED = N_("The mapping was not saved.")
NAME_MISSING = N_("Give the mapping a name.")
NAME_LONG = N_("The name may have at most %(most)s characters.")
NAME_TAKEN = N_("There is already a mapping called “%(name)s”.")
NAME_UNREADABLE = N_("The name contains characters that cannot be stored.")
TOO_MANY = N_("There are %(most)s mappings already. Delete one first.")
UNKNOWN = N_("There is no mapping “%(name)s” for these records.")


def columns_key(columns: Iterable[str]) -> str:
    """A digest by which files of the same headers find each other; their order does not matter."""
    return hashlib.sha256("\n".join(sorted(columns)).encode()).hexdigest()


def save_mapping(
    uow: UnitOfWork,
    object_key: str,
    name: str,
    profile: TableProfile,
    choices: Choices,
    proposal: Proposal,
) -> int:
    """Keep what was chosen for a file; one of the same name is replaced. Its id.

    Errors: Forbidden, NotFound (object), Invalid with the problem of the name (place ``name``).
    """
    uow.require("import")
    uow.catalog.object(object_key)
    name = _name(name)
    uow.begin()
    columns = list(profile.headers)
    facts: dict[str, Any] = {
        "name": name,
        "columns": columns,
        "columns_key": columns_key(columns),
        "document": {
            "choices": replace(choices, fields=_all_fields(choices, proposal)).to_document(),
            "made": {new.column: new.key for new in proposal.new_fields},
        },
        "updated_at": uow.clock.now(),
    }
    same = _called(uow, object_key, name)
    mapping_id = new_id() if same is None else same
    if same is None:
        _require_room(uow, object_key)
        uow.session.add(
            ImportMapping(
                workspace_id=uow.workspace.id,
                id=mapping_id,
                object_key=object_key,
                created_at=uow.clock.now(),
                created_by=uow.actor.member_id or None,
                **facts,
            )
        )
        uow.session.flush()
    else:
        _change(uow, mapping_id, facts)
    _log(uow, "saved", object_key, mapping_id, name)
    return mapping_id


def rename_mapping(uow: UnitOfWork, mapping_id: int, name: str, revision: int) -> None:
    """Errors: Forbidden, NotFound, Stale, Invalid with the problem of the name (place ``name``)."""
    uow.begin()
    object_key, _ = _seen(uow, mapping_id, revision)
    name = _name(name)
    if _called(uow, object_key, name) not in (None, mapping_id):
        raise Invalid(NOT_SAVED, problems=(Problem(NAME_TAKEN, "name", {"name": name}),))
    _change(uow, mapping_id, {"name": name, "updated_at": uow.clock.now()})
    _log(uow, "renamed", object_key, mapping_id, name)


def delete_mapping(uow: UnitOfWork, mapping_id: int, revision: int) -> None:
    """Errors: Forbidden, NotFound, Stale."""
    uow.begin()
    object_key, name = _seen(uow, mapping_id, revision)
    uow.session.execute(delete(ImportMapping).where(ImportMapping.id == mapping_id))
    _log(uow, "deleted", object_key, mapping_id, name)


def find_mapping(uow: UnitOfWork, object_key: str, name: str) -> int:
    """The id of the mapping of that name. Errors: Forbidden, NotFound."""
    uow.require("import")
    found = _called(uow, object_key, " ".join(name.split()))
    if found is None:
        raise NotFound(UNKNOWN, name=name[:LONGEST_NAME])
    return found


def mapping_choices(
    uow: UnitOfWork, mapping_id: int, profile: TableProfile, definition: ObjectDefinition
) -> Choices:
    """What a mapping says for this file: what is gone since (columns, fields, pipelines) is left out.

    Errors: Forbidden, NotFound.
    """
    uow.require("import")
    document = uow.session.scalar(
        select(ImportMapping.document).where(
            ImportMapping.id == mapping_id, ImportMapping.object_key == definition.key
        )
    )
    if document is None:
        raise NotFound()
    return _usable(uow, Choices.from_document(document["choices"]), document["made"], profile, definition)


def _usable(
    uow: UnitOfWork, said: Choices, made: dict[str, str], profile: TableProfile, definition: ObjectDefinition
) -> Choices:
    headers = set(profile.headers)
    joins = tuple(join for join in said.joins if headers.issuperset(join.columns))
    there = headers | {join.name for join in joins}
    targets = definition.fields.targets
    # What was a new field then is there now, unless the import never ran.
    fields = {
        column: key if key in targets else None for column, key in said.fields.items() if column in there
    }
    fields |= {column: key for column, key in made.items() if column in there and key in targets}
    new_types = {
        column: kind
        for column, kind in said.new_types.items()
        if column in there and fields.get(column) is None and uow.actor.can("definitions.edit")
    }
    pipelines = {BY_RULES, *(pipeline.key for pipeline in uow.catalog.pipelines_of(definition.key))}
    return replace(
        said,
        fields={column: key for column, key in fields.items() if column not in new_types},
        new_types=new_types,
        key_column=said.key_column if said.key_column in there else None,
        orders={column: order for column, order in said.orders.items() if column in there},
        marks={column: mark for column, mark in said.marks.items() if column in there},
        units={column: code for column, code in said.units.items() if column in there},
        options={
            column: _options(definition, fields.get(column), texts) for column, texts in said.options.items()
        },
        joins=joins,
        create_users=said.create_users and uow.actor.can("members.edit"),
        entry_pipeline=said.entry_pipeline if said.entry_pipeline in pipelines else None,
        history=said.history if _has_history(uow, said, there) else None,
    )


def _options(definition: ObjectDefinition, key: str | None, texts: Mapping[str, str]) -> dict[str, str]:
    """What texts mean, as far as the field still has these options."""
    field = definition.fields.targets.get(key or "")
    return {
        text: option
        for text, option in texts.items()
        if field is not None and (option in ("", NEW_OPTION) or field.option(option) is not None)
    }


def _has_history(uow: UnitOfWork, said: Choices, there: set[str]) -> bool:
    history = said.history
    if history is None or not uow.actor.can("load_history"):
        return False
    named: Sequence[str | None] = (
        history.stage_column, history.status_column, history.at_column, history.closed_column
    )  # fmt: skip
    known = find_pipeline(uow.catalog.pipelines.values(), history.pipeline)
    return all(name is None or name in there for name in named) and (history.create or known is not None)


def _all_fields(choices: Choices, proposal: Proposal) -> dict[str, str | None]:
    """The field of every column, also where nobody had to say it."""
    made = {new.column for new in proposal.new_fields}
    suggested = {column: key for column, key in proposal.plan.fields if column not in made}
    return {**suggested, **choices.fields}


def _name(text: str) -> str:
    """Errors: Invalid."""
    name = " ".join(text.split())
    problem = None
    if not name:
        problem = Problem(NAME_MISSING, "name")
    elif "\x00" in name or any("\ud800" <= character <= "\udfff" for character in name):
        problem = Problem(NAME_UNREADABLE, "name")
    elif len(name) > LONGEST_NAME:
        problem = Problem(NAME_LONG, "name", {"most": LONGEST_NAME})
    if problem is not None:
        raise Invalid(NOT_SAVED, problems=(problem,))
    return name


def _called(uow: UnitOfWork, object_key: str, name: str) -> int | None:
    """The mapping of that name, whatever its capitals."""
    rows = uow.session.execute(
        select(ImportMapping.id, ImportMapping.name).where(ImportMapping.object_key == object_key)
    )
    return next((row.id for row in rows if row.name.casefold() == name.casefold()), None)


def _require_room(uow: UnitOfWork, object_key: str) -> None:
    """Errors: Conflict."""
    known = uow.session.scalars(select(ImportMapping.id).where(ImportMapping.object_key == object_key)).all()
    if len(known) >= MOST_MAPPINGS:
        raise Conflict(TOO_MANY, most=MOST_MAPPINGS)


def _seen(uow: UnitOfWork, mapping_id: int, revision: int) -> tuple[str, str]:
    """Object and name of the mapping, locked, as the person saw it. Errors: Forbidden, NotFound, Stale."""
    uow.require("import")
    row = uow.session.execute(
        select(ImportMapping.object_key, ImportMapping.name, ImportMapping.revision)
        .where(ImportMapping.id == mapping_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound()
    if row.revision != revision:
        raise Stale()
    return row.object_key, row.name


def _change(uow: UnitOfWork, mapping_id: int, facts: dict[str, Any]) -> None:
    uow.session.execute(
        update(ImportMapping)
        .where(ImportMapping.id == mapping_id)
        .values(**facts, revision=ImportMapping.revision + 1)
        .execution_options(synchronize_session=False)
    )


def _log(uow: UnitOfWork, what: str, object_key: str, mapping_id: int, name: str) -> None:
    uow.log(
        f"import_mapping.{what}", object_key=object_key, data={"mapping_id": str(mapping_id), "name": name}
    )
