"""A form as JSON Schema: the stored schema of the draft out, the fields of any schema in."""

from __future__ import annotations

from flask import make_response
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.messages import message, named, told
from blueprints.scope import scope
from blueprints.studio.area import studio
from blueprints.studio.designer import KINDS, Chosen, Told, read, show
from blueprints.studio.form_edits import make, seen
from builder.errors import FunnelwrightError
from builder.forms.schema_form.form import as_own
from builder.metadata.documents import pretty
from builder.metadata.editing.fields import TakeIn
from builder.metadata.foreign.reading import MAX_BYTES
from builder.metadata.foreign.reading import read as read_schema
from builder.metadata.record_schema import complete
from builder.services import designs as services

PANEL = Chosen(panel="schema")


@studio.get("/<any(objects, forms):area>/<key>/schema.json")
def download_schema(area: str, key: str) -> Response:
    """The JSON Schema by which the draft would be stored; an independent validator judges by it as we do."""
    here = scope()
    design = read(here, area, key)
    if not design.is_sound:
        text = gettext("The schema can be downloaded when what is named here is put right.")
        return show(here, design, PANEL, Told(problems=[("", text)]), 422)
    answer = make_response(pretty(complete(design.whole_form)))
    answer.headers["Content-Type"] = "application/schema+json; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{key}.schema.json"'
    return answer


@studio.post("/<any(objects, forms):area>/<key>/schema")
def take_in_schema(area: str, key: str) -> Response:
    """Add the fields of a JSON Schema that ours can hold; those whose keys are taken stay out."""
    here = scope()
    design, mark = read(here, area, key), seen()
    try:
        own = as_own(read_schema(_text(), ""))
    except FunnelwrightError as error:
        lines = [
            ("schema", named(one.place, told(one)) if one.place else told(one)) for one in error.problems
        ]
        lines = lines or [("schema", message(error.message_key, error.values))]
        return show(here, design, PANEL, Told(problems=lines[:20], typed=request.form), 422)
    assert mark
    taken = services.field_keys_ever(here.unit_of_work(), KINDS[area], key)
    return make(here, design, TakeIn(own.document, taken), Chosen(), PANEL)


def _text() -> str:
    file = request.files.get("schema_file")
    if file is not None and file.filename:
        return file.read(MAX_BYTES + 1).decode("utf-8-sig", "replace")
    return request.form.get("schema", "")
