"""The texts of documents: whether each is there in every language that a pack promises (S18)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from builder.errors import N_
from builder.metadata.grammar import DefinitionProblem, Document, pointer

MISSING_TRANSLATION = N_("The text is missing in %(locale)s, a language that the template promises.")
SAME_TRANSLATION = N_("The text in %(locale)s is the same as in English. Translate it.")

# Names of properties that hold a text in several languages, wherever they stand in a document.
_TEXTS = (
    "label",
    "label_plural",
    "description",
    "help",
    "definition",
    "goal",
    "message",
    "x-label",
    "x-help",
)


def untranslated(
    value: Any, locales: Iterable[str], path: tuple[str | int, ...] = ()
) -> Iterator[DefinitionProblem]:
    """Texts that lack a language which the pack promises, or repeat the English one."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from untranslated(item, locales, (*path, index))
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if isinstance(inner, (str, dict)) and _is_text(name, path):
            yield from _translation(inner, locales, (*path, name))
        else:
            yield from untranslated(inner, locales, (*path, name))


def _is_text(name: str, path: tuple[str | int, ...]) -> bool:
    """Whether a property holds text: not a field that happens to be called so, nor a funnel's unit."""
    if path[-1:] in (("properties",), ("map",)):
        return False
    return name in _TEXTS or (name == "unit" and "indicators" in path)


def _translation(
    text: str | Document, locales: Iterable[str], path: tuple[str | int, ...]
) -> Iterator[DefinitionProblem]:
    known = {"en": text} if isinstance(text, str) else text
    for locale in locales:
        values = {"locale": locale}
        if locale not in known:
            yield DefinitionProblem(MISSING_TRANSLATION, pointer(*path), values, rule="missing_translation")
        elif locale != "en" and known[locale] == known.get("en") != known[locale].upper():
            yield DefinitionProblem(
                SAME_TRANSLATION, pointer(*path), values, severity="warn", rule="same_translation"
            )
