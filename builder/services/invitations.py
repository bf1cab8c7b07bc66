"""Invitations: a signed link that ends, with which a person sets the first password of their sign-in (S117).

The link holds no secret of its own and nothing of it is stored: it is signed with the installation's secret
and bound to the password that the sign-in has. So it works once, for ``LASTS``, and a later password, however
it came about, ends it. So does joining a second workspace: an admin of the first may have seen the link, and
would come into the other by it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select, update

from builder.db.base import from_micros, to_micros
from builder.db.people import Member, UserAccount
from builder.db.tenancy import WorkspaceSession
from builder.errors import N_, Conflict, Invalid, NotFound, Problem
from builder.queries.memberships import count_memberships
from builder.services.passwords import hash_password
from builder.services.people import EDIT_PEOPLE, fresh_uniquifier, password_problems
from builder.services.unit_of_work import UnitOfWork

LASTS = timedelta(days=7)
ENDED = N_("This link does not work any more. Ask an admin of your workspace for a new one.")
NO_SIGN_IN = N_("This person has no e-mail address to sign in with. Give them one first.")
HAS_LEFT = N_("This person does not work here any more.")
NOT_ALIKE = N_("The two passwords are not the same.")
_SALT = "invitation"


@dataclass(frozen=True)
class Invitation:
    """``token``: for the link; ``None`` when the sign-in is used in other workspaces too and has its own
    password. ``locale``: the person's own language, if they ever chose one.
    """

    member_id: int
    name: str
    email: str
    token: str | None
    locale: str | None


def invite(uow: UnitOfWork, member_id: int, secret: str) -> Invitation:
    """Make the link for a person. The caller sends or shows it.

    Errors: Forbidden, NotFound, Conflict for somebody without a sign-in or who has left.
    """
    uow.require(EDIT_PEOPLE)
    uow.begin()
    member = uow.session.get(Member, (uow.workspace.id, member_id))
    if member is None:
        raise NotFound()
    if member.user_id is None:
        raise Conflict(NO_SIGN_IN)
    if not member.is_active:
        raise Conflict(HAS_LEFT)
    account = uow.session.get_one(UserAccount, member.user_id)
    is_ours = count_memberships(uow.session, account.id) == 1
    token = _signed(secret, account, uow.clock.now()) if is_ours else None
    uow.log("member.invited", data={"member_id": str(member_id)})
    return Invitation(member_id, member.name, account.email, token, account.locale)


def invited(session: WorkspaceSession, secret: str, token: str, now: datetime) -> UserAccount:
    """Whose link it is. Errors: NotFound when it was changed, is older than ``LASTS`` or ended."""
    try:
        user_id, mark, issued = URLSafeSerializer(secret, salt=_SALT).loads(token[:500])
        issued_at = from_micros(issued)
    except (BadSignature, ValueError, TypeError) as error:
        raise NotFound(ENDED) from error
    if not issued_at <= now < issued_at + LASTS:
        raise NotFound(ENDED)
    account = session.scalar(select(UserAccount).where(UserAccount.id == int(user_id)))
    if account is None or not account.active or mark != _mark(account):
        raise NotFound(ENDED)
    if count_memberships(session, account.id) != 1:
        raise NotFound(ENDED)
    return account


def accept(
    session: WorkspaceSession, secret: str, token: str, password: str, repeated: str, now: datetime
) -> int:
    """Set the password, which ends the link and all sessions; the id of the sign-in. The caller commits.

    Errors: NotFound as ``invited``; Invalid with the places ``password`` and ``repeated``.
    """
    session.begin_write()
    account = invited(session, secret, token, now)
    problems = password_problems(password)
    if not problems and password != repeated:
        problems = [Problem(NOT_ALIKE, "repeated")]
    if problems:
        raise Invalid(N_("The password was not set."), problems=tuple(problems))
    changed = session.execute(
        update(UserAccount)
        .where(UserAccount.id == account.id, UserAccount.fs_uniquifier == account.fs_uniquifier)
        .values(password=hash_password(password), fs_uniquifier=fresh_uniquifier(), update_datetime=now)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise NotFound(ENDED)
    return account.id


def _signed(secret: str, account: UserAccount, now: datetime) -> str:
    claims = [str(account.id), _mark(account), to_micros(now)]
    return str(URLSafeSerializer(secret, salt=_SALT).dumps(claims))


def _mark(account: UserAccount) -> str:
    """What changes with every password; of the stored hash it tells nothing."""
    return hashlib.sha256(f"{account.fs_uniquifier}|{account.password}".encode()).hexdigest()[:32]
