"""`funnelwright demo`: a company to try the product with."""

from __future__ import annotations

import json
import os
import secrets
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from builder.clock import SystemClock
from builder.commands.context import open_session, print_json, read_settings
from builder.errors import NotFound

if TYPE_CHECKING:
    from builder.db.tenancy import WorkspaceSession
    from builder.metadata.grammar import Document
    from builder.services.demo.plan import DemoPlan

SIGN_INS = "sign-ins-{}.json"


@click.command()
@click.option(
    "--pack", "pack_key", default="b2b", show_default=True, help="Industry template with a demo plan."
)
@click.option("--months", type=click.IntRange(1, 60), help="Months of history instead of the plan's.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def demo(pack_key: str, months: int | None, as_json: bool) -> None:
    """Make the demo workspace, unless it is there, and print how to sign in."""
    from builder.metadata import packs
    from builder.services import workspaces
    from builder.services.demo.plan import read_plan

    settings = read_settings()
    folder = packs.locate(pack_key)
    plan = read_plan(folder, packs.load(folder))
    plan = replace(plan, months=months or plan.months)
    memory = settings.data_folder / SIGN_INS.format(plan.workspace["key"])
    with open_session(settings) as session:
        try:
            workspaces.open_workspace(session, SystemClock(), plan.workspace["key"])
            sign_ins = _remembered(memory)
        except NotFound:
            session.rollback()
            sign_ins = _make(session, packs.load(folder), plan)
            _remember(memory, sign_ins)
    if as_json:
        print_json({"workspace": plan.workspace["key"], "sign_ins": sign_ins})
        return
    _print(sign_ins)


def _make(session: WorkspaceSession, pack: Document, plan: DemoPlan) -> list[dict[str, str]]:
    """Make the company, showing how far it is, and return how to sign in."""
    from builder.services.demo.company import make_company

    label = f"Making {plan.months} months of history"
    password = f"demo-{secrets.token_hex(4)}"
    with click.progressbar(length=1000, label=label, file=sys.stderr) as bar:

        def show(share: float) -> None:
            bar.update(max(0, int(share * 1000) - bar.pos))

        company = make_company(session, pack, plan, SystemClock().now(), password, show)
    return [
        {"name": one.name, "role": one.role, "email": one.email, "password": one.password}
        for one in company.sign_ins
    ]


def _remember(memory: Path, sign_ins: list[dict[str, str]]) -> None:
    """Keep the sign-ins for the next start, readable by the owner of the folder only."""
    descriptor = os.open(memory, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(sign_ins, file, ensure_ascii=False, indent=1)


def _remembered(memory: Path) -> list[dict[str, str]]:
    if not memory.exists():
        return []
    kept: list[dict[str, str]] = json.loads(memory.read_text("utf-8"))
    return kept


def _print(sign_ins: list[dict[str, str]]) -> None:
    if not sign_ins:
        click.echo("The demo workspace is there already; its sign-ins were not kept on this machine.")
        return
    click.echo("Sign in to the demo as:")
    for one in sign_ins:
        click.echo(f"  {one['role']:<11} {one['email']:<26} {one['password']:<16} {one['name']}")
