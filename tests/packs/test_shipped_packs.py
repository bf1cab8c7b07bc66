"""Every template that the product carries: installed and exported as it is, and each gate of it can be met.

The walk answers what the moves ask for as the sample data does, and loses nothing on its way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from builder.clock import FakeClock
from builder.db.engine import make_engine
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.metadata import packs
from builder.services import packs as services
from builder.services import workspaces
from builder.services.demo.company import make_company
from builder.services.demo.plan import DemoPlan, Flow, read_plan
from tests import factories


@pytest.fixture(scope="module")
def session(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkspaceSession]:
    path = tmp_path_factory.mktemp("packs") / "packs.db"
    path.write_bytes(sqlite_template.read_bytes())
    engine = make_engine(f"sqlite:///{path}")
    with WorkspaceSession(engine, expire_on_commit=False) as made:
        yield made
    engine.dispose()


def straight(plan: DemoPlan) -> DemoPlan:
    """Two records a process, which all go on to the end at once, and one of everything else."""

    def hurried(flow: Flow) -> Flow:
        begins = 2.0 if any(flow.per_month) else 0.0
        return replace(
            flow,
            per_month=(begins, begins),
            dwell_days=dict.fromkeys(flow.dwell_days, (0.1, 0.2)),
            advance=dict.fromkeys(flow.advance, 1.0),
            back=0.0,
        )

    stock = tuple(replace(stock, count=1) for stock in plan.stock)
    return replace(plan, months=1, stock=stock, flows=tuple(hurried(flow) for flow in plan.flows))


@pytest.mark.parametrize("key", packs.shipped())
def test_a_template_comes_back_byte_for_byte_and_every_gate_of_it_can_be_met(
    session: WorkspaceSession, key: str
) -> None:
    folder = packs.locate(key)
    pack = packs.load(folder)
    facts = workspaces.WorkspaceFacts(key.replace("_", "-"), currency="CNY")

    made = make_company(session, pack, straight(read_plan(folder, pack)), factories.START, "", facts=facts)

    uow = workspaces.open_workspace(session, FakeClock(factories.START), made.workspace_key)
    exported = packs.files(services.export(uow, key))
    assert {name: (folder / name).read_text("utf-8") for name in exported} == exported
    assert not [name for name in made.happened if name.startswith("refused")]
    won = set(session.scalars(select(Record.pipeline_key).where(Record.outcome == "won").distinct()))
    assert won == set(uow.catalog.pipelines)
