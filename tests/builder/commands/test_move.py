"""`move` on the command line goes through the one door (B1)."""

from __future__ import annotations

import json

import pytest

from builder.commands.context import open_workspace
from builder.db.ids import to_public
from builder.queries.record import record_page
from builder.services import records, stage_work
from builder.services.entries import Entry
from builder.services.records import NewRecord
from builder.services.stage_work import WorkOnStage
from tests import factories
from tests.builder.commands.test_workspace import Run, law, run  # noqa: F401 - fixtures

STAGE = {
    **factories.FLOW["stages"][0],
    "tasks": [{"key": key, "label": {"en": key.title()}, "severity": "block"} for key in ("call", "visit")],
}


@pytest.fixture
def case(run: Run, law: str) -> int:  # noqa: F811
    """A record in the first stage of a process whose gate asks for two tasks, one of which is done."""
    assert run("workspace", "create", "acme", "--pack", law).exit_code == 0
    with open_workspace("acme") as uow:
        flow = {**factories.FLOW, "stages": [STAGE, *factories.FLOW["stages"][1:]]}
        factories.publish(uow, [flow])
        uow.commit()
        made = records.create(uow, "matter", NewRecord({"title": "Fence"}, Entry("flow"))).record_id
        stage_work.work(uow, WorkOnStage(made, tasks={"call": True}))
        uow.commit()
    return made


def test_tasks_that_are_done_add_to_those_that_were(run: Run, case: int) -> None:  # noqa: F811
    where = (to_public(case), "--to", "b", "-w", "acme", "--answer", 'address="Here"', "--json")
    refused = run("move", *where)
    assert (refused.exit_code, json.loads(refused.stdout)["result"]) == (3, "refused")

    moved = run("move", *where, "--done", "visit")

    assert (moved.exit_code, json.loads(moved.stdout)["result"]) == (0, "applied"), moved.output
    with open_workspace("acme") as uow:
        page = record_page(uow.session, uow.catalog, uow.actor, case)
        assert page.record.stage_key == "b"
        assert sorted(page.stays[0].tasks_done) == ["call", "visit"]


def test_what_is_no_id_is_said(run: Run, case: int) -> None:  # noqa: F811
    wrong = run("move", "nonsense", "--to", "b", "-w", "acme")
    assert wrong.exit_code != 0
    assert "no id of a record" in wrong.output
    gone = run("move", to_public(case + 1), "--to", "b", "-w", "acme")
    assert gone.exit_code != 0
    assert "does not exist" in gone.output
