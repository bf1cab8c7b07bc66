"""Taking a person's name, addresses and numbers out of texts (S120)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

# Stands where something was taken out; the same in every language.
BAR = "███"
# Shorter ones would be found inside of what has nothing to do with the person.
_SHORTEST, _SHORTEST_JOINED = 3, 2
_JOINED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True)
class Marks:
    """What somebody is known by: names, mail addresses, telephone numbers, each as it is written."""

    texts: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Marks:
        """The longest first, so that none leaves a rest of another."""
        plain = {" ".join(text.split()) for text in texts}
        usable = {
            text for text in plain if len(text) >= (_SHORTEST_JOINED if _JOINED.search(text) else _SHORTEST)
        }
        return cls(tuple(sorted(usable, key=lambda text: (-len(text), text))))

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        """Whole words, whatever their case and however many spaces stand between them; scripts without
        spaces have no words, so there a name counts wherever it stands.
        """
        if not self.texts:
            return None
        return re.compile("|".join(map(_written, self.texts)), re.IGNORECASE)

    def blacked_out(self, value: Any) -> Any:
        """A JSON value without them; equal to ``value`` when it holds none."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self._pattern.sub(BAR, value)
        if isinstance(value, list):
            return [self.blacked_out(item) for item in value]
        if isinstance(value, dict):
            return {key: self.blacked_out(item) for key, item in value.items()}
        return value

    def is_all_of(self, value: Any) -> bool:
        """Whether a value is one of them and nothing else: it may be somebody else's of the same name."""
        return isinstance(value, str) and self.blacked_out(value.strip()) == BAR

    @cached_property
    def needles(self) -> tuple[str, ...]:
        """What a stored text that holds one of them holds as well, lower case as far as it is ASCII, as text
        and as JSON writes it: the first word of each.
        """
        found: dict[str, None] = {}
        for text in self.texts:
            word = text.split(" ")[0]
            for form in dict.fromkeys((word, word.lower(), word.upper(), word.title())):
                found[_ascii_lower(form)] = None
                found[_ascii_lower(json.dumps(form)[1:-1])] = None
        return tuple(found)


def _ascii_lower(text: str) -> str:
    """As both databases fold a text of any language alike."""
    return "".join(sign.lower() if sign.isascii() else sign for sign in text)


def _written(text: str) -> str:
    body = r"\s+".join(re.escape(word) for word in text.split(" "))
    before = "" if _JOINED.match(text[0]) else r"(?<!\w)" if text[0].isalnum() else ""
    after = "" if _JOINED.match(text[-1]) else r"(?!\w)" if text[-1].isalnum() else ""
    return f"{before}{body}{after}"
