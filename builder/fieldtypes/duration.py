"""Length of time, in whole seconds: ``5400`` is an hour and a half.

Typed as people write it: ``1:30`` (hours and minutes), ``1 h 30 min``, ``1小时30分钟``, ``PT1H30M``, or a
bare number of the unit that the definition names. A day has 24 hours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel.units import format_unit

from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import Kind, fold, is_empty
from builder.domain.labels import Label
from builder.errors import N_
from builder.fieldtypes.base import FieldContext, FieldType, InvalidValue, babel_locale, stripped
from builder.fieldtypes.number import TOO_LARGE, read_number, refuse_sign

SECONDS: Mapping[str, int] = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
LONGEST = 100 * 366 * SECONDS["day"]
NOT_A_DURATION = N_("“%(value)s” is not a length of time. Write it as 1:30 or 1 h 30 min.")
BROKEN_SECONDS = N_("A length of time is a whole number of seconds.")
_CLOCK = re.compile(r"([0-9]{1,7}):([0-5][0-9])(?::([0-5][0-9]))?")
_ISO = re.compile(r"P(?:([0-9]{1,7})D)?(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,10})S)?)?")
_PART = re.compile(r"\s*([0-9０-９][0-9０-９.,'’\u00a0\u202f]*)\s*([^\W\d_]+)\.?[,、]?\s*")
_WORDS: Mapping[str, str] = {
    "d": "day", "day": "day", "days": "day", "天": "day", "日": "day",
    "h": "hour", "hr": "hour", "hrs": "hour", "hour": "hour", "hours": "hour", "小时": "hour", "时": "hour",
    "个小时": "hour", "m": "minute", "min": "minute", "mins": "minute", "minute": "minute",
    "minutes": "minute", "分钟": "minute", "分": "minute",
    "s": "second", "sec": "second", "secs": "second", "second": "second", "seconds": "second", "秒": "second",
    "秒钟": "second",
}  # fmt: skip


class Duration(FieldType):
    """A length of time of at most a hundred years. ``unit``: what a number without a unit means."""

    key = "duration"
    label = Label.of({"en": "Length of time", "zh_Hans": "时长"})
    icon = "hourglass"
    kind = Kind.NUMBER
    slot = "n"
    widget = "text"
    is_figure = True

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {"unit": document.get("x-unit", "minute")}

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        return {"type": "integer", "minimum": 0, "maximum": LONGEST}

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        source = stripped(text)
        if not source:
            return None
        seconds = _clock(source) if ":" in source else _iso(source) if source[0] in "Pp" else None
        if seconds is None:
            seconds = _in_words(source, ctx)
        if seconds is None:
            seconds = _bare(source, str(definition.params.get("unit")), ctx)
        if seconds > LONGEST:
            raise InvalidValue(TOO_LARGE)
        if seconds != seconds.to_integral_value():
            raise InvalidValue(BROKEN_SECONDS)
        return int(seconds)

    def to_form(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> list[str]:
        return [] if is_empty(value) else [self.text(definition, value, ctx)]

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        unit = str(definition.params.get("unit", "minute"))
        return "" if is_empty(value) else length_text(int(str(value)), unit, ctx.locale)

    def export(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        return "" if is_empty(value) else clock_text(int(str(value)))


def length_text(seconds: int, unit: str, locale: str) -> str:
    """The parts that are not nothing, days only where days are the unit: ``49 hr 5 min``."""
    rest, parts = seconds, []
    for name, length in SECONDS.items():
        if name == "day" and unit != "day":
            continue
        count, rest = divmod(rest, length)
        if count:
            parts.append(_measured(count, name, locale))
    mark = "" if locale.startswith("zh") else " "
    return mark.join(parts) or _measured(0, unit, locale)


def clock_text(seconds: int) -> str:
    """``h:mm:ss``, which spreadsheets read as a length of time too."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _measured(count: int, unit: str, locale: str) -> str:
    return str(format_unit(count, f"duration-{unit}", "short", locale=babel_locale(locale)))


def _clock(source: str) -> Decimal:
    found = _CLOCK.fullmatch(source)
    if found is None:
        raise InvalidValue(NOT_A_DURATION, value=source[:80])
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return Decimal(hours * 3600 + minutes * 60 + seconds)


def _iso(source: str) -> Decimal | None:
    found = _ISO.fullmatch(source.upper())
    if found is None or not any(found.groups()):
        return None
    counts = (int(part or 0) for part in found.groups())
    return Decimal(sum(count * length for count, length in zip(counts, SECONDS.values(), strict=True)))


def _in_words(source: str, ctx: FieldContext) -> Decimal | None:
    """The sum of numbers with units, each unit once and the greater before the smaller; or ``None``."""
    if len(source) > 120:
        return None
    words = _unit_words(ctx.locale)
    place, total, smallest = 0, Decimal(0), LONGEST
    while place < len(source):
        found = _PART.match(source, place)
        length = SECONDS.get(words.get(fold(found[2]), "")) if found else None
        if found is None or length is None or length >= smallest:
            return None
        total += read_number(found[1], ctx) * length
        place, smallest = found.end(), length
    return total


def _bare(source: str, unit: str, ctx: FieldContext) -> Decimal:
    try:
        number = read_number(source, ctx)
    except InvalidValue:
        raise InvalidValue(NOT_A_DURATION, value=source[:80]) from None
    refuse_sign(number, "not_negative")
    return number * SECONDS.get(unit, SECONDS["minute"])


@lru_cache(maxsize=64)
def _unit_words(locale: str) -> Mapping[str, str]:
    """Unit by its folded name: English and Chinese, and as the locale itself writes one, two and five."""
    words = dict(_WORDS)
    for unit in SECONDS:
        for count in (1, 2, 5):
            for length in ("short", "long", "narrow"):
                written = str(format_unit(count, f"duration-{unit}", length, locale=babel_locale(locale)))
                word = fold(re.sub(r"[\d\s.]+", "", written))
                words.setdefault(word, unit)
    return words
