"""People of a workspace: adding, changing, switching off; their sign-ins (S48)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from builder.db.ids import new_id
from builder.db.people import Member, UserAccount
from builder.db.tenancy import WorkspaceSession
from builder.errors import N_, Conflict, Invalid, NotFound, Problem, Stale
from builder.queries.memberships import count_memberships
from builder.services import departments
from builder.services.passwords import LONGEST, SHORTEST, generate_password, hash_password
from builder.services.unit_of_work import UnitOfWork

EDIT_PEOPLE = "members.edit"
NAME_LENGTH = 200
SAME_TIME = N_("Somebody else added this person at the same moment. Look at the list.")


@dataclass(frozen=True)
class PersonFacts:
    """What an admin says of a person. ``email`` empty: a colleague without a sign-in."""

    name: str
    role_key: str
    email: str = ""
    manager_id: int | None = None
    department_id: int | None = None
    is_active: bool = True


@dataclass(frozen=True)
class AddedPerson:
    """``password`` is told once, and only when it was made here."""

    member_id: int
    password: str | None
    has_sign_in: bool


def add(uow: UnitOfWork, facts: PersonFacts, *, password: str | None = None) -> AddedPerson:
    """Add a person, with a sign-in when an e-mail address is given.

    A sign-in that exists already (in another workspace) is joined and keeps its password. A colleague of
    the same e-mail address who had no sign-in yet receives it. Raises Forbidden; Invalid, its problems
    placed at the names of ``PersonFacts`` or ``password``; Conflict when somebody else was quicker.
    """
    uow.require(EDIT_PEOPLE)
    uow.begin()
    facts = _checked(uow, facts, member_id=None, password=password)
    known = _find_member(uow, facts.email)
    if known is not None and known.user_id is not None:
        raise Invalid(
            N_("This person is already in the workspace."),
            problems=(Problem(N_("Somebody here has this e-mail address already."), "email"),),
        )
    try:
        told, user_id = _sign_in(uow, facts, password)
        member = known or _new_member(uow, facts)
        member.user_id = user_id
        member.name, member.role_key, member.manager_id = facts.name, facts.role_key, facts.manager_id
        member.is_active = facts.is_active
        uow.session.flush()
    except IntegrityError as error:
        raise Conflict(SAME_TIME) from error
    if facts.department_id is not None:
        departments.assign(uow, member.id, facts.department_id)
    uow.log("member.added", data={"member_id": str(member.id), **_logged(facts)})
    return AddedPerson(member.id, told, user_id is not None)


def change(uow: UnitOfWork, member_id: int, facts: PersonFacts, revision: int) -> None:
    """Change name, role, manager, department or activity; an e-mail address stays once it is a sign-in.

    ``revision``: what the editor saw. Raises Forbidden, NotFound, Stale, Invalid. The last active person who
    may edit people stays so.
    """
    uow.require(EDIT_PEOPLE)
    uow.begin()
    member = uow.session.get(Member, (uow.workspace.id, member_id), with_for_update=True)
    if member is None:
        raise NotFound()
    if member.revision != revision:
        raise Stale()
    if member.user_id is not None:
        facts = PersonFacts(**{**asdict(facts), "email": member.email or ""})
    facts = _checked(uow, facts, member_id=member_id)
    _keep_an_admin(uow, member, facts)
    before = {"name": member.name, "role_key": member.role_key, "is_active": member.is_active}
    member.name, member.role_key, member.manager_id = facts.name, facts.role_key, facts.manager_id
    member.is_active = facts.is_active
    if member.user_id is None:
        member.email = facts.email or None
    member.revision += 1
    uow.session.flush()
    departments.assign(uow, member.id, facts.department_id)
    uow.log("member.changed", data={"member_id": str(member.id), "before": before, **_logged(facts)})


def set_password(uow: UnitOfWork, member_id: int, password: str | None = None) -> str:
    """Give a person's sign-in a new password (made here when none is given) and end their sessions.

    Only for a sign-in that belongs to this workspace alone: others have their say elsewhere too.
    """
    uow.require(EDIT_PEOPLE)
    uow.begin()
    member = uow.session.get(Member, (uow.workspace.id, member_id))
    if member is None or member.user_id is None:
        raise NotFound()
    if password is not None:
        _raise_any(password_problems(password))
    if count_memberships(uow.session, member.user_id) > 1:
        raise Conflict(N_("This sign-in is used in other workspaces too, so only its owner can change it."))
    fresh = password or generate_password()
    uow.session.execute(
        update(UserAccount)
        .where(UserAccount.id == member.user_id)
        .values(
            password=hash_password(fresh), fs_uniquifier=fresh_uniquifier(), update_datetime=uow.clock.now()
        )
    )
    uow.log("member.password_set", data={"member_id": str(member_id)})
    return fresh


def note_presence(
    session: WorkspaceSession, user_id: int, workspace_id: int, member_id: int, now: datetime
) -> None:
    """Remember when a person was last here, and where; a transaction of its own."""
    session.begin_write()
    session.execute(update(Member).where(Member.id == member_id).values(last_seen_at=now))
    session.execute(
        update(UserAccount).where(UserAccount.id == user_id).values(last_workspace_id=workspace_id)
    )
    session.commit()


def find_by_email(uow: UnitOfWork, email: str) -> int | None:
    """The member of that e-mail address, active or not."""
    member = _find_member(uow, email.strip().lower())
    return member.id if member else None


def normalised_email(text: str) -> str:
    """The form in which addresses are stored and compared. Raises ValueError."""
    try:
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(text) from error
    return found.normalized.lower()


def _checked(
    uow: UnitOfWork, facts: PersonFacts, *, member_id: int | None, password: str | None = None
) -> PersonFacts:
    name, email = " ".join(facts.name.split()), facts.email.strip()
    problems: list[Problem] = []
    if not name:
        problems.append(Problem(N_("A person needs a name."), "name"))
    if len(name) > NAME_LENGTH or "\0" in name:
        problems.append(Problem(N_("At most %(limit)s characters, please."), "name", {"limit": NAME_LENGTH}))
    if email:
        try:
            email = normalised_email(email)
        except ValueError:
            problems.append(Problem(N_("This is not an e-mail address."), "email"))
    if not facts.role_key:
        problems.append(Problem(N_("Choose a role."), "role_key"))
    elif facts.role_key not in uow.catalog.roles:
        problems.append(
            Problem(N_("There is no role “%(role)s” here."), "role_key", {"role": facts.role_key[:80]})
        )
    problems += _manager_problems(uow, facts.manager_id, member_id)
    if facts.department_id is not None and departments.find(uow, facts.department_id) is None:
        problems.append(Problem(N_("There is no such department."), "department_id"))
    problems += password_problems(password) if password is not None else ()
    _raise_any(problems)
    return PersonFacts(**{**asdict(facts), "name": name, "email": email})


def _raise_any(problems: Iterable[Problem]) -> None:
    found = tuple(problems)
    if found:
        raise Invalid(N_("The person was not saved."), problems=found)


def password_problems(password: str) -> list[Problem]:
    """What is wrong with a new password, placed at ``password``."""
    if len(password) < SHORTEST:
        return [
            Problem(N_("A password needs at least %(length)s characters."), "password", {"length": SHORTEST})
        ]
    if len(password) > LONGEST or "\0" in password:
        return [Problem(N_("At most %(limit)s characters, please."), "password", {"limit": LONGEST})]
    return []


def _manager_problems(uow: UnitOfWork, manager_id: int | None, member_id: int | None) -> list[Problem]:
    """A manager is an active colleague and does not report, over others, to this person."""
    if manager_id is None:
        return []
    above = {
        row.id: row.manager_id
        for row in uow.session.execute(select(Member.id, Member.manager_id).where(Member.is_active))
    }
    if manager_id not in above:
        return [Problem(N_("There is no such active colleague."), "manager_id")]
    step: int | None = manager_id
    seen: set[int] = set()
    while step is not None and step not in seen:
        if step == member_id:
            return [Problem(N_("This person would be their own manager, over others."), "manager_id")]
        seen.add(step)
        step = above.get(step)
    return []


def _find_member(uow: UnitOfWork, email: str) -> Member | None:
    if not email:
        return None
    return uow.session.scalar(select(Member).where(func.lower(Member.email) == email).limit(1))


def _new_member(uow: UnitOfWork, facts: PersonFacts) -> Member:
    member = Member(
        workspace_id=uow.workspace.id,
        id=new_id(),
        name=facts.name,
        email=facts.email or None,
        role_key=facts.role_key,
        created_at=uow.clock.now(),
    )
    uow.session.add(member)
    return member


def _sign_in(uow: UnitOfWork, facts: PersonFacts, password: str | None) -> tuple[str | None, int | None]:
    """The sign-in for the address, made when there is none; with the password to tell, if made here."""
    if not facts.email:
        return None, None
    known = uow.session.scalar(select(UserAccount.id).where(UserAccount.email == facts.email))
    if known is not None:
        if password is not None:
            text = N_("This address has a sign-in already and keeps its own password. Leave this empty.")
            raise Invalid(N_("The person was not saved."), problems=(Problem(text, "password"),))
        return None, known
    made = None if password is not None else generate_password()
    user = UserAccount(
        id=new_id(),
        email=facts.email,
        name=facts.name,
        password=hash_password(password or made or ""),
        fs_uniquifier=fresh_uniquifier(),
        active=True,
        last_workspace_id=uow.workspace.id,
        create_datetime=uow.clock.now(),
        update_datetime=uow.clock.now(),
    )
    uow.session.add(user)
    uow.session.flush()
    return made, user.id


def fresh_uniquifier() -> str:
    """A new mark of a sign-in: sessions that carry the one before are over."""
    return f"{new_id():x}{generate_password()}"


def _keep_an_admin(uow: UnitOfWork, member: Member, facts: PersonFacts) -> None:
    """Refuse to leave a workspace without anybody who may edit people."""
    deciding = {key for key, role in uow.catalog.roles.items() if EDIT_PEOPLE in role.rights}
    stays = facts.is_active and facts.role_key in deciding
    if stays or member.role_key not in deciding or not member.is_active or member.user_id is None:
        return
    others = uow.session.scalar(
        select(func.count())
        .select_from(Member)
        .where(
            Member.role_key.in_(deciding),
            Member.is_active,
            Member.user_id.is_not(None),
            Member.id != member.id,
        )
    )
    if not others:
        text = N_(
            "This is the last person here who may add and change people. Give somebody else this role first."
        )
        raise Invalid(N_("The person was not saved."), problems=(Problem(text, "role_key"),))


def _logged(facts: PersonFacts) -> dict[str, Any]:
    return {
        "name": facts.name,
        "role_key": facts.role_key,
        "manager_id": None if facts.manager_id is None else str(facts.manager_id),
        "department_id": None if facts.department_id is None else str(facts.department_id),
        "is_active": facts.is_active,
    }
