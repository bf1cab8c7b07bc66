"""A field type and a report come as a plug-in: the worked example of the docs, loaded by entry points (S24)."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builder.charts import report
from tests.fixtures.boards import Boards

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "plug-ins"
SCRIPT = """
import copy, sys
from builder.errors import Invalid
from builder.metadata.documents import check
from builder.services import records
from builder.services.records import NewRecord
from builder.charts.report import reports
from builder.forms.field_settings import type_meta_schema
from tests import factories

client = copy.deepcopy(factories.ACCOUNT)
client["fields"]["properties"]["vat"] = {
    "x-type": "vat_number", "x-label": {"en": "VAT"}, "x-country": "DE", "x-filterable": True
}
assert check("object", client) == [], check("object", client)
wrong = copy.deepcopy(client)
wrong["fields"]["properties"]["vat"]["x-country"] = "Germany"
assert [each.pointer for each in check("object", wrong)] == ["/fields/properties/vat/x-country"]
assert "x-country" in type_meta_schema("vat_number")["properties"]
world = factories.make_world(sys.argv[1], documents=(client, *factories.DOCUMENTS[1:]))
with world.work() as uow:
    records.create(uow, "client", NewRecord({"title": "Right", "vat": "DE123456789"}))
    uow.commit()
    try:
        records.create(uow, "client", NewRecord({"title": "Wrong", "vat": "FR123456789"}))
    except Invalid as error:
        print("refused", error.problems[0].place)
print("loaded", *reports())
"""


def _installed(folder: Path, value: str = "") -> dict[str, str]:
    """The environment of a process in which the example is installed; ``value``: what its entry names."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]
    facts = folder / f"company_extras-{project['version']}.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n", "utf-8")
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value or known}" for name, known in entries.items())]
    (facts / "entry_points.txt").write_text("\n".join(lines), "utf-8")
    path = os.pathsep.join(map(str, (folder, EXAMPLE, ROOT)))
    return {**os.environ, "PYTHONPATH": path}


def test_the_example_is_found_and_its_type_works_as_those_of_the_house(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'plugged.db'}"
    prepared = "from builder.db import migrate; import sys; migrate.upgrade(sys.argv[1])\n"
    done = subprocess.run(
        [sys.executable, "-c", prepared + SCRIPT, url],
        env=_installed(tmp_path), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["refused", "vat", "loaded", "ages"]


def test_a_plug_in_that_cannot_be_loaded_stops_the_start_and_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from builder.fieldtypes.registry import all_types; all_types()"],
        env=_installed(tmp_path, "nowhere:Nothing"), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    assert "nowhere:Nothing of the package company-extras" in done.stderr


@pytest.fixture
def plugged_report(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    found = importlib.util.spec_from_file_location("company_extras", EXAMPLE / "company_extras.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    monkeypatch.setattr(report, "plugged", lambda _group: (module.Ages(),))
    report.reports.cache_clear()
    yield module
    report.reports.cache_clear()


def test_its_report_has_a_page_that_counts_what_the_reader_sees(
    sqlite_boards: Boards, plugged_report: Any
) -> None:
    sqlite_boards.new("Alien", holder=str(sqlite_boards.town.ids["Ada"]))
    for who, count in (("Ada", 2), ("Rita", 1)):
        page = sqlite_boards.town.as_(who).get("/w/acme/insights/reports/ages")
        assert page.status_code == 200
        assert f">{count}<" in page.text
        assert "/w/acme/insights/reports/ages" in page.text
    assert sqlite_boards.town.as_("Rita").get("/w/acme/insights/reports/other").status_code == 404
