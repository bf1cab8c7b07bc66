"""What may not stand in any template."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[1] / "templates"
_TAG = re.compile(r"<[a-zA-Z](?:\{[{%#].*?[}%#]\}|[^<>])*>", re.DOTALL)


def joined_attributes(text: str) -> list[str]:
    """Tags in which two conditional attributes would run together.

    Blocks lose the line end after them and the blanks before them (``trim_blocks``, ``lstrip_blocks``), so of
    two conditional attributes on two lines the second must bring its own blank.
    """
    found = []
    for tag in _TAG.findall(text):
        for line, following in pairwise(tag.splitlines()):
            content = re.match(r"\s*\{% (?:if|for) [^}]*%\}(.?)", following)
            if line.rstrip().endswith("%}") and content and content.group(1) not in (" ", "{", ""):
                found.append(following.strip())
    return found


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_conditional_attributes_stay_apart(path: Path) -> None:
    assert joined_attributes(path.read_text(encoding="utf-8")) == []


def test_attributes_that_would_run_together_are_found() -> None:
    apart = "<input\n  {% if a %} checked{% endif %}\n  {% if b %} disabled{% endif %}>"
    joined = "<input\n  {% if a %}checked{% endif %}\n  {% if b %}disabled{% endif %}>"
    assert joined_attributes(apart) == []
    assert joined_attributes(joined) == ["{% if b %}disabled{% endif %}>"]
