"""The list of icons that are shipped, ``static/icons.txt``, and what those of the palette are called."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, BinaryIO

from builder.resources import resource_folder

_PAGES_OWN = "# What pages use"


@cache
def palette_icons() -> dict[str, str]:
    """The icons that admins may give to objects and stages, with their English names: the first part of
    the list.
    """
    text = (resource_folder("static") / "icons.txt").read_text("utf-8").partition(_PAGES_OWN)[0]
    return {icon: name for _, icon, name in sorted(icon_lines(text), key=lambda line: line[1])}


def icon_messages(
    file: BinaryIO, *_keywords: Any, **_options: Any
) -> Iterator[tuple[int, str, tuple[str, str], list[str]]]:
    """The names of the palette's icons for the catalogues of messages (an extractor of Babel)."""
    for number, _, name in icon_lines(file.read().decode()):
        if name:
            yield number, "pgettext", ("icon", name), []


def icon_lines(text: str) -> Iterator[tuple[int, str, str]]:
    """Number of the line, icon, and what it is called where a palette needs that."""
    for number, line in enumerate(text.splitlines(), 1):
        icon, _, name = line.partition("#")[0].partition(":")
        if icon.strip():
            yield number, icon.strip(), name.strip()
