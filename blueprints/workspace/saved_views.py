"""Saving, changing and deleting views of a list."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.messages import local, told
from blueprints.once import sent_posting
from blueprints.revisions import sent_revision
from blueprints.scope import Scope, scope
from blueprints.system import translated
from blueprints.workspace.area import workspace
from blueprints.workspace.list_columns import arranged, place_of
from blueprints.workspace.list_state import ListState, read_state
from builder.db.ids import to_public
from builder.domain.conditions import to_document
from builder.errors import Invalid, Stale
from builder.queries.arrangements import arrangement
from builder.queries.saved_views import get_saved_view
from builder.services import postings
from builder.services import views as services
from builder.services.views import SaveView


@workspace.post("/o/<object_key>/views")
def add_view(object_key: str) -> Response:
    """Save what the list shows now under a name."""
    here = scope()
    definition = here.catalog.object(object_key)
    state = read_state(here, definition, request.form)
    if state.problems:
        return _again(here, state, [("", text) for text in state.problems])
    uow = here.unit_of_work()
    try:
        wanted = _wanted(here, state)
        view_id = postings.once(uow, sent_posting(), lambda: services.save_view(uow, wanted))
    except Invalid as error:
        uow.rollback()
        return _again(here, state, _problems(error))
    uow.commit()
    return done(_list_of(object_key, view_id), gettext("The view is saved."))


@workspace.post("/views/<rid:view_id>")
def change_view(view_id: int) -> Response:
    """Rename, share or not, and remember what the list shows now."""
    here = scope()
    stored = get_saved_view(here.session, here.actor, view_id)
    state, seen = read_state(here, here.catalog.object(stored.object_key), request.form), sent_revision()
    if state.problems:
        return _again(here, state, [("", text) for text in state.problems], view_id, seen)
    uow = here.unit_of_work()
    try:
        services.save_view(uow, _wanted(here, state, view_id, seen))
    except Stale as error:
        uow.rollback()
        now = get_saved_view(here.session, here.actor, view_id).revision
        return _again(
            here, state, [("", translated(error.message_key, error.values))], view_id, now, error.status
        )
    except Invalid as error:
        uow.rollback()
        return _again(here, state, _problems(error), view_id, seen)
    uow.commit()
    return done(_list_of(stored.object_key, view_id), gettext("The view is saved."))


@workspace.post("/views/<rid:view_id>/delete")
def delete_view(view_id: int) -> Response:
    here = scope()
    object_key = get_saved_view(here.session, here.actor, view_id).object_key
    uow = here.unit_of_work()
    services.delete_view(uow, view_id, sent_revision())
    uow.commit()
    return done(url_for("workspace.record_list", object_key=object_key), gettext("The view is deleted."))


def _wanted(
    here: Scope, state: ListState, view_id: int | None = None, revision: int | None = None
) -> SaveView:
    kept = arrangement(here.session, here.actor, place_of(state.object_key, state.view))
    state = arranged(here.catalog.object(state.object_key), state, kept)
    return SaveView(
        object_key=state.object_key,
        name=request.form.get("name", ""),
        columns=state.columns,
        sort=state.sort,
        filter=None if state.condition is None else to_document(state.condition),
        pipeline=state.pipeline,
        group=state.group,
        widths=state.widths,
        is_shared="shared" in request.form,
        view_id=view_id,
        revision=revision,
    )


def _list_of(object_key: str, view_id: int) -> str:
    return url_for("workspace.record_list", object_key=object_key, view=to_public(view_id))


def _problems(error: Invalid) -> list[tuple[str, str]]:
    return [("view-name" if problem.place == "name" else "", told(problem)) for problem in error.problems]


def _again(
    here: Scope,
    state: ListState,
    problems: list[tuple[str, str]],
    view_id: int | None = None,
    revision: int | None = None,
    status: int = 422,
) -> Response:
    """The form with what was typed, and what is wrong with it."""
    definition = here.catalog.object(state.object_key)
    facts: dict[str, Any] = {
        "definition": definition,
        "title": local(definition.label_plural),
        "state": state,
        "problems": problems,
        "revision": revision,
        "name": request.form.get("name", ""),
        "is_shared": "shared" in request.form,
        "may_share": here.actor.can("view.share"),
        "address": url_for("workspace.change_view", view_id=view_id)
        if view_id
        else url_for("workspace.add_view", object_key=state.object_key),
    }
    return show_form(
        "pages/workspace/view.html", fragment="fragments/list/view_form.html", status=status, **facts
    )
