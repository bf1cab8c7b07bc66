"""Template filters that turn a name into the mark of an avatar."""

from __future__ import annotations

import zlib

from flask import Flask

_TINTS = 8


def initials(name: str) -> str:
    """At most two characters for a name: Ada Lovelace is AL, 王小明 is 小明, nobody is a question mark."""
    words = [word for word in name.split() if word[0].isalnum()]
    if not words:
        return "?"
    if not words[0].isascii() and len(words) == 1 and len(words[0]) <= 4 and words[0].isalpha():
        return words[0][-2:]
    if len(words) == 1:
        return words[0][:2].upper()
    return (words[0][0] + words[-1][0]).upper()


def tint(name: str) -> int:
    """One of eight colours, the same for the same name in every process."""
    return zlib.crc32(name.encode("utf-8", "surrogatepass")) % _TINTS + 1


def add_avatar_filters(app: Flask) -> None:
    app.jinja_env.filters["initials"] = initials
    app.jinja_env.filters["tint"] = tint
