"""The key by which a file that we wrote names a record, so that reading the file back finds it again.

``fw:`` and the record's public id, which is unique for ever. A name that could mean several records carries
the key behind it: ``Acme [fw:…]``.
"""

from __future__ import annotations

import re

from builder.db.ids import from_public, to_public

_KEY = re.compile(r"fw:([A-Za-z0-9_-]{11})")
_BEHIND = re.compile(r".*\[fw:([A-Za-z0-9_-]{11})\]", re.DOTALL)


def record_key(record_id: int) -> str:
    """The key of a record of ours."""
    return f"fw:{to_public(record_id)}"


def with_key(name: str, record_id: int) -> str:
    """A name that means this record whatever else is called so."""
    return f"{name} [{record_key(record_id)}]".strip()


def id_of_key(text: str) -> int | None:
    """The id that ``record_key`` wrote; ``None`` for any other text. It need not exist."""
    return _id(_KEY.fullmatch(text))


def id_behind(text: str) -> int | None:
    """The id in a text that ``with_key`` wrote; ``None`` for any other text."""
    return _id(_BEHIND.fullmatch(text)) if text.endswith("]") else None


def _id(found: re.Match[str] | None) -> int | None:
    if found is None:
        return None
    try:
        return from_public(found[1])
    except ValueError:
        return None
