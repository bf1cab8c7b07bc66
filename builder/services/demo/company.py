"""The company of a demo plan: its workspace, departments, people and months of history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from builder.clock import FakeClock
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.metadata.grammar import Document
from builder.services import departments, packs, people, rollup, workspaces
from builder.services.demo.history import MONTH, History
from builder.services.demo.plan import DemoPlan
from builder.services.people import PersonFacts
from builder.services.unit_of_work import UnitOfWork
from builder.services.workspaces import WorkspaceFacts


@dataclass(frozen=True)
class SignIn:
    """How to sign in as one of the demo's people."""

    name: str
    role: str
    email: str
    password: str


@dataclass(frozen=True)
class DemoCompany:
    """What was made: sign-ins of all people, and how often each thing happened."""

    workspace_key: str
    sign_ins: tuple[SignIn, ...]
    happened: dict[str, int]


def make_company(
    session: WorkspaceSession,
    pack: Document,
    plan: DemoPlan,
    now: datetime,
    password: str,
    progress: Callable[[float], None] = lambda _share: None,
    facts: WorkspaceFacts | None = None,
    founder: PersonFacts | None = None,
) -> DemoCompany:
    """Create the plan's workspace (or that of ``facts``) with the pack installed, its people and its history
    up to ``now``: all of it, or nothing. Without a ``password`` the people cannot sign in; the ``founder``,
    who has a sign-in already, can.

    Errors: Conflict when the workspace exists; Invalid when the plan does not fit the pack.
    """
    clock = FakeClock(now - MONTH * plan.months)
    if facts is not None:
        plan = replace(plan, pools={**plan.pools, "*.currency": [facts.currency]})
    uow = workspaces.create(session, clock, facts or WorkspaceFacts(**plan.workspace))
    packs.install(uow, pack)
    if founder is not None:
        people.add(uow, founder)
    sign_ins, actors = _people(uow, plan, password)
    history = History(
        uow=uow,
        clock=clock,
        plan=plan,
        people=actors,
        random=Random(plan.seed),  # noqa: S311 - a repeatable company, not a secret
        ends_at=now - timedelta(minutes=5),
    )
    happened = history.play(progress)
    uow.commit()
    rollup.fold(uow)
    uow.commit()
    return DemoCompany(uow.workspace.key, sign_ins, happened)


def _people(
    uow: UnitOfWork, plan: DemoPlan, password: str
) -> tuple[tuple[SignIn, ...], list[tuple[Actor, float, float]]]:
    ids: dict[str, int] = {}
    for department in plan.departments:
        parent = department.get("parent")
        ids[department["key"]] = departments.add(uow, department["name"], ids[parent] if parent else None)
    members: dict[str, int] = {}
    sign_ins: list[SignIn] = []
    working: list[tuple[Actor, float, float]] = []
    for person in plan.people:
        department_id = ids[person.department] if person.department else None
        facts = PersonFacts(
            name=person.name,
            role_key=person.role,
            email=person.email if password else "",
            manager_id=members[person.manager] if person.manager else None,
            department_id=department_id,
        )
        members[person.key] = people.add(uow, facts, password=password or None).member_id
        if password:
            sign_ins.append(SignIn(person.name, person.role, person.email, password))
        if person.weight:
            role = uow.catalog.role(person.role)
            actor = Actor(
                member_id=members[person.key],
                name=person.name,
                role_key=person.role,
                rights=frozenset(role.rights) | {"record.create", "record.edit", "move"},
                visibility="all",
                department_ids=(department_id,) if department_id else (),
                manager_id=facts.manager_id,
            )
            working.append((actor, person.weight, person.skill))
    return tuple(sign_ins), working
