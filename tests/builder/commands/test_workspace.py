"""workspace, user and pack on the command line: what they do, what they print, how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from builder.cli import main
from builder.metadata import packs
from tests import factories
from tests.builder.services.test_packs import PACK
from tests.fixtures.databases import FreshDatabase

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: FreshDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("DATABASE_URL", database_url.url)
    monkeypatch.setenv("DATABASE_OWNER_URL", database_url.owner_url)
    monkeypatch.setenv("FUNNELWRIGHT_DATA", str(tmp_path / "data"))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments), catch_exceptions=False)

    return invoke


@pytest.fixture
def law(tmp_path: Path) -> str:
    packs.write(PACK, tmp_path / "law")
    return str(tmp_path / "law")


def test_a_workspace_is_created_with_its_pack_and_listed(run: Run, law: str) -> None:
    assert json.loads(run("workspace", "list", "--json").stdout) == []

    made = run("workspace", "create", "acme", "--pack", law, "--name", "Acme", "--currency", "CNY", "--json")

    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout) == {
        "key": "acme",
        "name": "Acme",
        "locale": "en",
        "time_zone": "UTC",
        "currency": "CNY",
        "pack": "law",
        "definitions": len(factories.DOCUMENTS),
    }
    assert [each["key"] for each in json.loads(run("workspace", "list", "--json").stdout)] == ["acme"]
    assert "Acme" in run("workspace", "list").stdout


def test_an_empty_workspace_has_the_roles_of_the_template_and_nothing_else(run: Run, law: str) -> None:
    both = run("workspace", "create", "acme", "--pack", law, "--empty", "--sample")
    assert both.exit_code == 2
    made = run("workspace", "create", "acme", "--pack", law, "--empty", "--json")
    assert made.exit_code == 0, made.output
    roles = [each for each in packs.documents(packs.load(Path(law))) if each["kind"] == "role"]
    assert json.loads(made.output)["definitions"] == len(roles) > 0
    added = run("user", "add", "ada@example.com", "-w", "acme", "--name", "Ada", "--role", roles[0]["key"])
    assert added.exit_code == 0, added.output
    planned = json.loads(run("pack", "plan", law, "-w", "acme", "--json").output)
    assert "role" not in {each["kind"] for each in planned["changes"]}
    assert planned["changes"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Bad Key",), "key"),
        (("acme", "--zone", "Mars/Base"), "Mars/Base"),
        (("acme", "--currency", "dollars"), "currency"),
        (("acme", "--locale", "tlh"), "language"),
    ],
)
def test_a_workspace_that_cannot_be_says_why_and_leaves_nothing(
    run: Run, law: str, arguments: tuple[str, ...], said: str
) -> None:
    result = run("workspace", "create", *arguments, "--pack", law)

    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert json.loads(run("workspace", "list", "--json").stdout) == []


def test_a_broken_pack_leaves_no_workspace_behind(run: Run, law: str) -> None:
    (Path(law) / "objects" / "client.json").write_text("{")

    assert run("workspace", "create", "acme", "--pack", law).exit_code == 1
    assert json.loads(run("workspace", "list", "--json").stdout) == []


def test_a_key_is_taken_once(run: Run, law: str) -> None:
    assert run("workspace", "create", "acme", "--pack", law).exit_code == 0

    again = run("workspace", "create", "acme", "--pack", law)
    assert (again.exit_code, "already" in again.stderr) == (1, True)
    assert run("workspace", "create", "new", "--pack", "nowhere").exit_code == 1
    assert run("workspace", "create").exit_code == 2
    assert run("workspace", "create", "new").exit_code == 2


def add(run: Run, email: str, *more: str) -> Result:
    return run("user", "add", email, "-w", "acme", "--role", "rep", "--name", "Rita", *more)


def test_a_person_is_added_with_a_password_told_once(run: Run, law: str) -> None:
    run("workspace", "create", "acme", "--pack", law)

    told: dict[str, Any] = json.loads(add(run, "Rita@Example.com", "--json").stdout)
    assert told["email"] == "rita@example.com"
    assert len(told["password"]) == 19
    own = add(run, "b@example.com", "--password", "a long password", "--manager", "rita@example.com")
    assert own.exit_code == 0, own.output
    assert "assword" not in own.stdout
    for _ in range(2):
        email = f"c{_}@example.com"
        assert add(run, email, "--department", "East", "--json").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nobody",), "e-mail"),
        (("x@example.com", "--password", "short"), "at least 8"),
        (("x@example.com", "--manager", "ghost@example.com"), "ghost@example.com"),
        (("x@example.com", "--role", "pirate"), "pirate"),
    ],
)
def test_a_person_that_cannot_be_added_says_why(
    run: Run, law: str, arguments: tuple[str, ...], said: str
) -> None:
    run("workspace", "create", "acme", "--pack", law)

    result = add(run, *arguments)

    assert result.exit_code == 1
    assert said in result.stderr


def test_an_unknown_workspace_and_missing_options(run: Run) -> None:
    assert (
        "nowhere" in run("user", "add", "x@example.com", "-w", "nowhere", "--role", "r", "--name", "x").stderr
    )
    assert run("user", "add", "x@example.com").exit_code == 2


def test_a_pack_is_checked_installed_and_exported_byte_for_byte(run: Run, law: str, tmp_path: Path) -> None:
    assert run("pack", "check", law).exit_code == 0
    run("workspace", "create", "acme", "--pack", law)
    assert run("pack", "install", law, "-w", "acme").exit_code == 1

    exported = run("pack", "export", "law", "-w", "acme")
    assert exported.stdout == packs.combined(PACK)
    assert run("pack", "export", "law", "-w", "acme", "-o", str(tmp_path / "out")).exit_code == 0
    assert packs.files(packs.load(tmp_path / "out")) == packs.files(PACK)
    assert run("pack", "export", "none", "-w", "acme").exit_code == 1


def test_checking_names_every_fault_with_file_and_pointer(run: Run, law: str) -> None:
    path = Path(law) / "pipelines" / "flow.json"
    document = json.loads(path.read_text("utf-8"))
    document["stages"][0]["feedback"] = "nowhere"
    path.write_text(json.dumps(document), "utf-8")

    result = run("pack", "check", law, "--json")

    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["errors"] >= 1
    assert any(
        fault["file"] == "pipelines/flow.json" and fault["pointer"].startswith("/stages/0")
        for fault in told["problems"]
    )
    assert run("pack", "check", "nowhere").exit_code == 1


def test_a_database_without_tables_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNNELWRIGHT_DATA", str(tmp_path))
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        monkeypatch.delenv(name, raising=False)

    result = CliRunner().invoke(main, ["workspace", "list"])

    assert result.exit_code == 1
    assert "funnelwright init" in result.stderr
