"""Plausible values for any field, and answers that satisfy a gate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import All, AnyOf, Comparison, Condition, Not, evaluate
from builder.domain.fields import FieldDefinition, FieldSet

_SYLLABLES = (
    "an",
    "bo",
    "chen",
    "da",
    "fu",
    "gao",
    "hui",
    "jin",
    "kang",
    "li",
    "ming",
    "rui",
    "tai",
    "xin",
    "yuan",
)


# A pool of places, by which names that are used up are told apart before they are numbered.
PLACES = "@places"
COMPUTED = ("formula", "rollup", "money_rollup", "auto_number")


def without_hidden(fields: FieldSet, values: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The values without those of fields that a rule hides from a record like this."""
    context = EvaluationContext(now, "UTC")
    hidden = {
        key
        for rule in fields.rules
        if rule.effect == "show" and not evaluate(rule.when, values, fields.by_key, context)
        for key in rule.targets
    }
    return {key: value for key, value in values.items() if key not in hidden}


class ValueMaker:
    """Draws values with one seeded source; the same seed gives the same company.

    ``pools``: values to choose from by ``object.field`` (or ``*.field``). ``known``: ids of records by
    object, for references.
    """

    def __init__(
        self,
        random: Random,
        pools: Mapping[str, Any],
        known: Mapping[str, Sequence[int]],
        later: frozenset[str] = frozenset(),
    ) -> None:
        self._later = later
        self._random = random
        self._pools = pools
        self._known = known
        self._used: dict[str, int] = {}

    def record(self, prefix: str, fields: FieldSet, now: datetime, share: float = 0.75) -> dict[str, Any]:
        """Values for a new record: the required fields, and others with the chance ``share``.

        Roles that the process decides about (probability, owner) are left alone.
        """
        values: dict[str, Any] = {}
        for field in fields:
            if (
                field.role in ("probability", "owner")
                or field.type in ("formula", "user")
                or field.is_read_only
            ):
                continue
            is_wanted = field.is_required or field.role in ("name", "amount", "expected_close", "source")
            is_later = not self._later.isdisjoint((f"{prefix}.{field.key}", f"*.{field.key}"))
            has_pool = self._pool(prefix, field) is not None and not is_later
            if is_wanted or (has_pool and self._random.random() < share):
                value = self.value(prefix, field, now)
                if value is not None:
                    values[field.key] = value
        return without_hidden(fields, values, now)

    def value(self, prefix: str, field: FieldDefinition, now: datetime) -> Any:
        """One value of the field's type."""
        pool = self._pool(prefix, field)
        if isinstance(pool, list) and field.options:
            # A pool for fields of one name may not fit one whose values are options.
            pool = [item for item in pool if field.option(str(item)) is not None]
        maker = getattr(self, f"_{field.type}", None)
        if isinstance(pool, list) and pool and field.type not in ("table", "choices"):
            return self._from_pool(f"{prefix}.{field.key}", field, pool)
        return maker(prefix, field, now, pool or {}) if maker else None

    def satisfying(
        self, condition: Condition, prefix: str, fields: Mapping[str, FieldDefinition], now: datetime
    ) -> dict[str, Any]:
        """Values by condition field name that make the condition hold, as far as single comparisons can."""
        match condition:
            case All(parts):
                found: dict[str, Any] = {}
                for part in parts:
                    found |= self.satisfying(part, prefix, fields, now)
                return found
            case AnyOf(parts) if parts:
                return self.satisfying(parts[0], prefix, fields, now)
            case Comparison(name, op, operand) if name in fields and fields[name].type not in COMPUTED:
                value = self._comparing(op, operand, prefix, fields[name], now)
                return {} if value is None else {name: value}
            case Not(Comparison(name, "eq" | "in", operand)) if name in fields:
                other = self._other_than(operand, prefix, fields[name], now)
                return {} if other is None else {name: other}
            case _:
                return {}

    def _other_than(self, operand: Any, prefix: str, field: FieldDefinition, now: datetime) -> Any:
        """A value that the condition does not name."""
        if isinstance(operand, bool):
            return not operand
        unwanted = operand if isinstance(operand, tuple | list) else (operand,)
        offered = [option.key for option in field.options if not option.is_retired]
        if offered:
            return next((key for key in offered if key not in unwanted), None)
        return self.value(prefix, field, now)

    def _comparing(self, op: str, operand: Any, prefix: str, field: FieldDefinition, now: datetime) -> Any:
        if op in ("eq", "ge", "le", "contains", "starts_with"):
            return str(operand) if field.type in ("money", "decimal", "percent") else operand
        if op in ("in", "has_any", "has_all"):
            return self._random.choice(operand) if op == "in" else list(operand)
        return self.value(prefix, field, now)

    def _pool(self, prefix: str, field: FieldDefinition) -> Any:
        return self._pools.get(f"{prefix}.{field.key}", self._pools.get(f"*.{field.key}"))

    def _from_pool(self, name: str, field: FieldDefinition, pool: list[Any]) -> Any:
        if field.role != "name":
            return self._random.choice(pool)
        # Names are taken in order and numbered when they run out, so that no two are alike.
        used = self._used.get(name, 0)
        self._used[name] = used + 1
        text = str(pool[used % len(pool)])
        if used < len(pool):
            return text
        places, times = self._pools.get(PLACES, ()), used // len(pool)
        if times <= len(places):
            return f"{text}, {places[(used + times) % len(places)]}"
        return f"{text} {times + 1}"

    def _text(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> str:
        return f"{field.label.text('en')} {self._random.randrange(1000, 9999)}"

    def _long_text(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> str:
        return self._text(prefix, field, now, pool)

    def _integer(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> int:
        low = int(pool.get("low", field.params.get("min") or 1))
        high = int(pool.get("high", field.params.get("max") or low + 9))
        return self._random.randint(low, max(low, high))

    def _decimal(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> str:
        if not pool:
            return str(self._few(100))  # counts, hours, tons: what people type is mostly whole
        drawn = Decimal(self._amount(pool.get("low", 1), pool.get("high", 100), 2))
        return str(drawn.quantize(Decimal(1).scaleb(-min(2, int(field.params.get("scale", 2))))))

    def _percent(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> str:
        return self._decimal(prefix, field, now, pool) if pool else str(5 * self._random.randint(1, 19))

    def _few(self, most: int) -> int:
        """A whole number from 1 to ``most``; small ones are common."""
        return round(math.exp(self._random.uniform(0, math.log(most))))

    def _money(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> str:
        return self._amount(pool.get("low", 10_000), pool.get("high", 500_000), 0)

    def _amount(self, low: float, high: float, digits: int) -> str:
        # Deals are many small ones and few great ones: even on a logarithmic scale, rounded to hundreds.
        drawn = math.exp(self._random.uniform(math.log(low), math.log(high)))
        step = Decimal(100 if drawn >= 1000 else 1)
        whole = (Decimal(drawn) / step).quantize(Decimal(1)) * step
        return str(whole) if digits == 0 else str(Decimal(drawn).quantize(Decimal("0.01")))

    def _yes_no(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> bool:
        return self._random.random() < 0.85

    def _date(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> str:
        days = self._random.randint(int(pool.get("low", 20)), int(pool.get("high", 120)))
        return (now + timedelta(days=days)).date().isoformat()

    def _datetime(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> str:
        hours = self._random.randint(int(pool.get("low", 0)), int(pool.get("high", 0)))
        at = (now + timedelta(hours=hours)).astimezone(UTC).replace(microsecond=0)
        return at.isoformat().replace("+00:00", "Z")

    def _choice(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> str | None:
        offered = [option.key for option in field.options if not option.is_retired]
        if not offered:
            return None
        # Earlier options are the more common ones in every catalogue that people write.
        weights = [1 / (place + 1.5) for place in range(len(offered))]
        return self._random.choices(offered, weights)[0]

    def _choices(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> list[str] | None:
        offered = [option.key for option in field.options if not option.is_retired]
        chosen = self._random.sample(offered, min(len(offered), self._random.randint(1, 2)))
        return [key for key in offered if key in chosen] or None

    def _email(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> str:
        name = "".join(self._random.sample(_SYLLABLES, 2))
        return f"{name}{self._random.randrange(10, 999)}@example.com"

    def _rating(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> int:
        return self._random.randint(int(pool.get("low", 1)), int(pool.get("high", field.params["most"])))

    def _duration(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> int:
        quarters = self._random.randint(int(pool.get("low", 900)) // 900, int(pool.get("high", 7200)) // 900)
        return max(1, quarters) * 900

    def _address(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> dict[str, Any]:
        return {"street": f"{self._random.randrange(1, 400)} {field.label.text('en')} Road"}

    def _phone(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> str:
        return f"+86138{self._random.randrange(10_000_000, 99_999_999)}"

    def _url(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> str:
        return f"https://{''.join(self._random.sample(_SYLLABLES, 2))}.example.com"

    def _reference(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> str | None:
        known = self._known.get(str(field.params.get("target")), ())
        return str(self._random.choice(known)) if known else None

    def _sub_form(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> dict[str, Any]:
        parts = [part for part in field.inner if part.type != "formula"]
        values = {part.key: self.value(f"{prefix}.{field.key}", part, now) for part in parts}
        return {key: value for key, value in values.items() if value is not None}

    def _table(self, prefix: str, field: FieldDefinition, now: datetime, pool: Any) -> list[dict[str, Any]]:
        columns = [column for column in field.params["columns"] if column.type != "formula"]
        rows = []
        for _ in range(self._random.randint(1, 3)):
            values = {column.key: self._cell(f"{prefix}.{field.key}", column, now) for column in columns}
            rows.append({key: value for key, value in values.items() if value is not None})
        return rows

    def _cell(self, prefix: str, column: FieldDefinition, now: datetime) -> Any:
        """A value in a row, which holds less than a record: a few pieces, the price of one, a discount."""
        if self._pool(prefix, column) is None:
            if column.type == "decimal":
                return str(self._few(20))
            if column.type == "percent":
                return str(self._random.choice((0, 0, 0, 5, 10, 15)))
            if column.type == "money":
                return self._amount(500, 20_000, 0)
        return self.value(prefix, column, now)
