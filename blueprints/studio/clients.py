"""A consultant's workspaces: switching, cloning one without its data, comparing two (S116)."""

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
from blueprints.scope import Scope, my_memberships, scope
from blueprints.studio.area import studio
from blueprints.studio.changes import ChangeCard
from builder.errors import Conflict, FunnelwrightError, Invalid, NotFound
from builder.metadata.pack_parts import portable
from builder.queries import packs as queries
from builder.queries.clients import clients, definitions_of
from builder.queries.memberships import Membership
from builder.services import clones
from builder.services.definitions import EDIT
from builder.services.workspaces import WorkspaceFacts


@studio.get("/clients")
def client_list() -> Response:
    """The workspaces whose definitions the reader may change, and a new one like this."""
    return _show_clients()


@studio.post("/clients")
def clone_workspace() -> Response:
    """A new workspace with the definitions of this one and none of its data."""
    here = scope()
    here.require(EDIT)
    facts = WorkspaceFacts(
        request.form.get("key", "").strip(),
        request.form.get("name", "").strip(),
        here.workspace.locale,
        here.workspace.time_zone,
        here.workspace.currency,
    )
    try:
        setup = clones.setup_of(here.unit_of_work())
        here.session.rollback()  # the new workspace is written by a session of its own
        founder = clones.Founder(here.actor.name, current_user.email)
        made = clones.clone_beside(house.engine(), here.clock, setup, facts, founder)
    except (Invalid, Conflict) as error:
        return _show_clients(_lines(error), error.status)
    text = gettext(
        "“%(name)s” is there, set up like the workspace before and without its data.", name=made.name
    )
    return done(url_for("studio.client_list", workspace_key=made.key), text)


@studio.get("/clients/compare")
def compare_clients() -> Response:
    """What another workspace of the reader has otherwise: definitions, no departments and no records."""
    here = scope()
    here.require(EDIT)
    other = _other(request.args.get("with", ""))
    theirs = definitions_of(house.engine(), other)
    if theirs is None:
        raise NotFound()
    theirs = {name: portable(document) for name, document in theirs.items()}
    own = queries.definitions_among(queries.live_by_name(here.session))
    mine = {name: portable(document) for name, document in own.items()}
    names = sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
    return show_form(
        "pages/studio/clients_compare.html",
        fragment="fragments/pack/compare.html",
        other=other.workspace,
        workspace=here.workspace,
        cards=[ChangeCard.of(here, name[0], mine.get(name), theirs.get(name)) for name in names],
        same=len(mine.keys() & theirs.keys()) - sum(name in mine and name in theirs for name in names),
    )


def _other(key: str) -> Membership:
    """A workspace of the reader by key. Raises NotFound for all others."""
    found = next((own for own in my_memberships() if own.workspace.key == key), None)
    if found is None:
        raise NotFound()
    return found


def _show_clients(problems: Sequence[tuple[str, str]] = (), status: int = 200) -> Response:
    here: Scope = scope()
    here.require(EDIT)
    return show_form(
        "pages/studio/clients.html",
        fragment="fragments/pack/clients.html",
        clients=clients(house.engine(), my_memberships()),
        here=here.workspace,
        typed=request.form,
        problems=problems,
        wrong={place for place, _ in problems},
        status=status,
    )


def _lines(error: FunnelwrightError) -> list[tuple[str, str]]:
    listed = [(each.place, told(each)) for each in error.problems]
    return listed or [("key", message(error.message_key, error.values))]
