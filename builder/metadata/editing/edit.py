"""What all edits share: the protocol, how one is refused, and keys made from names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from builder.errors import N_, Invalid, Problem
from builder.metadata.grammar import Document

NOT_CHANGED = N_("Nothing was changed.")
NO_NAME = N_("Give it a name in at least one language.")
NO_FIELD = N_("This field is no longer there. Somebody may have removed it.")
NO_SECTION = N_("This section is no longer there. Somebody may have removed it.")
NO_RULE = N_("This rule is no longer there. Somebody may have removed it.")
TOO_LONG = N_("At most %(limit)s characters fit here.")
LONGEST_KEY = 63
LONGEST_LABEL = 200
LONGEST_TEXT = 4000
_LANGUAGES = ("en",)


class Refused(Invalid):
    """An edit that cannot be made; the problem names the control that it is about."""

    def __init__(self, message: str, place: str = "", **values: Any) -> None:
        super().__init__(NOT_CHANGED, problems=(Problem(message, place, values),))


class Faults:
    """What is wrong with one edit, gathered, so that a refused form tells all of it."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, message: str, place: str = "", **values: Any) -> None:
        self.problems.append(Problem(message, place, values))

    def texts(
        self, given: Mapping[str, str], place: str = "", *, longest: int = LONGEST_LABEL
    ) -> dict[str, str]:
        """Texts by language without the empty ones, in NFC. One that is too long is a fault."""
        kept = {}
        for code, text in given.items():
            text = unicodedata.normalize("NFC", text).strip()
            if len(text) > longest:
                self.add(TOO_LONG, f"{place}-{code}", limit=longest)
            if text:
                kept[code] = text
        return kept

    def named(self, given: Mapping[str, str], place: str = "label") -> dict[str, str]:
        """As ``texts``; none at all is a fault, too."""
        found = self.texts(given, place)
        if not found:
            self.add(NO_NAME, f"{place}-{next(iter(given), 'en')}")
        return found

    def refuse(self) -> None:
        """Errors: Refused with every fault, where there is one."""
        if self.problems:
            error = Refused("")
            error.problems = tuple(self.problems)
            raise error


class Edit(Protocol):
    """One change of a document: ``apply`` answers the changed document and leaves the given one alone.

    Errors: Refused. The result may be unsound (lint says how), but it is always of the shape that the
    next edit understands.
    """

    def apply(self, document: Document) -> Document: ...


def slug(name: str) -> str:
    """Small letters, digits and underscores of a name: ``"Expected close (week)"`` is
    ``expected_close_week``. Empty where nothing of it is left, as for 预计成交.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def key_for(names: Mapping[str, str], taken: Collection[str], otherwise: str) -> str:
    """A key for something called ``names`` (by language, English first), unlike all those ``taken``."""
    ordered = (*(names[code] for code in _LANGUAGES if code in names), *names.values())
    made = next((found for found in map(slug, ordered) if found), "") or otherwise
    if not made[0].isalpha():
        made = f"{otherwise}_{made}"
    made = made[: LONGEST_KEY - 4].rstrip("_")
    key, number = made, 2
    while key in taken:
        key, number = f"{made}_{number}", number + 1
    return key


def texts(given: Mapping[str, str], place: str = "", *, longest: int = LONGEST_LABEL) -> dict[str, str]:
    """Texts by language without the empty ones, in NFC. Errors: Refused for those that are too long."""
    faults = Faults()
    found = faults.texts(given, place, longest=longest)
    faults.refuse()
    return found


def named(given: Mapping[str, str], place: str = "label") -> dict[str, str]:
    """As ``texts``, and at least one of them. Errors: Refused."""
    faults = Faults()
    found = faults.named(given, place)
    faults.refuse()
    return found


def patched(before: Mapping[str, Any], settings: Mapping[str, Any]) -> Document:
    """``before`` with ``settings`` put in; ``None`` takes one away."""
    merged = {**before, **settings}
    return {key: value for key, value in merged.items() if value is not None}
