"""Text that an admin writes, per language (design.md §7: labels are per language)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_LOCALE = "en"


@dataclass(frozen=True, slots=True)
class Label:
    """One text in several languages, e.g. ``{"en": "Stage", "zh_Hans": "销售阶段"}``.

    ``text(locale)`` answers the exact locale, then its language, then English, then whatever
    language there is: a label written in one language only is still readable everywhere.
    """

    translations: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, value: str | Mapping[str, str] | None) -> Label:
        """Read a label from a document: a plain string counts as English; ``None`` as empty."""
        if value is None:
            return cls(())
        if isinstance(value, str):
            return cls(((DEFAULT_LOCALE, value),))
        return cls(tuple(sorted(value.items())))

    def text(self, locale: str = DEFAULT_LOCALE) -> str:
        known = dict(self.translations)
        language = locale.partition("_")[0]
        same_language = (text for key, text in self.translations if key.partition("_")[0] == language)
        return known.get(locale) or next(same_language, None) or known.get(DEFAULT_LOCALE) or self._any()

    def _any(self) -> str:
        return self.translations[0][1] if self.translations else ""

    def __str__(self) -> str:
        """The English text: what logs and the command line print where a label fills a message."""
        return self.text()

    def to_document(self) -> dict[str, str]:
        return dict(self.translations)

    def __bool__(self) -> bool:
        return any(text for _, text in self.translations)
