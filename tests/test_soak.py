"""The list of long tests names tests that exist, each with a sibling that runs every time."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent


def test_every_line_names_a_variant_of_a_test_that_is_there() -> None:
    lines = [
        line for line in (TESTS / "soak.txt").read_text("utf-8").splitlines() if not line.startswith("#")
    ]
    assert lines
    for line in lines:
        name = re.fullmatch(r"([\w/]+\.py)::(test_\w+)\[\w+\]", line)
        assert name, line
        assert f"def {name[2]}(" in (TESTS / name[1]).read_text("utf-8"), line
