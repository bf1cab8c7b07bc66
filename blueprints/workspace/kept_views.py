"""Saving, changing and deleting the views of boards and calendars, whose pages hand over what they show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from flask import url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.messages import local, told
from blueprints.once import sent_posting
from blueprints.revisions import sent_revision
from blueprints.scope import Scope
from blueprints.system import translated
from builder.db.ids import to_public
from builder.errors import Invalid, NotFound, Stale
from builder.queries.saved_views import get_saved_view
from builder.services import postings
from builder.services import views as services
from builder.services.views import SaveView


class Keepable(Protocol):
    """A page that can be saved as a view. ``problems``: why it cannot, in words."""

    @property
    def problems(self) -> tuple[str, ...]: ...

    def args(self, **changes: str) -> Mapping[str, str]: ...

    def address(self, **changes: str) -> str: ...

    def view_address(self, view: str) -> str: ...

    def wanted(self, name: str, *, is_shared: bool) -> SaveView: ...


def keep_view(here: Scope, shown: Keepable, view_id: int | None = None) -> Response:
    """Save what the page shows under the name that was typed, as a new view or in the place of one.

    Errors: NotFound for a view that is of another object or layout; Forbidden.
    """
    name, is_shared = request.form.get("name", ""), "shared" in request.form
    command = shown.wanted(name, is_shared=is_shared)
    if view_id is not None:
        stored = get_saved_view(here.session, here.actor, view_id)
        if (stored.object_key, stored.layout) != (command.object_key, command.layout):
            raise NotFound()
        command = replace(command, view_id=view_id, revision=sent_revision())
    if shown.problems:
        return _again(here, shown, command, [("", text) for text in shown.problems])
    uow = here.unit_of_work()
    try:
        posting = sent_posting() if view_id is None else ""
        kept = postings.once(uow, posting, lambda: services.save_view(uow, command))
    except Stale as error:
        uow.rollback()
        now = get_saved_view(here.session, here.actor, view_id or 0).revision
        told_stale = [("", translated(error.message_key, error.values))]
        return _again(here, shown, replace(command, revision=now), told_stale, error.status)
    except Invalid as error:
        uow.rollback()
        problems = [("view-name" if one.place == "name" else "", told(one)) for one in error.problems]
        return _again(here, shown, command, problems)
    uow.commit()
    return done(shown.view_address(to_public(kept)), gettext("The view is saved."))


def drop_view(here: Scope, view_id: int, target: str) -> Response:
    """Delete a saved view. Errors: NotFound, Forbidden, Stale."""
    get_saved_view(here.session, here.actor, view_id)
    uow = here.unit_of_work()
    services.delete_view(uow, view_id, sent_revision())
    uow.commit()
    return done(target, gettext("The view is deleted."))


def _again(
    here: Scope,
    shown: Keepable,
    command: SaveView,
    problems: list[tuple[str, str]],
    status: int = 422,
) -> Response:
    """The form with what was typed, and what is wrong with it."""
    facts: dict[str, Any] = {
        "definition": here.catalog.object(command.object_key),
        "title": local(here.catalog.object(command.object_key).label_plural),
        "state": shown,
        "problems": problems,
        "revision": command.revision,
        "name": command.name,
        "is_shared": command.is_shared,
        "may_share": here.actor.can("view.share"),
        "address": url_for(str(request.endpoint), **(request.view_args or {})),
    }
    return show_form(
        "pages/workspace/view.html", fragment="fragments/list/view_form.html", status=status, **facts
    )
