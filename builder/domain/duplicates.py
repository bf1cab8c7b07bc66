"""How alike two records are, and by which keys those that may be alike find each other (S121).

A record is reduced to *traits*: what its duplicate keys say in a form that compares. Two records are compared
by all their traits at once: what is equal speaks for one and the same thing, what differs against it. Names
are compared by how much of them is equal, everything else exactly. Only records that share a *match key* are
ever compared, so that work grows with the number of records and not with its square.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Literal, TypeAlias

from rapidfuzz import fuzz

from builder.domain.search import folded

TraitKind: TypeAlias = Literal["name", "text", "phone", "email", "domain"]

# From this score on two records are shown as alike.
ALIKE = 0.6
# What equal traits say by themselves; a name says so much when all of it is equal.
_WEIGHTS: Mapping[str, float] = {"email": 0.92, "text": 0.9, "phone": 0.85, "name": 0.75, "domain": 0.65}
# The same last digits without the same country: a number typed without its code.
_DIGITS_WEIGHT = 0.6
# What it says when both records have the trait and no value is shared.
_AGAINST: Mapping[str, float] = {"email": 0.85, "text": 0.6, "phone": 0.85, "domain": 0.9}
_NAME_AGAINST = 0.7
_SIMILAR, _DIFFERENT = 0.8, 0.5
# So many percent of a name must be equal when nothing else speaks for it.
_ALONE = 100 * (1 - (_WEIGHTS["name"] - ALIKE) / 2)
_LAST_DIGITS = 9
_NAME_WORDS = 3
_PIECE = 4
# Marks match keys among the search tokens of a record; no word begins so.
MATCH_MARK = "~"
_MARKS = re.compile(r"[.'’`´]")
_WORD = re.compile(r"[^\W_]+")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True, slots=True)
class Trait:
    """What one duplicate key of a record says, in a form that compares. ``field``: its key."""

    field: str
    kind: TraitKind
    value: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why two records look alike: ``percent`` of the value of a field is equal."""

    kind: TraitKind
    field: str
    percent: int


@dataclass(frozen=True, slots=True)
class Likeness:
    """``score`` from 0 (nothing speaks for it) to 1 (all that is known is equal), with what speaks for it."""

    score: float
    reasons: tuple[Reason, ...] = ()

    @property
    def is_alike(self) -> bool:
        return self.score >= ALIKE


@dataclass(frozen=True)
class NameWords:
    """What says nothing about whom a name or an address means, from a data file.

    ``legal_forms``: words at the end of company names, folded, single spaces; ``joined_forms``: the same of
    scripts without spaces, at either end, the longest first; ``shared_domains``: of mail and web providers.
    """

    legal_forms: frozenset[tuple[str, ...]]
    joined_forms: tuple[str, ...]
    shared_domains: frozenset[str]

    @classmethod
    def of(cls, document: Mapping[str, Sequence[str]]) -> NameWords:
        return cls(
            frozenset(tuple(form.split()) for form in document["legal_forms"]),
            tuple(sorted(map(folded, document["joined_forms"]), key=len, reverse=True)),
            frozenset(document["shared_domains"]),
        )


def trait(field: str, kind: TraitKind, text: str, words: NameWords) -> Trait | None:
    """The trait of a field whose stored value reads ``text``; ``None`` when it says nothing."""
    if kind == "name":
        value = comparable_name(text, words)
    elif kind == "domain":
        value = comparable_domain(text, words)
    elif kind == "phone":
        value = text.strip()
    else:
        value = " ".join(folded(text).split())
    return Trait(field, kind, value) if value else None


def comparable_name(text: str, words: NameWords) -> str:
    """The words of a name in alphabetical order: folded, without accents, marks and legal forms.

    ``Müller & Söhne GmbH`` and ``SOEHNE, MUELLER`` do not meet, but ``Muller und Sohne`` comes near.
    """
    plain = _unaccented(_MARKS.sub("", folded(text)).replace("&", " and "))
    found = _without_forms(_WORD.findall(plain), words)
    return " ".join(sorted(found))


def _without_forms(found: list[str], words: NameWords) -> list[str]:
    """Without legal forms at the end; a name that is nothing else stays as it is."""
    left = list(found)
    is_cut = True
    while is_cut:
        is_cut = False
        for length in (5, 4, 3, 2, 1):
            if len(left) > length and tuple(left[-length:]) in words.legal_forms:
                del left[-length:]
                is_cut = True
                break
    return [word for word in (_without_joined(word, words) for word in left) if word] or found


def _without_joined(word: str, words: NameWords) -> str:
    if not _CJK.search(word):
        return word
    for form in words.joined_forms:
        if word == form:
            return ""
        if word.endswith(form):
            return _without_joined(word[: -len(form)], words)
        if word.startswith(form):
            return _without_joined(word[len(form) :], words)
    return word


def _unaccented(text: str) -> str:
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text)
    bare = "".join(character for character in decomposed if unicodedata.category(character) != "Mn")
    return unicodedata.normalize("NFC", bare)


def comparable_domain(text: str, words: NameWords) -> str:
    """The host of a web address, or of a mail address, without ``www.``; '' for one that many share."""
    host = folded(text).partition("://")[2] or folded(text).rpartition("@")[2]
    host = re.split(r"[/?#]", host, maxsplit=1)[0].rpartition("@")[2].partition(":")[0].rstrip(".")
    host = host.removeprefix("www.")
    parts = host.split(".")
    is_shared = any(".".join(parts[start:]) in words.shared_domains for start in range(len(parts) - 1))
    return "" if is_shared or len(parts) < 2 else host


