"""Fixtures of all tests. The heavy ones live in tests/fixtures/, one module a machine."""

from __future__ import annotations

import gc
from pathlib import Path
from zlib import crc32

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


@pytest.fixture(autouse=True)
def nothing_known_of_filters() -> None:
    """Tests share ids of workspaces: what one database held is nothing to the next."""
    from builder.queries.probing import forget_many

    forget_many()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="also what stands in tests/soak.txt")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only ``make soak`` runs; whoever names a test gets it."""
    if config.getoption("--soak") or any("::" in each for each in config.args):
        return
    lines = (Path(__file__).parent / "soak.txt").read_text("utf-8").splitlines()
    left_out = {f"tests/{line.split(' = ')[0]}" for line in lines if line and not line.startswith("#")}
    left_out |= _other_systems({each.nodeid for each in items} - left_out)
    config.hook.pytest_deselected(items=[each for each in items if each.nodeid in left_out])
    items[:] = [each for each in items if each.nodeid not in left_out]


def _other_systems(nodes: set[str]) -> set[str]:
    """Of tests over HTTP that would run on both databases, the variant that ``make soak`` adds: each runs on
    one of them, half of all on SQLite and half on PostgreSQL, always the same. What is below HTTP runs on
    both every time.
    """
    found = set()
    for node in nodes:
        if node.startswith("tests/blueprints/") and "sqlite" in node:
            other = node.replace("sqlite", "postgresql")
            if other in nodes:
                found.add(other if crc32(node.encode()) % 2 else node)
    return found
