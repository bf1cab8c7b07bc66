"""How text is cut into search tokens, for records and for queries alike (S/B: search finds 华为 and 李明).

Words are runs of letters, digits and marks, compatibility-composed (NFKC) and case-folded. Chinese, Japanese
and Korean runs, which have no spaces, become grams of one and of two characters. Digit groups that look like
a phone number are also joined. The last word of a query is a prefix, because people search while they type.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

MAX_TOKEN = 80
MAX_TOKENS = 800
MAX_TERMS = 8
MAX_QUERY = 400
_SHORT = 40
# Begins the one token that holds a record's whole folded name: exact names and name prefixes rank first.
NAME_MARK = "="
# Greater than any text that begins with the token before it, in UTF-8 and by code point.
AFTER = "\U0010ffff"

_CJK_RANGES = (
    "\u3005-\u3007\u3021-\u3029"  # 々〆〇 and Hangzhou numerals
    "\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3100-\u312f\u31a0-\u31bf"  # bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\u1100-\u11ff\uac00-\ud7af"
    "\U00020000-\U0003ffff"
)
# Runs of what str.isalnum() accepts.
_WORD = re.compile(r"[^\W_]+")
_CJK_RUN = re.compile(f"[{_CJK_RANGES}]+")
_PHONE = re.compile(r"(?<![^\W_])\+?\(?[0-9]+(?:[ \-‐-―./()]{1,3}[0-9]+)*(?![^\W_])")
_PHONE_DIGITS = range(7, 16)
# Every phone number has this inside; most texts do not, and looking for the whole of it costs ten times that.
_MAYBE_PHONE = re.compile(f"(?:[0-9][^0-9]{{0,3}}){{{_PHONE_DIGITS.start - 1}}}[0-9]")
_LONG_GROUP = 7
_COUNTRY_CODE = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """A token that a record must have; with ``is_prefix``, one that begins so."""

    token: str
    is_prefix: bool = False

    @property
    def end(self) -> str:
        """The exclusive upper bound of the range of tokens that begin with this one."""
        return self.token + AFTER


def folded(text: str) -> str:
    """The form in which text is segmented: NFKC of the case-folded NFKC."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def name_token(name: str) -> str:
    """The token of a whole name: its folded form with single spaces, or '' for a name without content."""
    plain = " ".join(_storable(folded(name)).split())
    return (NAME_MARK + plain)[:MAX_TOKEN] if plain else ""


def tokens(text: str) -> set[str]:
    """All tokens of one text as they are stored: words, grams, joined phone numbers, unaccented words.

    At most ``MAX_TOKENS``, from the beginning of the text on, each at most ``MAX_TOKEN`` characters.
    """
    return set(_cut(_all_tokens(folded(text))))


def record_tokens(texts: Iterable[str], name: str = "") -> set[str]:
    """The tokens of a record from the texts of its search fields; ``name`` adds the whole-name token."""
    found: dict[str, None] = {}
    if whole := name_token(name):
        found[whole] = None
    for text in texts:
        found.update(
            dict.fromkeys(_tokens_of(text) if len(text) <= _SHORT else _cut(_all_tokens(folded(text))))
        )
        if len(found) >= MAX_TOKENS:
            return set(islice(found, MAX_TOKENS))
    return set(found)


def query_tokens(text: str) -> tuple[QueryTerm, ...]:
    """What a record must have to be found by ``text``: at most ``MAX_TERMS`` different terms, in order.

    A CJK run of two or more characters asks for its pairs only (each implies its single characters). The
    last word is a prefix; a last CJK run is not, since its characters are tokens already.
    """
    plain = folded(text[:MAX_QUERY])
    terms: dict[str, QueryTerm] = {}
    parts = list(_query_parts(plain))
    for position, (part, is_word) in enumerate(parts):
        token = part[:MAX_TOKEN]
        is_prefix = is_word and position == len(parts) - 1
        if is_prefix or token not in terms:
            terms[token] = QueryTerm(token, is_prefix)
    kept = list(terms.values())
    # The prefix narrows while one types; it is kept even in a long query.
    return tuple(kept if len(kept) <= MAX_TERMS else kept[: MAX_TERMS - 1] + kept[-1:])


@lru_cache(maxsize=8192)
def _tokens_of(text: str) -> tuple[str, ...]:
    """The tokens of a short text: cities, titles and choices come again and again."""
    return tuple(_cut(_all_tokens(folded(text))))


def _cut(found: Iterator[str]) -> list[str]:
    return [token[:MAX_TOKEN] for token in islice(found, MAX_TOKENS)]


def _all_tokens(plain: str) -> Iterator[str]:
    if _MAYBE_PHONE.search(plain):
        yield from _phone_tokens(plain)
    if plain.isascii():
        yield from _WORD.findall(plain)
        return
    for part, is_word in _runs(plain):
        if not is_word:
            yield from part
            yield from _pairs(part)
            continue
        yield part
        bare = _unaccented(part)
        if bare != part:
            yield bare


def _query_parts(plain: str) -> Iterator[tuple[str, bool]]:
    """(token, is a word) of a query; digit groups of a phone number come as one word."""
    position = 0
    for match in _PHONE.finditer(plain):
        digits = _joined(match.group())
        if digits is None:
            continue
        yield from _plain_parts(plain[position : match.start()])
        yield digits, True
        position = match.end()
    yield from _plain_parts(plain[position:])


def _plain_parts(plain: str) -> Iterator[tuple[str, bool]]:
    for part, is_word in _runs(plain):
        if is_word or len(part) == 1:
            yield part, is_word
        else:
            yield from ((pair, False) for pair in _pairs(part))


def _runs(plain: str) -> Iterator[tuple[str, bool]]:
    """Runs of CJK characters (False) and words of everything else (True), in order."""
    for word in _words(plain):
        position = 0
        for match in _CJK_RUN.finditer(word):
            if match.start() > position:
                yield word[position : match.start()], True
            yield match.group(), False
            position = match.end()
        if position < len(word):
            yield word[position:], True


def _words(plain: str) -> Iterator[str]:
    position = 0
    while found := _WORD.search(plain, position):
        position = found.end()
        # Marks are no letters, but belong to the word that they follow.
        while position < len(plain) and unicodedata.category(plain[position])[0] == "M":
            rest = _WORD.match(plain, position + 1)
            position = rest.end() if rest else position + 1
        yield plain[found.start() : position]


def _pairs(run: str) -> Iterator[str]:
    return (run[position : position + 2] for position in range(len(run) - 1))


def _phone_tokens(plain: str) -> Iterator[str]:
    """The digits of each phone number together; after a leading + also without the country's code."""
    for match in _PHONE.finditer(plain):
        digits = _joined(match.group())
        if digits is None:
            continue
        yield digits
        if match.group().startswith("+"):
            yield from (digits[length:] for length in _COUNTRY_CODE)


def _joined(text: str) -> str | None:
    """The digits of a text that looks like one phone number, else nothing."""
    groups = re.findall("[0-9]+", text)
    digits = "".join(groups)
    if len(digits) not in _PHONE_DIGITS or sum(len(group) >= _LONG_GROUP for group in groups) > 1:
        return None
    return digits


def _unaccented(word: str) -> str:
    if word.isascii():
        return word
    decomposed = unicodedata.normalize("NFD", word)
    return "".join(character for character in decomposed if unicodedata.category(character) != "Mn") or word


def _storable(text: str) -> str:
    """Without what no database text may hold: NUL, other controls, lone surrogates."""
    if text.isprintable():
        return text
    return "".join(
        " " if unicodedata.category(character) in ("Cc", "Cs") else character for character in text
    )
