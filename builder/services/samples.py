"""A company to look at: a new workspace with a template, people and months of believable work (S18, S114).

What was ordered and what came of it stands in the event log of the workspace that ordered, under the order's
number. The company is made by the one move function in one transaction of its own.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import select

from builder.clock import Clock
from builder.db.ids import new_id
from builder.db.people import Workspace
from builder.db.tenancy import WorkspaceSession
from builder.errors import N_, Conflict, FunnelwrightError
from builder.metadata import packs
from builder.metadata.grammar import Document
from builder.queries.library import ShelfPack, shelf_pack
from builder.queries.samples import sample_order
from builder.services import postings
from builder.services.clones import NO_FOUNDER_ROLE, Founder, Setup
from builder.services.definitions import EDIT
from builder.services.demo.company import make_company
from builder.services.demo.plan import read_plan
from builder.services.people import PersonFacts
from builder.services.unit_of_work import UnitOfWork
from builder.services.workspaces import TAKEN, WorkspaceFacts, checked, open_workspace

BROKEN = N_("Something went wrong while the records were made. Nothing of it was kept.")
MONTHS = 6
"""As far back as a sample goes: enough for a funnel and its trend, made in less than a minute."""


@dataclass(frozen=True)
class Makings:
    """What a sample company is made from: its workspace, and who begins there."""

    facts: WorkspaceFacts
    founder: Founder


@dataclass(frozen=True)
class Order:
    """The number of an order; not ``is_new`` when the same company had been ordered before."""

    number: int
    is_new: bool


def order(uow: UnitOfWork, engine: Any, pack: ShelfPack, makings: Makings) -> Order:
    """Note the order; the caller enqueues a new one and commits. Whoever orders the same template under the
    same key again gets the order that is being made or was made; one that failed can be ordered anew.

    Errors: Forbidden; Invalid, its problems placed at the names of ``WorkspaceFacts``; Conflict when the key
    is taken or nobody could begin there.
    """
    uow.require(EDIT)
    facts = checked(makings.facts)
    _founder_role(pack.document)
    number = new_id()

    def note() -> int:
        with closing(WorkspaceSession(engine)) as session:
            if session.scalar(select(Workspace.id).where(Workspace.key == facts.key)) is not None:
                raise Conflict(TAKEN, key=facts.key)
        uow.batch_id = number
        data = {"pack": pack.ref, "facts": asdict(facts), "founder": asdict(makings.founder)}
        uow.log("sample.ordered", data=data)
        return number

    found = postings.once(uow, _once(pack.ref, facts.key), note, shared=True)
    return Order(found, is_new=found == number)


def _once(pack: str, key: str) -> str:
    return postings.shared_key("sample", pack, key)


def carry_out(engine: Any, clock: Clock, workspace_key: str, order_id: int, months: int = MONTHS) -> bool:
    """Make the company of an order and note what came of it; whether it is there.

    Three transactions after one another: SQLite has one writer, and the company takes a while.
    """
    try:
        with closing(WorkspaceSession(engine, expire_on_commit=False)) as session:
            uow = open_workspace(session, clock, workspace_key)
            wanted = dict(sample_order(uow.session, order_id).order)
            document = shelf_pack(session, None, wanted["pack"]).document
        records = _make(engine, clock, document, wanted, months)
    except FunnelwrightError as error:
        values = {name: str(value) for name, value in error.values.items()}
        told, data = "sample.failed", dict[str, Any](message=error.message_key, values=values)
    except Exception:
        # Whoever waits is told; the error itself is the worker's to report.
        _note(engine, clock, workspace_key, order_id, "sample.failed", {"message": BROKEN, "values": {}})
        raise
    else:
        told, data = "sample.made", {"records": records}
    _note(engine, clock, workspace_key, order_id, told, data)
    return told == "sample.made"


def _note(
    engine: Any, clock: Clock, workspace_key: str, order_id: int, kind: str, data: dict[str, Any]
) -> None:
    with closing(WorkspaceSession(engine, expire_on_commit=False)) as session:
        uow = open_workspace(session, clock, workspace_key)
        uow.begin()
        uow.batch_id = order_id
        uow.log(kind, data=data)
        if kind == "sample.failed":
            wanted = sample_order(uow.session, order_id).order
            postings.forget(uow, _once(wanted["pack"], wanted["facts"]["key"]))
        uow.commit()


def _make(engine: Any, clock: Clock, document: Document, wanted: dict[str, Any], months: int) -> int:
    """Records that the new company has."""
    founder = wanted["founder"]
    person = PersonFacts(founder["name"], _founder_role(document), founder["email"])
    folder = packs.locate(wanted["pack"]) if wanted["pack"] in packs.shipped() else None
    plan = read_plan(folder, document)
    plan = replace(plan, months=min(plan.months, months))
    with closing(WorkspaceSession(engine, expire_on_commit=False)) as session:
        facts = WorkspaceFacts(**wanted["facts"])
        made = make_company(session, document, plan, clock.now(), "", facts=facts, founder=person)
    return sum(count for name, count in made.happened.items() if name.startswith("created "))


def _founder_role(document: Document) -> str:
    """Errors: Conflict when no role of the template could begin."""
    role = Setup(tuple(packs.documents(document)), ()).founder_role()
    if role is None:
        raise Conflict(NO_FOUNDER_ROLE)
    return role
