"""One value as it is shown for reading: coloured words, a link, or text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from flask import Flask
from markupsafe import Markup, escape

from builder.fieldtypes.rating import STAR


@dataclass(frozen=True, slots=True)
class Mark:
    """One coloured word: an option, a stage."""

    text: str
    color: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value for reading; ``marks`` are shown instead of the text.

    ``kind``: ``number`` for figures, ``rating`` for stars, ``image`` for a picture whose file is at ``href``.
    """

    text: str
    href: str = ""
    kind: str = ""
    marks: tuple[Mark, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text)


NOTHING = Cell("")
_PICTURE = Markup('<a href="{0}"><img class="picture" src="{0}/picture" alt="{1}" loading="lazy"></a>')


def cell_markup(cell: Cell) -> Markup:
    """The cell as HTML; links out of the workspace say nothing about where they come from."""
    if cell.marks:
        return _marks_markup(cell.marks)
    if cell.kind == "rating":
        return _stars_markup(cell.text)
    if cell.kind == "image":
        return _PICTURE.format(cell.href, cell.text)
    if cell.href:
        rel = "" if cell.href.startswith("/") else ' rel="noopener noreferrer"'
        # Thousands a page: Markup.format, which also escapes, takes four times as long.
        return Markup(f'<a href="{escape(cell.href)}"{rel}>{escape(cell.text)}</a>')  # noqa: S704
    return escape(cell.text)


@lru_cache(maxsize=4096)
def _marks_markup(marks: tuple[Mark, ...]) -> Markup:
    """A list shows the same options and stages again and again."""
    words = (Markup('<span class="mark mark-{}">{}</span>').format(m.color or "gray", m.text) for m in marks)
    return Markup('<span class="marks">{}</span>').format(Markup("").join(words))


@lru_cache(maxsize=64)
def _stars_markup(stars: str) -> Markup:
    """Stars for the eye, the figure for those who listen."""
    spoken = f"{stars.count(STAR)}/{len(stars)}"
    return Markup('<span class="rating" role="img" aria-label="{}">{}</span>').format(spoken, stars)


def add_cells(app: Flask) -> None:
    """Give templates ``cell_markup``, which components/value.html exports as ``shown``."""
    app.jinja_env.globals["cell_markup"] = cell_markup
