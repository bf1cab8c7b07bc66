"""What the pages with a filter builder share: the form from a condition, and where applying it leads."""

from __future__ import annotations

from flask import make_response, redirect
from htmx_flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from blueprints.scope import Scope
from blueprints.workspace.filter_form import FilterForm, args_of
from blueprints.workspace.filter_words import pointed_at
from blueprints.workspace.shown import form_context
from blueprints.workspace.subjects import subjects_of
from builder.domain.conditions import Condition
from builder.queries.row import names_of_members, names_of_visible

APPLY = "apply"


def filter_form(
    here: Scope, object_key: str, condition: Condition | None, args: MultiDict[str, str]
) -> FilterForm:
    """The builder with what was built so far (``args``), at first with ``condition``."""
    subjects = subjects_of(here, object_key)
    names = members = None
    if condition is not None:
        names = names_of_visible(here.session, here.actor, pointed_at(condition, subjects, ("reference",)))
        members = names_of_members(here.session, pointed_at(condition, subjects, ("user",)))
    context = form_context(here, names, members)
    given = args if "mode" in args else args_of(condition, subjects, context)
    return FilterForm(here, object_key, given, subjects, context)


def leave_to(target: str) -> Response:
    """Lead to the page that the filter is for, by 303 or for htmx by HX-Redirect."""
    if request.htmx and not request.htmx.boosted:
        response = make_response("", 204)
        response.headers["HX-Redirect"] = target
        return response
    return redirect(target, 303)
