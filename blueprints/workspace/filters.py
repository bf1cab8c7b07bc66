"""The filter builder as a page of its own and as a panel over the list (part 5)."""

from __future__ import annotations

from flask import make_response, redirect, render_template
from htmx_flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from blueprints.scope import Scope, scope
from blueprints.workspace.area import workspace
from blueprints.workspace.filter_form import FilterForm, args_of
from blueprints.workspace.filter_words import pointed_at
from blueprints.workspace.list_state import ListState, read_state
from blueprints.workspace.shown import form_context
from blueprints.workspace.subjects import subjects_of
from builder.queries.row import names_of_members, names_of_visible

APPLY = "apply"


@workspace.get("/o/<object_key>/filter")
def filter_builder(object_key: str) -> Response:
    """Show the builder; ``_filter`` is the button pressed: apply leads to the list, others change rows."""
    here = scope()
    definition = here.catalog.object(object_key)
    state = read_state(here, definition)
    form = _form(here, state, request.args)
    action = request.args.get("_filter", "")
    if action == APPLY and not form.problems:
        return _to(state.with_filter(form.condition()))
    facts = {"form": form, "definition": definition, "state": state, "told": action == APPLY}
    fragment = request.htmx and not request.htmx.boosted
    name = "fragments/filter/builder.html" if fragment else "pages/workspace/filter.html"
    return make_response(render_template(name, **facts), 422 if action == APPLY else 200)


def _form(here: Scope, state: ListState, args: MultiDict[str, str]) -> FilterForm:
    subjects = subjects_of(here, state.object_key)
    condition = state.condition
    names = members = None
    if condition is not None:
        names = names_of_visible(here.session, here.actor, pointed_at(condition, subjects, ("reference",)))
        members = names_of_members(here.session, pointed_at(condition, subjects, ("user",)))
    context = form_context(here, names, members)
    given = args if "mode" in args else args_of(condition, subjects, context)
    return FilterForm(here, state.object_key, given, subjects, context)


def _to(target: str) -> Response:
    if request.htmx and not request.htmx.boosted:
        response = make_response("", 204)
        response.headers["HX-Redirect"] = target
        return response
    return redirect(target, 303)
