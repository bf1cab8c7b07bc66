"""Fixtures of all tests. The heavy ones live in tests/fixtures/, one module a machine."""

from __future__ import annotations

pytest_plugins = [
    "tests.fixtures.postgres",
    "tests.fixtures.databases",
    "tests.fixtures.application",
    "tests.fixtures.town",
    "tests.fixtures.boards",
    "tests.fixtures.imports",
    "tests.fixtures.browser",
    "tests.fixtures.styleguide",
]
