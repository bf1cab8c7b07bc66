"""Importing from the command line: presets, saved mappings, stated dates, footers; the screen's services."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from builder.cli import main
from tests.factories import make_world
from tests.fixtures.databases import FreshDatabase

Run = Callable[..., Result]
DEALS = (
    "Deal - ID,Deal - Title,Deal - Value,Deal - Stage,Deal - Status,Deal - Deal created,Deal - Deal closed on\n"
    "1,One,$1.5K,Qualified,won,2025-01-02,2025-02-01\n"
    "2,Two,200,Proposal Made,open,2025-01-03,\n"
    "3,Three,300,Proposal Made,lost,2025-01-04,2025-03-01\n"
    "Total,,2000,,,,\n"
)
CASES = "title,due,worth\nA,03/04/2025,1.054\nB,05/06/2025,2.000\n"


@pytest.fixture
def run(database_url: FreshDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    make_world(database_url.url).engine.dispose()
    monkeypatch.setenv("DATABASE_URL", database_url.url)
    monkeypatch.setenv("DATABASE_OWNER_URL", database_url.owner_url)
    monkeypatch.setenv("FUNNELWRIGHT_DATA", str(tmp_path / "data"))

    def invoke(text: str, *arguments: str) -> Result:
        path = tmp_path / "file.csv"
        path.write_text(text, encoding="utf-8")
        line = ["import", str(path), "-w", "acme", "--object", "matter", *arguments]
        return CliRunner().invoke(main, line)

    return invoke


def facts(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_preset_fills_in_the_columns_and_totals_are_left_out(run: Run) -> None:
    hinted = run(DEALS, "--dry-run")
    assert "The headers are those of Pipedrive: --preset pipedrive" in hinted.stderr
    assert "Left out at the end as totals or notes: 1 rows" in hinted.stderr
    found = facts(run(DEALS, "--preset", "auto", "--json"))
    assert (found["created"], found["refused"]) == (3, 0)
    again = facts(run(DEALS, "--preset", "pipedrive", "--json"))
    assert (again["created"], again["unchanged"]) == (0, 3)
    assert facts(run(DEALS, "--preset", "pipedrive", "--footer", "0", "--json"))["refused"] == 1


def test_dates_and_decimals_are_asked_for_and_said_by_column(run: Run) -> None:
    refused = run(CASES)
    assert refused.exit_code != 0
    said = ("--dates", "due=mdy", "--decimals", "worth=,", "--json")
    assert facts(run(CASES, *said))["created"] == 2
    assert run(CASES, "--dates", "due=upside").exit_code == 2


def test_what_was_said_is_saved_under_a_name_and_taken_again(run: Run) -> None:
    said = ("--dates", "due=mdy", "--decimals", "worth=,", "--key", "title", "--save-mapping", "Monthly")
    assert facts(run(CASES, *said, "--json"))["created"] == 2
    assert facts(run(CASES, "--mapping", "monthly", "--json"))["unchanged"] == 2
    for wrong in (("--mapping", "Nothing"), ("--preset", "nothing"), ("--preset", "auto")):
        result = run(CASES, *wrong)
        assert result.exit_code != 0, wrong


def test_linked_files_are_brought_in_one_run(run: Run, tmp_path: Path) -> None:
    for name, text in (
        ("matters.csv", "ID,Title,Worth,Client\nM1,First,100,K1\n"),
        ("clients.csv", "ID,Name\nK1,Acme\n"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    line = ["import-together", str(tmp_path / "matters.csv"), str(tmp_path / "clients.csv"), "-w", "acme"]
    found = json.loads(CliRunner().invoke(main, [*line, "--json"]).stdout)
    assert [(each["file"], each["object"], each["created"], each["refused"]) for each in found] == [
        ("clients.csv", "client", 1, 0), ("matters.csv", "matter", 1, 0),
    ]  # fmt: skip
    assert CliRunner().invoke(main, [*line, "--as", "nothing.csv=client"]).exit_code == 2
    refused = CliRunner().invoke(main, [*line, "--as", "clients.csv=nothing"])
    assert refused.exit_code == 1
    (tmp_path / "users.csv").write_text("USER_ID,Email\n7,ann@example.com\n", encoding="utf-8")
    refused = CliRunner().invoke(main, [*line, str(tmp_path / "users.csv")])
    assert refused.exit_code == 1
    assert "Nothing tells what the rows of users.csv become" in refused.output
