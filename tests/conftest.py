"""Fixtures of all tests. The heavy ones live in tests/fixtures/, one module a machine."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

pytest_plugins = [
    "tests.fixtures.postgres",
    "tests.fixtures.databases",
    "tests.fixtures.application",
    "tests.fixtures.town",
    "tests.fixtures.boards",
    "tests.fixtures.imports",
    "tests.fixtures.mails",
    "tests.fixtures.browser",
    "tests.fixtures.styleguide",
]


@pytest.fixture(scope="session", autouse=True)
def seldom_collected_garbage() -> None:
    """What was loaded stays anyway; looking through it again and again takes a tenth of the run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="also what stands in tests/soak.txt")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only ``make soak`` runs; whoever names a test gets it."""
    if config.getoption("--soak") or any("::" in each for each in config.args):
        return
    lines = (Path(__file__).parent / "soak.txt").read_text("utf-8").splitlines()
    long = {f"tests/{line.split(' = ')[0]}" for line in lines if line and not line.startswith("#")}
    config.hook.pytest_deselected(items=[each for each in items if each.nodeid in long])
    items[:] = [each for each in items if each.nodeid not in long]
