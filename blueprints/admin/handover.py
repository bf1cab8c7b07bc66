"""What a person owns, and handing it over to a colleague (S117)."""

from __future__ import annotations

from flask import url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints import house
from blueprints.admin.area import admin
from blueprints.forms import chosen_id, done, refuse, show_form
from blueprints.revisions import sent_revision
from blueprints.scope import scope
from blueprints.workspace.filter_words import filter_text
from blueprints.workspace.list_state import list_address
from builder.db.ids import to_public
from builder.domain.conditions import Comparison
from builder.errors import Invalid
from builder.forms.people import HandoverForm
from builder.queries import directory as queries
from builder.queries.holdings import holdings
from builder.services import handover as services
from builder.services.people import EDIT_PEOPLE


@admin.get("/people/<rid:member_id>/hand-over")
def show_handover(member_id: int) -> Response:
    """What they own, by object; while it is handed over, what is left."""
    scope().require(EDIT_PEOPLE)
    return _show(member_id, HandoverForm())


@admin.post("/people/<rid:member_id>/hand-over")
def hand_over(member_id: int) -> Response:
    """Begin; a worker does the rest."""
    here = scope()
    here.require(EDIT_PEOPLE)
    queries.person(here.session, member_id, here.workspace.day_of(here.clock.now()))
    form, uow = HandoverForm(request.form), here.unit_of_work()
    try:
        services.ask(uow, member_id, chosen_id(form.successor_id.data), sent_revision())
    except Invalid as error:
        uow.rollback()
        return _show(member_id, form, refuse(form, error), status=422)
    house.queue().enqueue_handover(uow.session, here.workspace.key, member_id, here.actor.member_id)
    uow.commit()
    house.queue().committed()
    target = url_for("admin.show_handover", member_id=member_id)
    return done(target, gettext("The handing over has begun."))


def _show(
    member_id: int, form: HandoverForm, problems: list[tuple[str, str]] | None = None, status: int = 200
) -> Response:
    here = scope()
    today = here.workspace.day_of(here.clock.now())
    person = queries.person(here.session, member_id, today)
    colleagues = queries.people(here.session, today)
    form.successor_id.choices = [("", gettext("Choose a colleague"))] + [
        (to_public(each.id), each.name) for each in colleagues if each.id != member_id
    ]
    owned = filter_text(Comparison("record.owner", "eq", str(member_id)))
    return show_form(
        "pages/admin/handover.html",
        fragment="fragments/person/handover.html",
        form=form,
        person=person,
        successor=next((each.name for each in colleagues if each.id == person.successor_id), ""),
        reports=[each.name for each in colleagues if each.manager_id == member_id],
        lines=[
            (here.catalog.object(each.object_key), each, list_address(each.object_key, {"f": owned}))
            for each in holdings(here.session, here.catalog, member_id)
        ],
        problems=problems or [],
        status=status,
    )
