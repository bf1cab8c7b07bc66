"""A fresh small company on each database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.builder.queries.world import World
from tests.fixtures.databases import FreshDatabase


@pytest.fixture
def world(database_url: FreshDatabase) -> Iterator[World]:
    made = World(database_url.url)
    made.populate()
    yield made
    made.close()
