"""The filter builder as a page of its own and as a panel over the list (part 5)."""

from __future__ import annotations

from flask import make_response, render_template
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.scope import scope
from blueprints.workspace.area import workspace
from blueprints.workspace.filter_builder import APPLY, filter_form, leave_to
from blueprints.workspace.list_state import read_state


@workspace.get("/o/<object_key>/filter")
def filter_builder(object_key: str) -> Response:
    """Show the builder; ``_filter`` is the button pressed: apply leads to the list, others change rows."""
    here = scope()
    definition = here.catalog.object(object_key)
    state = read_state(here, definition)
    form = filter_form(here, state.object_key, state.condition, request.args)
    action = request.args.get("_filter", "")
    if action == APPLY and not form.problems:
        return leave_to(state.with_filter(form.condition()))
    facts = {"form": form, "definition": definition, "state": state, "told": action == APPLY}
    fragment = request.htmx and not request.htmx.boosted
    name = "fragments/filter/builder.html" if fragment else "pages/workspace/filter.html"
    return make_response(render_template(name, **facts), 422 if action == APPLY else 200)
