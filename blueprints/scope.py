"""Everything inside a workspace: ``/w/<workspace_key>/…`` (idea 7).

A blueprint made by ``workspace_area`` requires sign-in and membership, binds the session of the request to
the workspace and puts a ``Scope`` on ``g.scope``. Somebody else's workspace and none at all
answer alike: 404.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from flask import Blueprint, Flask, current_app, g, redirect, request, url_for
from flask import session as cookie
from flask_login import current_user, user_logged_in
from werkzeug.wrappers import Response

from blueprints import house
from blueprints.messages import local
from blueprints.shell import NavItem, Person, Shell, WorkspaceLink, set_shell_source
from builder.clock import Clock
from builder.db.extension import request_session
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.domain.workspaces import WorkspaceInfo
from builder.errors import N_, Forbidden, NotFound
from builder.metadata.catalog import Catalog
from builder.queries.definitions import load_catalog
from builder.queries.memberships import SEES_DEPARTMENTS, Foreseen, Membership, actor_of, memberships_of
from builder.services.people import note_presence
from builder.services.rollup import fold_beside
from builder.services.unit_of_work import UnitOfWork

PRESENCE_EVERY = timedelta(minutes=5)
_COOKIE_USER = "fw_user"
_KNOWN = "funnelwright.known_workspaces"


@dataclass(frozen=True, slots=True)
class _Known:
    """What a process saw last of a workspace: the next request foresees by it what it will ask for."""

    workspace: WorkspaceInfo
    role_keys: tuple[str, ...]


@dataclass(frozen=True)
class Scope:
    """What a request inside a workspace works with.

    ``catalog`` holds the definitions as the person sees them (S118), so that no page can name a field that
    their role hides; ``whole_catalog`` is for services, which judge and write by the whole truth.
    """

    workspace: WorkspaceInfo
    actor: Actor
    catalog: Catalog
    session: WorkspaceSession
    clock: Clock
    last_seen_at: datetime | None
    unread_notices: int
    whole_catalog: Catalog

    def unit_of_work(self) -> UnitOfWork:
        """For one service call; commit it once."""
        uow = UnitOfWork(
            session=self.session,
            workspace=self.workspace,
            actor=self.actor,
            catalog=self.whole_catalog,
            clock=self.clock,
            request_id=g.get("request_id"),
            origin=request.remote_addr,
            folds_later=True,
        )
        g.works = [*g.get("works", ()), uow]
        return uow

    def require(self, right: str) -> None:
        """Raise Forbidden unless the person has the right."""
        if not self.actor.can(right):
            raise Forbidden(
                N_("Your role does not include the right “%(right)s”. Ask an admin."), right=right
            )


def scope() -> Scope:
    """The scope of the running request; only in routes of a workspace area."""
    return cast(Scope, g.scope)


def workspace_area(name: str, import_name: str, prefix: str = "") -> Blueprint:
    """A blueprint under ``/w/<workspace_key>`` + ``prefix``; ``url_for`` fills in the workspace."""
    area = Blueprint(name, import_name, url_prefix=f"/w/<workspace_key>{prefix}")
    area.url_value_preprocessor(_announce)
    area.url_defaults(_keep_workspace)
    area.before_request(_enter)
    area.after_request(_leave)
    return area


def add_scope(app: Flask) -> None:
    """Register the front door ``/``, the frame's facts and the person's time zone."""
    app.extensions[_KNOWN] = {}
    app.add_url_rule("/", "front", _front)
    set_shell_source(app, _shell)
    app.extensions["babel"].timezone_selector = _time_zone
    user_logged_in.connect(_remember_user, app)


def sign_in_first() -> Response:
    """The answer to somebody who is not signed in (``builder.security`` decides what it is)."""
    answer: Response = current_app.extensions["security"].login_manager.unauthorized()
    return answer


def is_signed_in() -> bool:
    return bool(current_user.is_authenticated)


def my_memberships() -> list[Membership]:
    """The workspaces of the signed-in person, read once a request."""
    if "memberships" not in g:
        session = request_session()
        if session.info.get("user_id") != current_user.id:
            session.bind_user(current_user.id)
            cookie[_COOKIE_USER] = current_user.id
        g.memberships = memberships_of(session, current_user.id)
    return cast("list[Membership]", g.memberships)


def _announce(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Tell the session who and where before its transaction begins, which then says it in one go.

    Both are only claims here, made by the address and by the signed cookie; ``_enter`` checks them.
    """
    g.workspace_key = (values or {}).pop("workspace_key")
    session = request_session()
    known: _Known | None = current_app.extensions[_KNOWN].get(g.workspace_key)
    if known is not None:
        session.bind_workspace(known.workspace.id)
        today = known.workspace.day_of(house.clock().now())
        g.foreseen = Foreseen(known.workspace.id, today, known.role_keys)
    if isinstance(cookie.get(_COOKIE_USER), int):
        session.bind_user(cookie[_COOKIE_USER])


