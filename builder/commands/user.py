"""user: add a person with a sign-in to a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from builder.commands.context import open_workspace, print_json
from builder.errors import N_, Invalid, NotFound

if TYPE_CHECKING:
    from builder.services.unit_of_work import UnitOfWork


@click.group()
def user() -> None:
    """Add people."""


@user.command()
@click.argument("email")
@click.option("-w", "--workspace", required=True, metavar="KEY", help="The workspace.")
@click.option("--role", required=True, metavar="ROLE", help="The key of a role of the workspace.")
@click.option("--name", required=True, help="What people read.")
@click.option("--manager", metavar="EMAIL", help="The e-mail address of the manager.")
@click.option("--department", metavar="NAME", help="A department, made when there is none of that name.")
@click.option("--password", help="Made and printed once when it is left out.")
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
def add(
    email: str,
    workspace: str,
    role: str,
    name: str,
    manager: str | None,
    department: str | None,
    password: str | None,
    as_json: bool,
) -> None:
    """Add the person EMAIL to a workspace, all or nothing."""
    from builder.services import departments, people

    if not email.strip():
        raise Invalid(N_("A sign-in needs an e-mail address."))
    with open_workspace(workspace) as uow:
        uow.begin()
        facts = people.PersonFacts(
            name=name,
            role_key=role,
            email=email,
            manager_id=_manager(uow, manager),
            department_id=departments.find_or_add(uow, department) if department else None,
        )
        added = people.add(uow, facts, password=password)
        uow.commit()
    if as_json:
        told = {"password": added.password} if added.password else {}
        print_json({"email": people.normalised_email(email), "workspace": workspace, "role": role, **told})
        return
    click.echo(f"{name} is in {workspace} now, as {role}.")
    if added.password:
        click.echo(f"Password: {added.password}")


def _manager(uow: UnitOfWork, email: str | None) -> int | None:
    from builder.services import people

    if email is None:
        return None
    found = people.find_by_email(uow, email)
    if found is None:
        raise NotFound(N_("Nobody in the workspace has the e-mail address %(email)s."), email=email[:255])
    return found
