"""The mappings of columns that were kept under a name: listed, renamed, deleted."""

from __future__ import annotations

from flask import make_response, render_template, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done
from blueprints.messages import message, told
from blueprints.revisions import sent_revision
from blueprints.scope import scope
from blueprints.workspace.imports import imports
from builder.errors import Invalid, Stale
from builder.queries.import_mappings import mappings
from builder.services import import_mappings as services


@imports.get("/mappings")
def mapping_list() -> Response:
    """All mappings of the workspace."""
    return _show()


@imports.post("/mappings/<rid:mapping_id>")
def rename_mapping(mapping_id: int) -> Response:
    """Give a mapping another name."""
    uow, name = scope().unit_of_work(), request.form.get("name", "")
    try:
        services.rename_mapping(uow, mapping_id, name, sent_revision())
    except Invalid as error:
        uow.rollback()
        return _show(mapping_id, name, told(error.problems[0]), error.status)
    except Stale as error:
        uow.rollback()
        return _show(mapping_id, name, message(error.message_key, error.values), error.status)
    uow.commit()
    return done(url_for("imports.mapping_list"), gettext("The mapping has a new name."))


@imports.post("/mappings/<rid:mapping_id>/delete")
def delete_mapping(mapping_id: int) -> Response:
    """Delete a mapping; imports that used it stay as they are."""
    uow = scope().unit_of_work()
    services.delete_mapping(uow, mapping_id, sent_revision())
    uow.commit()
    return done(url_for("imports.mapping_list"), gettext("The mapping is deleted."))


def _show(mapping_id: int = 0, typed: str = "", problem: str = "", status: int = 200) -> Response:
    here = scope()
    objects = {key: known.label_plural for key, known in here.catalog.objects.items()}
    html = render_template(
        "pages/imports/mappings.html",
        mappings=mappings(here.session),
        objects=objects,
        wrong=mapping_id,
        typed=typed,
        problem=problem,
    )
    return make_response(html, status)
