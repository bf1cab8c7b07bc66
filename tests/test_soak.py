"""The list of long tests names tests that exist, each with a sibling that runs every time."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent


def test_every_line_names_a_test_that_is_there_and_one_that_runs_instead() -> None:
    lines = [
        line for line in (TESTS / "soak.txt").read_text("utf-8").splitlines() if not line.startswith("#")
    ]
    assert lines
    long_ones = {line.partition(" = ")[0] for line in lines}
    for line in lines:
        long, _, instead = line.partition(" = ")
        name = re.fullmatch(r"([\w/]+\.py)::(test_\w+)(\[[\w.-]+\])?", long)
        assert name, line
        assert name[3] or instead, line
        assert is_there(long), line
        assert not instead or (is_there(instead) and instead not in long_ones), line


def is_there(node: str) -> bool:
    path, _, rest = node.partition("::")
    return f"def {rest.partition('[')[0]}(" in (TESTS / path).read_text("utf-8")
