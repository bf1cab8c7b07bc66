"""How files of other products are usually taken over (S25): data of ``schemas/exchange/presets``.

A preset is recognised by the headers of a file and says what its columns mean by roles and by words that
fields may be called, so it serves objects that nobody knew when it was written.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.domain.labels import Label
from builder.exchange.mapping import common_stem, fits, plain
from builder.exchange.moments import DateOrder
from builder.exchange.numbers import DecimalMark
from builder.exchange.profile import ColumnProfile, TableProfile
from builder.exchange.words import outcome_of
from builder.resources import resource_folder


@dataclass(frozen=True, slots=True)
class PresetColumn:
    """What a column of one of these headers fills: the field of the first of ``roles`` that the object has,
    or the one that is called by one of ``words`` (of ``types`` only, where some are named); else nothing.
    """

    headers: tuple[str, ...]
    roles: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PresetLog:
    """How a file of visits is told and read, of whose rows a record has several."""

    recognised_by: tuple[tuple[str, ...], ...]
    key: tuple[str, ...]
    at: tuple[str, ...]
    amount: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preset:
    """One way in which files come. ``history`` names the columns of stage, status, state, at, closed and
    pipeline; ``stages`` their texts by what they mean, the open ones in order. ``people``: groups of headers
    that tell a list of colleagues.
    """

    key: str
    label: Label
    recognised_by: tuple[tuple[str, ...], ...]
    known_share: float | None
    date_order: DateOrder | None
    decimal_mark: DecimalMark | None
    columns: tuple[PresetColumn, ...]
    key_columns: tuple[str, ...]
    history: Mapping[str, tuple[str, ...]]
    stages: Mapping[str, tuple[str, ...]]
    log: PresetLog | None = None
    people: tuple[tuple[str, ...], ...] = ()

    @cached_property
    def known_headers(self) -> frozenset[str]:
        named = (header for column in self.columns for header in column.headers)
        times = (header for headers in self.history.values() for header in headers)
        return frozenset(map(spelled, (*named, *times, *self.key_columns)))

    def column(self, profile: TableProfile, headers: Iterable[str]) -> ColumnProfile | None:
        """The column of the file that is called by the first of ``headers`` that there is."""
        known = _by_header(profile)
        return next((known[name] for header in headers if (name := spelled(header)) in known), None)

    def is_log(self, profile: TableProfile) -> bool:
        """Whether the file lists visits."""
        return self.log is not None and _has_one(profile, self.log.recognised_by)

    def knows_stage(self, text: str) -> bool:
        """Whether a text is one of the stages that this product has from the start."""
        return any(plain(text) == plain(known) for texts in self.stages.values() for known in texts)

    def kind_of(self, text: str) -> str:
        """What a text of a stage or status column means: open, won, lost or invalid."""
        wanted = plain(text)
        for kind, texts in self.stages.items():
            if wanted in map(plain, texts):
                return kind
        return outcome_of(text) or "open"

    def in_order(self, texts: Sequence[str]) -> tuple[str, ...]:
        """Open stages in their usual order; those that nobody knows stay behind, as the file has them."""
        places = {plain(text): place for place, text in enumerate(self.stages["open"])}
        return tuple(sorted(texts, key=lambda text: places.get(plain(text), len(places))))

    def fields(self, profile: TableProfile, definition: ObjectDefinition) -> dict[str, str | None]:
        """Column to field key; ``None`` for a column that says nothing of its own."""
        known = _by_header(profile)
        found: dict[str, str | None] = {}
        for column in self.columns:
            for name in map(spelled, column.headers):
                source = known.get(name)
                if source is None or source.name in found:
                    continue
                if not column.roles and not column.words:
                    found[source.name] = None
                    continue
                field = self._field(column, definition, source)
                if field is not None and field.key not in found.values():
                    found[source.name] = field.key
        return found

    def _field(
        self, column: PresetColumn, definition: ObjectDefinition, source: ColumnProfile
    ) -> FieldDefinition | None:
        roles = definition.fields.by_role
        wanted = next((roles[role] for role in column.roles if role in roles), None)
        if wanted is None and column.words:
            wanted = next(
                (
                    field
                    for field in definition.fields.fields
                    if column.words & {plain(text) for _, text in field.label.translations}
                    and (not column.types or field.type in column.types)
                ),
                None,
            )
        return wanted if wanted is not None and fits(source, wanted) else None


def _by_header(profile: TableProfile) -> dict[str, ColumnProfile]:
    """Columns by their headers, with and without what all headers begin with."""
    stem = common_stem([column.name for column in profile.columns])
    named = {spelled(column.name.removeprefix(stem)): column for column in profile.columns}
    return named | {spelled(column.name): column for column in profile.columns}


def spelled(header: str) -> str:
    """A header in small letters, its words kept apart: ``ACCOUNTID`` and ``Account Id`` are two things."""
    return re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", header).casefold()).strip()


@lru_cache(maxsize=1)
def presets() -> Mapping[str, Preset]:
    """All presets by key, in the order of their files."""
    folder = resource_folder("schemas") / "exchange" / "presets"
    found = (_preset(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json")))
    return {preset.key: preset for preset in found}


def _log(document: Mapping[str, Any]) -> PresetLog:
    return PresetLog(
        tuple(map(tuple, document["recognised_by"])),
        tuple(document["key"]),
        tuple(document["at"]),
        tuple(document.get("amount", ())),
    )


def _preset(document: Mapping[str, Any]) -> Preset:
    return Preset(
        key=document["key"],
        label=Label.of(document["label"]),
        recognised_by=tuple(map(tuple, document["recognised_by"])),
        known_share=document.get("known_share"),
        date_order=document.get("date_order"),
        decimal_mark=document.get("decimal_mark"),
        columns=tuple(
            PresetColumn(
                tuple(column["headers"]),
                tuple(column.get("roles", ())),
                frozenset(map(plain, column.get("words", ()))),
                tuple(column.get("types", ())),
            )
            for column in document["columns"]
        ),
        key_columns=tuple(document["key_columns"]),
        history={name: tuple(headers) for name, headers in document["history"].items()},
        stages={kind: tuple(texts) for kind, texts in document["stages"].items()},
        log=_log(document["log"]) if "log" in document else None,
        people=tuple(map(tuple, document.get("people", ()))),
    )


def _has_one(profile: TableProfile, groups: Iterable[Iterable[str]]) -> bool:
    """Whether the file has all headers of one of ``groups``."""
    headers = set(_by_header(profile))
    return any(set(map(spelled, group)) <= headers for group in groups)


def lists_people(profile: TableProfile) -> bool:
    """Whether the headers are those of a list of colleagues in a product that is known."""
    return any(_has_one(profile, preset.people) for preset in presets().values())


def recognised(profile: TableProfile) -> Preset | None:
    """The preset whose headers the file has; of several, the one that knows most of them."""
    names = _own_names(profile)
    found = []
    for preset in presets().values():
        share = sum(name in preset.known_headers for name in names) / max(1, len(names))
        is_named = _has_one(profile, preset.recognised_by) or preset.is_log(profile)
        is_known = preset.known_share is not None and share >= preset.known_share and len(names) > 1
        if is_named or is_known:
            found.append((is_named, share, preset))
    return max(found, key=lambda item: item[:2])[2] if found else None


def _own_names(profile: TableProfile) -> list[str]:
    stem = common_stem([column.name for column in profile.columns])
    return [spelled(column.name.removeprefix(stem)) for column in profile.columns]