def likeness(one: Sequence[Trait], other: Sequence[Trait]) -> Likeness:
    """How alike two records are. Symmetric; a record is altogether like itself, if it has any trait.

    The evidence of equal traits adds up as independent evidence does (1 − Π(1 − weight)); each kind of trait
    that both have and that differs lessens the sum.
    """
    if not one or not other:
        return Likeness(0.0)
    reasons: list[Reason] = []
    doubt, against = 1.0, 1.0
    for weight, reason in _evidence(one, other):
        if reason is None:
            against *= weight
        else:
            doubt *= 1.0 - weight
            reasons.append(reason)
    score = 1.0 if set(one) == set(other) else round((1.0 - doubt) * against, 4)
    return Likeness(score, tuple(sorted(reasons, key=lambda item: (item.kind, item.field))))


def _evidence(one: Sequence[Trait], other: Sequence[Trait]) -> Iterator[tuple[float, Reason | None]]:
    """Weights with the reason that they stand for, or with none for what speaks against."""
    yield from _names(one, other)
    for kind in ("phone", "email", "domain"):
        mine, theirs = _by_value(one, kind), _by_value(other, kind)
        if not mine or not theirs:
            continue
        shared = mine.keys() & theirs.keys()
        if shared:
            # The same of both, whichever of them is asked first.
            field = min(min(mine[value], theirs[value]) for value in shared)
            yield _WEIGHTS[kind], Reason(kind, field, 100)
        elif kind == "phone" and set(map(_digits, mine)) & set(map(_digits, theirs)):
            yield _DIGITS_WEIGHT, Reason(kind, min(*mine.values(), *theirs.values()), 99)
        else:
            yield _AGAINST[kind], None
    theirs = {item.field: item.value for item in other if item.kind == "text"}
    for item in one:
        if item.kind == "text" and item.field in theirs:
            is_same = item.value == theirs[item.field]
            yield (
                (_WEIGHTS["text"], Reason("text", item.field, 100)) if is_same else (_AGAINST["text"], None)
            )


def _names(one: Sequence[Trait], other: Sequence[Trait]) -> Iterator[tuple[float, Reason | None]]:
    """The names that are most alike speak; only names that are all different speak against."""
    theirs = {item.field: item.value for item in other if item.kind == "name"}
    found = [
        (fuzz.ratio(item.value, theirs[item.field]) / 100, item.field)
        for item in one
        if item.kind == "name" and item.field in theirs
    ]
    if not found:
        return
    ratio, field = max(found)
    if ratio >= _SIMILAR:
        yield _WEIGHTS["name"] - 2 * (1 - ratio), Reason("name", field, int(ratio * 100))
    elif ratio < _DIFFERENT:
        yield _NAME_AGAINST, None


def _by_value(traits: Sequence[Trait], kind: str) -> dict[str, str]:
    """The values of a kind, each with the first field that has it."""
    found: dict[str, str] = {}
    for item in traits:
        if item.kind == kind:
            found[item.value] = min(item.field, found.get(item.value, item.field))
    return found


def _digits(phone: str) -> str:
    """The last digits of a number with its extension: the same with and without the country's code."""
    number, _, extension = phone.partition(";")
    return "".join(filter(str.isdecimal, number))[-_LAST_DIGITS:] + extension


@dataclass(frozen=True, slots=True)
class Signs:
    """The traits of a record, made ready for being compared with those of many."""

    traits: tuple[Trait, ...]
    name: str
    values: frozenset[str]

    @classmethod
    def of(cls, traits: tuple[Trait, ...]) -> Signs:
        name = next((item.value for item in traits if item.kind == "name"), "")
        values = frozenset(
            item.kind + (_digits(item.value) if item.kind == "phone" else item.value)
            for item in traits
            if item.kind != "name"
        )
        return cls(traits, name, values)

    def may_be_alike(self, other: Signs) -> bool:
        """False only when ``likeness`` says that they are not: nothing but a name speaks for it, and not
        enough. A tenth of the cost.
        """
        if not self.values.isdisjoint(other.values):
            return True
        return bool(self.name) and fuzz.ratio(self.name, other.name, score_cutoff=_ALONE) > 0


def match_keys(traits: Iterable[Trait]) -> frozenset[str]:
    """The keys of a record: two records that are alike share one, save for names with faults all over."""
    return frozenset(_key(text) for item in traits for text in _key_texts(item))


def _key_texts(item: Trait) -> Iterator[str]:
    if item.kind == "name":
        for piece in _name_pieces(item.value):
            yield f"n{piece}"
    elif item.kind == "phone":
        yield f"p{_digits(item.value)}"
    elif item.kind == "text":
        yield f"t{item.field}:{item.value}"
    else:
        yield f"{item.kind[0]}{item.value}"


def _name_pieces(name: str) -> Iterator[str]:
    """The whole name, and parts of which a single fault leaves one whole: each word with the first sign of
    each other one, or both ends of a single word.
    """
    yield name
    words = name.split(" ")
    if len(words) == 1:
        if len(name) > _PIECE:
            yield f"{name[:_PIECE]}<"
            yield f">{name[-_PIECE:]}"
        return
    longest = sorted(words, key=lambda word: (-len(word), word))[:_NAME_WORDS]
    for place, word in enumerate(longest):
        for other in longest[:place] + longest[place + 1 :]:
            yield f"{word}+{other[0]}"


@lru_cache(maxsize=65536)
def _key(text: str) -> str:
    """Short, of one length, and telling nothing of what it stands for."""
    return MATCH_MARK + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def digest(traits: Iterable[Trait]) -> str:
    """Changes when, and only when, a trait does: what was said about two records holds until then."""
    parts = sorted(f"{item.kind}\x00{item.field}\x00{item.value}" for item in traits)
    return blake2b("\x01".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
