"""Whom a text mentions: ``@`` and the name of a colleague (S125)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

SIGN = "@"
# Each sign is compared with the names; a text of ten thousand of them would keep every reader waiting.
MOST_SIGNS = 100


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text; ``members`` are those whom it mentions, none for ordinary text."""

    text: str
    members: tuple[int, ...] = ()


def spans(text: str, people: Iterable[tuple[int, str]]) -> tuple[Span, ...]:
    """The text in pieces, in order and without loss; ``people`` are (member id, name).

    A mention is ``@`` at the beginning of a word, followed by the longest name that stands there, whatever
    its case; a name in letters of an alphabet ends where the word ends, a Chinese one may be followed by
    anything. Several people of one name are all mentioned. Everything else, such as an e-mail address, is
    ordinary text, and so is what follows the first ``MOST_SIGNS`` signs.
    """
    if SIGN not in text:
        return (Span(text),) if text else ()
    by_name = _by_name(people)
    longest = max(map(len, by_name), default=0)
    found: list[Span] = []
    plain = 0
    for start in islice(_signs(text), MOST_SIGNS):
        if start < plain:
            continue
        length = _name_length(text, start + 1, by_name, longest)
        if not length:
            continue
        if plain < start:
            found.append(Span(text[plain:start]))
        plain = start + 1 + length
        found.append(Span(text[start:plain], by_name[_folded(text[start + 1 : plain])]))
    if plain < len(text):
        found.append(Span(text[plain:]))
    return tuple(found)


def mentioned(text: str, people: Iterable[tuple[int, str]]) -> tuple[int, ...]:
    """The members that a text mentions, each once, in the order of the text."""
    return tuple(dict.fromkeys(member for span in spans(text, people) for member in span.members))


def _by_name(people: Iterable[tuple[int, str]]) -> Mapping[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for member_id, name in people:
        key = _folded(name)
        if key:
            found[key] = (*found.get(key, ()), member_id)
    return found


def _signs(text: str) -> Iterator[int]:
    """Where an ``@`` begins a word: after another letter or digit it is part of an address."""
    at = text.find(SIGN)
    while at >= 0:
        before = text[at - 1] if at else " "
        if not before.isalnum() or _is_ideograph(before):
            yield at
        at = text.find(SIGN, at + 1)


def _name_length(text: str, start: int, by_name: Mapping[str, tuple[int, ...]], longest: int) -> int:
    # Folding may shorten (a combining accent), so a little more of the text than the longest name is tried.
    for end in range(min(len(text), start + 2 * longest), start, -1):
        if _folded(text[start:end]) in by_name and _ends_here(text, end):
            return end - start
    return 0


def _ends_here(text: str, end: int) -> bool:
    after = text[end] if end < len(text) else " "
    return not (after.isalnum() or unicodedata.combining(after)) or _is_ideograph(text[end - 1])


def _is_ideograph(character: str) -> bool:
    return unicodedata.category(character) == "Lo"


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
