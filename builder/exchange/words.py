"""Words of files that mean something to the product: yes and no, and how a deal stands (S25).

They are data (``schemas/exchange/words.json``), in English, German and Chinese.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from builder.resources import resource_folder

OUTCOMES: Final = ("open", "won", "lost", "invalid")
# Signs that programs put around texts and nobody sees: zero-width spaces, marks of direction and of order.
_UNSEEN = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"


@lru_cache(maxsize=1)
def _meanings() -> Mapping[str, str]:
    path = resource_folder("schemas") / "exchange" / "words.json"
    listed: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    return {folded(word): meaning for meaning, words in listed.items() for word in words}


def folded(text: str) -> str:
    """Words are compared without regard to case and space around and between them."""
    return " ".join(trimmed(text).split()).casefold()


def trimmed(text: str) -> str:
    """``text`` without space and unseen signs at its ends."""
    text = text.strip()
    return text if text.isascii() else text.strip(_UNSEEN).strip().strip(_UNSEEN)


def yes_or_no(text: str) -> bool | None:
    """What a word means; ``None``: neither."""
    return {"yes": True, "no": False}.get(_meanings().get(folded(text), ""))


def outcome_of(text: str) -> str | None:
    """``open``, ``won``, ``lost`` or ``invalid`` for a word that says how a deal stands."""
    found = _meanings().get(folded(text))
    return found if found in OUTCOMES else None
