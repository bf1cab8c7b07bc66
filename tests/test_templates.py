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


_MACRO = re.compile(r"\{%-?\s*macro .*?endmacro\s*-?%\}", re.DOTALL)
_WHOLLY_UNESCAPED = re.compile(
    r"\{%-?\s*macro [^%]*%\}\s*\{%-?\s*autoescape false\s*-?%\}.*\{%-?\s*endautoescape\s*-?%\}\s*\{%-?\s*endmacro\s*-?%\}",
    re.DOTALL,
)


def test_a_macro_that_turns_escaping_off_does_so_for_the_whole_of_itself() -> None:
    """Its file is shared by threads, which put each other's state back (``builder.template_context``)."""
    found = [
        macro.group()
        for path in sorted((TEMPLATES / "components").rglob("*.html"))
        for text in [path.read_text("utf-8")]
        if "{% autoescape" in text or "{%- autoescape" in text
        for macro in _MACRO.finditer(text)
    ]
    assert len(found) >= 2
    assert [macro[:60] for macro in found if not _WHOLLY_UNESCAPED.fullmatch(macro)] == []
