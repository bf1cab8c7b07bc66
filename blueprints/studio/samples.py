"""A template with people and work in it, in a workspace of its own (S18, S114)."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for
from flask_babel import gettext
from flask_login import current_user
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints import house
from blueprints.forms import done, show_form
from blueprints.messages import message, told
from blueprints.scope import scope
from blueprints.studio.area import studio
from builder.errors import Conflict, Invalid, NotFound
from builder.queries.library import ShelfPack, shelf_pack
from builder.queries.samples import sample_order
from builder.services import samples as services
from builder.services.clones import Founder
from builder.services.definitions import EDIT
from builder.services.samples import Makings
from builder.services.workspaces import WorkspaceFacts


@studio.get("/templates/<ref>/sample")
def sample_form(ref: str) -> Response:
    """What a sample company is, and what it is to be called."""
    return _show(ref)


@studio.post("/templates/<ref>/sample")
def order_sample(ref: str) -> Response:
    """Order one; a worker makes it."""
    here, pack = scope(), _pack(ref)
    facts = WorkspaceFacts(
        request.form.get("key", "").strip(),
        request.form.get("name", "").strip(),
        here.workspace.locale,
        here.workspace.time_zone,
        here.workspace.currency,
    )
    uow = here.unit_of_work()
    try:
        makings = Makings(facts, Founder(here.actor.name, current_user.email))
        order = services.order(uow, house.engine(), pack, makings)
    except (Invalid, Conflict) as error:
        uow.rollback()
        lines = [(each.place, told(each)) for each in error.problems]
        return _show(ref, lines or [("key", message(error.message_key, error.values))], error.status)
    target = url_for("studio.show_sample", ref=ref, order_id=order.number)
    if not order.is_new:
        uow.rollback()
        return done(target, gettext("This sample company was ordered before; here is what became of it."))
    house.queue().enqueue_sample(uow.session, here.workspace.key, order.number)
    uow.commit()
    house.queue().committed()
    return done(target, gettext("The sample company is being made."))


@studio.get("/templates/<ref>/sample/<rid:order_id>")
def show_sample(ref: str, order_id: int) -> Response:
    """What became of an order, asked again while it is made."""
    here, pack = scope(), _pack(ref)
    found = sample_order(here.session, order_id)
    failed = found.failed
    return show_form(
        "pages/studio/sample_order.html",
        fragment="fragments/pack/sample_order.html",
        pack=pack,
        order_id=order_id,
        found=found,
        facts=found.order["facts"],
        problem=message(failed["message"], failed["values"]) if failed else "",
    )


def _pack(ref: str) -> ShelfPack:
    """A shipped pack, or one of the workspace's own library. Errors: Forbidden, NotFound."""
    here = scope()
    here.require(EDIT)
    found = shelf_pack(here.session, None, ref)
    if not (found.is_shipped or found.is_here):
        raise NotFound()
    return found


def _show(ref: str, problems: Sequence[tuple[str, str]] = (), status: int = 200) -> Response:
    pack = _pack(ref)
    typed = request.form if request.method == "POST" else {"key": f"sample-{pack.key}".replace("_", "-")[:63]}
    return show_form(
        "pages/studio/sample.html",
        fragment="fragments/pack/sample.html",
        pack=pack,
        typed=typed,
        problems=problems,
        wrong={place for place, _ in problems},
        months=services.MONTHS,
        status=status,
    )
