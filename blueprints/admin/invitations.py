"""Inviting a person: by mail, or by a link that the admin passes on (S117)."""

from __future__ import annotations

from flask import url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from blueprints import house, mails
from blueprints.admin.area import admin
from blueprints.forms import done, show_form
from blueprints.once import sent_posting
from blueprints.scope import scope
from builder.queries import directory as queries
from builder.services import invitations as services
from builder.services import postings
from builder.services.invitations import Invitation
from builder.services.people import EDIT_PEOPLE
from builder.services.unit_of_work import UnitOfWork


@admin.post("/people/<rid:member_id>/invitation")
def send_invitation(member_id: int) -> Response:
    here = scope()
    here.require(EDIT_PEOPLE)
    uow, claimed = here.unit_of_work(), []

    def claim() -> int:
        claimed.append(member_id)
        return member_id

    # A second click waits in here for the first, so only who was called is the first.
    postings.once(uow, sent_posting(), claim)
    if not claimed:
        uow.rollback()
        return invited_before(uow, member_id)
    return invite_person(uow, member_id)


def invited_before(uow: UnitOfWork, member_id: int) -> Response:
    """The answer to an invitation that was sent twice: no second mail; a link that is to be passed on is
    shown again, for the first answer may have been lost.
    """
    if not mails.is_on():
        return invite_person(uow, member_id)
    name = queries.person(uow.session, member_id, uow.workspace.day_of(uow.clock.now())).name
    text = gettext("The invitation to %(name)s is on its way already.", name=name)
    return done(url_for("admin.people_list"), text)


def invite_person(uow: UnitOfWork, member_id: int) -> Response:
    """Invite, commit, and say what happened."""
    found = services.invite(uow, member_id, house.settings().secret_key)
    path = url_for("invitations.invitation", token=found.token) if found.token else url_for("security.login")
    if mails.is_on():
        _send(uow, found, mails.public_address(path))
        uow.commit()
        house.queue().committed()
        text = gettext("An invitation to %(name)s is on its way.", name=found.name)
        return done(url_for("admin.people_list"), text)
    uow.commit()
    if found.token is None:
        text = gettext("%(name)s has a sign-in of their own and uses that.", name=found.name)
        return done(url_for("admin.people_list"), text)
    return _tell(member_id, path)


def _send(uow: UnitOfWork, found: Invitation, link: str) -> None:
    mails.send(
        uow.session,
        "invitation" if found.token else "joined",
        found.email,
        found.locale or uow.workspace.locale,
        name=found.name,
        inviter=uow.actor.name,
        workspace=uow.workspace.name,
        link=link,
        days=services.LASTS.days,
    )


def _tell(member_id: int, path: str) -> Response:
    """The link on a page of its own, once. Whoever reads it is signed in here, so it may name this host."""
    here = scope()
    row = queries.person(here.session, member_id, here.workspace.day_of(here.clock.now()))
    base = house.settings().public_url
    link = f"{base}{path}" if base else url_for("front", _external=True).rstrip("/") + path
    return show_form(
        "pages/admin/invitation.html",
        fragment="fragments/person/invitation.html",
        person=row,
        link=link,
        days=services.LASTS.days,
    )
