"""Which records of a list something is done to: the ticked ones, or all that the list has (B24)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import flash, redirect, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints import house
from blueprints.forms import done, show_form
from blueprints.messages import local, message, named, told
from blueprints.scope import Scope
from blueprints.workspace.list_state import ListState, read_state
from builder.db.ids import from_public, to_public
from builder.domain.conditions import to_document
from builder.domain.fields import ObjectDefinition
from builder.errors import N_, Conflict, FunnelwrightError, Invalid, Malformed, Problem
from builder.queries.row import names_of_visible
from builder.services import bulk_runs
from builder.services.bulk import MOST_RECORDS, NONE_CHOSEN, BulkResult, Chosen, do_to_many
from builder.services.bulk_acts import Act
from builder.services.bulk_runs import Everything

NAMED = 10
BAD_LIST = N_("This filter cannot be used, so nothing was done.")
_LONGEST_ROW = 40
_DIGITS = 12


@dataclass(frozen=True)
class Selection:
    """``chosen``: ticked rows; ``everything``: all that the list of ``state`` has, instead of them."""

    state: ListState
    chosen: tuple[Chosen, ...] = ()
    everything: Everything | None = None

    @property
    def count(self) -> int:
        return self.everything.count if self.everything else len(self.chosen)

    @property
    def is_large(self) -> bool:
        """Whether the background does it."""
        return self.everything is not None and self.count > bulk_runs.AT_ONCE

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the form sends again."""
        if self.everything is None:
            return [("row", f"{to_public(one.record_id)}:{one.revision}") for one in self.chosen]
        return [("every", "1"), ("count", str(self.count)), *self.state.args().items()]


def read_selection(here: Scope, definition: ObjectDefinition, args: Any) -> Selection:
    """What an address or a form names; in a form ``count`` says how many the person saw.

    Errors: Malformed for marks of rows that are none, Invalid for a filter that cannot be used, NotFound for
    a view that is not there.
    """
    if "every" not in args:
        return Selection(ListState(definition.key), tuple(_chosen(args.getlist("row"))))
    state = read_state(here, definition, args)
    if state.problems:
        raise Invalid(BAD_LIST, problems=tuple(Problem(BAD_LIST, "") for _ in state.problems[:1]))
    condition = None if state.condition is None else to_document(state.condition)
    everything = Everything(definition.key, condition, state.query, state.pipeline)
    if request.method == "POST":
        return Selection(state, everything=replace(everything, count=_sent_count(args.get("count", ""))))
    return recounted(here, Selection(state, everything=everything))


def recounted(here: Scope, selection: Selection) -> Selection:
    """The same with as many as there are now."""
    if selection.everything is None:
        return selection
    count = selection.everything.matching(here.unit_of_work()).count()
    return replace(selection, everything=replace(selection.everything, count=count))


def _sent_count(text: str) -> int:
    """Errors: Malformed when it is no number."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        raise Malformed(NONE_CHOSEN)
    return int(text)


def _chosen(texts: list[str]) -> list[Chosen]:
    """Ticked rows, each ``<id>:<revision>``. Errors: Malformed for anything else."""
    found: dict[int, Chosen] = {}
    for text in texts[: MOST_RECORDS + 1]:
        name, _, revision = text[:_LONGEST_ROW].partition(":")
        try:
            one = Chosen(from_public(name), int(revision))
        except ValueError as error:
            raise Malformed(NONE_CHOSEN) from error
        found[one.record_id] = one
    return list(found.values())


def none_chosen(object_key: str) -> Response:
    flash(gettext("Tick the records first."), "warning")
    return redirect(url_for("workspace.record_list", object_key=object_key), 303)


Show = Callable[..., Response]


def perform(here: Scope, selection: Selection, act: Act, show: Show, *, asks_first: bool = False) -> Response:
    """Do it, or hand it to the background, and lead to the page of the batch.

    ``show`` answers with the form again: (selection, status=…, problems=…, refused=…).
    """
    uow = here.unit_of_work()
    options = {"is_all_or_nothing": "all" in request.form}
    try:
        if selection.everything and selection.is_large:
            batch_id = bulk_runs.queue(uow, selection.everything, act, **options)
            house.queue().enqueue_bulk(uow.session, here.workspace.key, batch_id)
        else:
            options["asks_first"] = asks_first
            result = _at_once(here, uow, selection, act, options)
            if result.batch_id is None:
                return show(selection, status=422, refused=result)
            batch_id = result.batch_id
    except FunnelwrightError as error:
        uow.rollback()
        selection = recounted(here, selection) if isinstance(error, Conflict) else selection
        return show(selection, status=error.status, problems=[("", message(error.message_key, error.values))])
    uow.commit()
    if selection.is_large:
        house.queue().committed()
    return done(url_for("workspace.batch", batch_id=batch_id))


def _at_once(here: Scope, uow: Any, selection: Selection, act: Act, options: dict[str, bool]) -> BulkResult:
    if selection.everything:
        return bulk_runs.do_to_all(uow, selection.everything, act, **options)
    return do_to_many(uow, selection.state.object_key, selection.chosen, act, **options)


def show_selection(
    name: str,
    here: Scope,
    definition: ObjectDefinition,
    selection: Selection,
    *,
    status: int = 200,
    problems: list[tuple[str, str]] | None = None,
    refused: BulkResult | None = None,
    **facts: Any,
) -> Response:
    """The page of one of the acts; ``refused``: why nothing was done."""
    ids = [one.record_id for one in selection.chosen[:NAMED]]
    if selection.everything:
        ids = list(selection.everything.matching(here.unit_of_work()).ids(NAMED))
    names = names_of_visible(here.session, here.actor, ids)
    return show_form(
        f"pages/workspace/{name}.html",
        status=status,
        fragment=f"fragments/list/{name}.html",
        definition=definition,
        selection=selection,
        names=[names[record_id] for record_id in ids if record_id in names],
        is_all="all" in request.form,
        back=selection.state.address(),
        most_whole=bulk_runs.MOST_WHOLE,
        problems=problems or [],
        refused=_told(definition, refused),
        unconfirmed=refused is not None and any(one.is_confirmable for one in refused.refused),
        **facts,
    )


def _told(definition: ObjectDefinition, result: BulkResult | None) -> list[tuple[int, str, str]]:
    """Why records are refused, each reason with the field that it is about."""
    fields, found = definition.fields.by_key, []
    for one in result.refused if result else ():
        for problem in one.problems:
            field = fields.get(problem.place.removeprefix("/").partition("/")[0])
            name = local(field.label) if field else ""
            found.append((one.record_id, one.name, named(name, told(problem))))
    return found
