"""Search as you type for fields that refer to records or people."""

from __future__ import annotations

from flask import render_template
from htmx_flask import request

from blueprints.scope import scope
from blueprints.workspace.area import workspace
from blueprints.workspace.shown import member_candidates, record_candidates

LONGEST = 200


@workspace.get("/lookup/records/<object_key>")
def find_records(object_key: str) -> str:
    """What the typed text may mean among records of an object that the reader sees."""
    here = scope()
    here.catalog.object(object_key)
    text = request.args.get("q", "")[:LONGEST]
    return render_template(
        "fragments/field/candidates.html", candidates=record_candidates(here, object_key, text)
    )


@workspace.get("/lookup/people")
def find_people() -> str:
    here = scope()
    text = request.args.get("q", "")[:LONGEST]
    return render_template("fragments/field/candidates.html", candidates=member_candidates(here, text))