def _department_roles(catalog: Catalog) -> tuple[str, ...]:
    return tuple(role.key for role in catalog.roles.values() if role.visibility in SEES_DEPARTMENTS)


def _keep_workspace(_endpoint: str, values: dict[str, Any]) -> None:
    if "workspace_key" not in values and "workspace_key" in g:
        values["workspace_key"] = g.workspace_key


def _enter() -> Response | None:
    if not current_user.is_authenticated:
        return sign_in_first()
    membership = next((own for own in my_memberships() if own.workspace.key == g.workspace_key), None)
    if membership is None:
        raise NotFound()
    workspace, session = membership.workspace, request_session()
    if session.info.get("workspace_id") != workspace.id:
        session.bind_workspace(workspace.id)
    clock = house.clock()
    whole = load_catalog(session, workspace)
    current_app.extensions[_KNOWN][workspace.key] = _Known(workspace, _department_roles(whole))
    actor = actor_of(session, membership, whole, workspace.day_of(clock.now()))
    g.scope = Scope(
        workspace,
        actor,
        whole.seen_by(actor.role_key),
        session,
        clock,
        membership.last_seen_at,
        membership.unread_notices,
        whole,
    )
    return None


def _leave(response: Any) -> Any:
    """After the answer was made, note the visit, at most every few minutes; after it was sent, fold the
    roll-up where a write says so.
    """
    here: Scope | None = g.get("scope")
    for uow in g.get("works", ()):
        if uow.is_fold_due:
            response.call_on_close(partial(fold_beside, uow))
    if here is None or response.status_code >= 400:
        return response
    seen, now = here.last_seen_at, here.clock.now()
    if seen is None or now - seen >= PRESENCE_EVERY:
        note_presence(here.session, current_user.id, here.workspace.id, here.actor.member_id, now)
    return response


def _front() -> Response:
    """Lead to the workspace visited last, or to a page that says that there is none yet."""
    if not current_user.is_authenticated:
        return sign_in_first()
    mine = my_memberships()
    if not mine:
        return redirect(url_for("account.settings"))
    last = next((own for own in mine if own.workspace.id == current_user.last_workspace_id), mine[0])
    return redirect(home_of(last.workspace.key))


def home_of(workspace_key: str) -> str:
    """The first page of a workspace."""
    rule = "workspace.home" if "workspace.home" in current_app.view_functions else "admin.home"
    return url_for(rule, workspace_key=workspace_key)


def _shell() -> Shell:
    if not current_user.is_authenticated:
        return Shell()
    here: Scope | None = g.get("scope")
    current = here.workspace.key if here else None
    links = tuple(
        WorkspaceLink(own.workspace.name, home_of(own.workspace.key), own.workspace.key == current)
        for own in my_memberships()
    )
    has_workspace = here is not None and "workspace.home" in current_app.view_functions
    return Shell(
        person=Person(
            here.actor.name if here else current_user.name or current_user.email, current_user.email
        ),
        workspaces=links,
        search_url=url_for("workspace.search") if has_workspace else "",
        notices_url=url_for("workspace.notice_list") if has_workspace else "",
        unread_notices=here.unread_notices if here else 0,
        creatable=_creatable(here) if here and has_workspace else (),
        sign_out_url=url_for("security.logout"),
        profile_url=url_for("account.settings"),
        home_url=home_of(current) if current else "/",
    )


def _creatable(here: Scope) -> tuple[NavItem, ...]:
    """What the person may add from anywhere (S125)."""
    if not here.actor.can("record.create"):
        return ()
    return tuple(
        NavItem(local(each.label), url_for("workspace.new_record", object_key=each.key), each.icon)
        for each in here.catalog.objects.values()
    )


def _time_zone() -> str:
    here: Scope | None = g.get("scope")
    own = getattr(current_user, "time_zone", None)
    return own or (here.workspace.time_zone if here else "UTC")


def _remember_user(_app: Flask, user: Any, **_facts: Any) -> None:
    cookie[_COOKIE_USER] = user.id
