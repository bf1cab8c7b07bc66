"""Search over all objects: a page, and suggestions under the search box."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template, url_for
from htmx_flask import request

from blueprints.messages import local
from blueprints.scope import Scope, scope
from blueprints.workspace.area import record_address, workspace
from blueprints.workspace.record_forms import is_fragment
from builder.queries.search import Hit, search

LONGEST = 200
SHOWN = 60
SUGGESTED = 8


@dataclass(frozen=True)
class FoundGroup:
    """Records of one object. ``more``: the object's list with the same words."""

    label: str
    icon: str
    lines: tuple[tuple[Hit, str], ...]
    more: str


@workspace.get("/search", endpoint="search")
def search_page() -> str:
    here = scope()
    text = request.args.get("q", "").strip()[:LONGEST]
    fragment = is_fragment()
    groups = _found(here, text, SUGGESTED if fragment else SHOWN) if text else []
    name = "fragments/list/suggestions.html" if fragment else "pages/workspace/search.html"
    return render_template(name, text=text, groups=groups)


def _found(here: Scope, text: str, limit: int) -> list[FoundGroup]:
    groups = []
    for group in search(here.session, here.catalog, here.actor, text, limit=limit):
        definition = here.catalog.objects.get(group.object_key)
        if definition is None:
            continue
        lines = tuple((hit, record_address(hit.id)) for hit in group.hits)
        more = url_for("workspace.record_list", object_key=definition.key, q=text)
        groups.append(FoundGroup(local(definition.label_plural), definition.icon, lines, more))
    return groups
