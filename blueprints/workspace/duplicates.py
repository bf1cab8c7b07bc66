"""The worklist of pairs that look alike: search, merge, not the same, later (S121)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import make_response, render_template, url_for
from flask_babel import gettext, lazy_gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints import house
from blueprints.forms import done
from blueprints.messages import local, message
from blueprints.scope import Scope, scope
from blueprints.workspace.alike import merge_address, reason_text
from blueprints.workspace.area import record_address, workspace
from blueprints.workspace.record_forms import is_fragment
from blueprints.workspace.shown import moment
from builder.db.ids import to_public
from builder.domain.fields import ObjectDefinition
from builder.errors import N_, Forbidden, Malformed, NotFound
from builder.fieldtypes.traits import match_fields
from builder.queries.duplicates import DISTINCT, LATER, OPEN, PairRow, get_pair, latest_search, pairs
from builder.services import duplicate_search as services

RIGHT = "record.edit"
STATES = {
    OPEN: lazy_gettext("To look at"),
    LATER: lazy_gettext("Later"),
    DISTINCT: lazy_gettext("Not the same"),
}
_MOST_PAGES = 40
NO_STATE = N_("Say what is to become of the pair.")
NOT_ALL_SEEN = N_("Fields are compared here that your role does not see.")


@dataclass(frozen=True, slots=True)
class ShownPair:
    """Two records with why they look alike; ``percent``: how alike."""

    id: int
    records: tuple[tuple[str, str, str], ...]
    percent: int
    reasons: tuple[str, ...]
    merge: str


@workspace.get("/duplicates")
def duplicates() -> Response:
    """The worklist of the first object that names fields to compare by."""
    here = scope()
    here.require(RIGHT)
    objects = _objects(here)
    if not objects:
        raise NotFound()
    return _show(here, objects[0])


@workspace.get("/o/<object_key>/duplicates")
def duplicates_of(object_key: str) -> Response:
    here = scope()
    here.require(RIGHT)
    return _show(here, _compared(here, object_key))


@workspace.post("/o/<object_key>/duplicates")
def search_duplicates(object_key: str) -> Response:
    """Let the background compare all records of the object anew."""
    here = scope()
    here.require(RIGHT)
    _compared(here, object_key)
    uow = here.unit_of_work()
    search_id = services.ask(uow, object_key)
    house.queue().enqueue_duplicates(uow.session, here.workspace.key, search_id)
    uow.commit()
    house.queue().committed()
    return done(url_for("workspace.duplicates_of", object_key=object_key))


@workspace.post("/duplicates/<rid:pair_id>")
def decide_pair(pair_id: int) -> Response:
    """``state``: *distinct* (never shown again until one of them changes), *later*, or *open* again."""
    here = scope()
    here.require(RIGHT)
    object_key, _one, _other = get_pair(here.session, here.actor, pair_id)
    _compared(here, object_key)
    state = request.form.get("state", "")
    if state not in STATES:
        raise Malformed(NO_STATE)
    uow = here.unit_of_work()
    services.decide(uow, pair_id, state)
    uow.commit()
    shown = request.form.get("shown", OPEN)
    target = url_for(
        "workspace.duplicates_of", object_key=object_key, state=shown if shown in STATES else OPEN
    )
    return done(target)


def may_search(here: Scope) -> bool:
    """Whether the sidebar leads here."""
    return here.actor.can(RIGHT) and bool(_objects(here))


def _objects(here: Scope) -> list[ObjectDefinition]:
    return [each for each in here.catalog.objects.values() if match_fields(each) and _sees_all(here, each)]


def _sees_all(here: Scope, definition: ObjectDefinition) -> bool:
    """Whether the reader sees all fields that are compared: that two records are a pair, how alike they are
    and that they are none would tell about the others (S118).
    """
    whole = match_fields(here.whole_catalog.object(definition.key))
    return all(field.key in definition.fields.by_key for field in whole)


def _compared(here: Scope, object_key: str) -> ObjectDefinition:
    """Errors: NotFound; Forbidden where fields are compared that the reader does not see."""
    definition = here.catalog.object(object_key)
    if not _sees_all(here, definition):
        raise Forbidden(NOT_ALL_SEEN)
    return definition


def _show(here: Scope, definition: ObjectDefinition) -> Response:
    state = request.args.get("state", OPEN)
    if state not in STATES:
        state = OPEN
    text = request.args.get("page", "1")
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 1
    number = min(max(number, 1), _MOST_PAGES)
    search = latest_search(here.session, definition.key)
    found = pairs(here.session, here.actor, definition.key, state, number)
    facts: dict[str, Any] = {
        "definition": definition,
        "objects": [
            (local(each.label_plural), each.key, each.key == definition.key) for each in _objects(here)
        ],
        "states": [(key, label, key == state) for key, label in STATES.items()],
        "state": state,
        "pairs": [_shown(definition, pair) for pair in found.pairs],
        "count": found.count,
        "page": number,
        "has_more": found.has_more and number < _MOST_PAGES,
        "search": search,
        "searched": moment(search.finished_at) if search and search.finished_at else "",
        "problem": message(search.problem["message"], search.problem["values"])
        if search and search.problem
        else "",
        "keys": [local(field.label) for field in match_fields(definition)],
    }
    name = "fragments/list/duplicates.html" if is_fragment() else "pages/workspace/duplicates.html"
    return make_response(render_template(name, **facts))


def _shown(definition: ObjectDefinition, pair: PairRow) -> ShownPair:
    ids = (pair.one_id, pair.other_id)
    return ShownPair(
        pair.id,
        tuple(
            (name or to_public(record_id), record_address(record_id), owner)
            for record_id, name, owner in zip(ids, pair.names, pair.owners, strict=True)
        ),
        pair.percent,
        tuple(reason_text(definition, *reason) for reason in pair.reasons)
        or (gettext("everything that is compared is the same"),),
        merge_address(definition.key, *ids),
    )
