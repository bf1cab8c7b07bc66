"""The words and domains that say nothing about whom a record means (``schemas/matching/names.json``)."""

from __future__ import annotations

import json
from functools import cache

from builder.domain.duplicates import NameWords
from builder.resources import resource_folder


@cache
def name_words() -> NameWords:
    """Read once a process."""
    text = (resource_folder("schemas") / "matching" / "names.json").read_text(encoding="utf-8")
    return NameWords.of(json.loads(text))
