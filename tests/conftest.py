"""Fixtures of all tests. The heavy ones live in tests/fixtures/, one module a machine."""

from __future__ import annotations

import gc

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
    gc.set_threshold(100_000, 20, 50)
