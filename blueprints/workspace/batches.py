"""What was done to many records at once, how far it is, and the way back (B24)."""

from __future__ import annotations

from flask import make_response, render_template, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints import house
from blueprints.forms import done
from blueprints.messages import local, message, named
from blueprints.scope import Scope, scope
from blueprints.workspace.area import workspace
from builder.domain.fields import ObjectDefinition
from builder.domain.labels import Label
from builder.queries.batches import BatchRow, Refused, find_batch
from builder.services import bulk_runs
from builder.services.batches import undo_right


@workspace.get("/batches/<rid:batch_id>")
def batch(batch_id: int) -> Response:
    """What was done, to which records not and why, and the button that takes it back."""
    here = scope()
    found = find_batch(here.session, here.actor, batch_id)
    definition = here.catalog.objects.get(found.object_key)
    is_fragment = request.htmx and not request.htmx.boosted
    name = "fragments/list/batch.html" if is_fragment else "pages/workspace/batch.html"
    return make_response(
        render_template(
            name,
            batch=found,
            definition=definition,
            refused=[(item.record_id, item.name, _reason(definition, item)) for item in found.refused],
            problem=message(found.problem["message"], found.problem["values"]) if found.problem else "",
            can_undo=_may_undo(here, found),
            can_stop=found.state in ("queued", "running"),
        )
    )


@workspace.post("/batches/<rid:batch_id>/undo")
def undo_batch(batch_id: int) -> Response:
    """Undo a small one at once, a large one in the background."""
    here = scope()
    uow = here.unit_of_work()
    find_batch(here.session, here.actor, batch_id)
    is_large = bulk_runs.ask_undo(uow, batch_id)
    if is_large:
        house.queue().enqueue_bulk_undo(uow.session, here.workspace.key, batch_id)
    uow.commit()
    if is_large:
        house.queue().committed()
    text = "" if is_large else gettext("It was taken back.")
    return done(url_for("workspace.batch", batch_id=batch_id), text)


@workspace.post("/batches/<rid:batch_id>/stop")
def stop_batch(batch_id: int) -> Response:
    """End after the part that is running."""
    here = scope()
    uow = here.unit_of_work()
    find_batch(here.session, here.actor, batch_id)
    bulk_runs.stop(uow, batch_id)
    uow.commit()
    return done(url_for("workspace.batch", batch_id=batch_id), gettext("It was stopped."))


def _may_undo(here: Scope, found: BatchRow) -> bool:
    if found.undone_at is not None or found.is_running or found.kind == "move" or not found.done_records:
        return False
    return here.actor.can(undo_right(found.kind))


def _reason(definition: ObjectDefinition | None, item: Refused) -> str:
    values = {
        name: Label.of(value) if isinstance(value, dict) else value for name, value in item.values.items()
    }
    text = message(item.message, values)
    field = definition.fields.by_key.get(item.field.partition("/")[0]) if definition else None
    return named(str(local(field.label)), text) if field else text
