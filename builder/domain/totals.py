"""Totals over related records (roll-up fields): how many there are, and sum, least and greatest of one field.

Numbers are added exactly. Amounts are kept per currency, ``{"CNY": "12.50", "USD": "3.00"}``: currencies are
never mixed. A total is renewed from what one record gave before and gives now, where that is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from builder.domain.fields import FieldDefinition
from builder.domain.kinds import SIGNIFICANT_DIGITS, is_empty

ROLLUP, MONEY_ROLLUP = "rollup", "money_rollup"
TOTAL_TYPES = (ROLLUP, MONEY_ROLLUP)
TotalFunction: TypeAlias = Literal["count", "sum", "min", "max"]
# Numbers have no currency; they are summed under this name.
_NONE = ""
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Given:
    """What one record gives to a total: ``amount`` in ``currency`` (none for numbers)."""

    amount: Decimal
    currency: str = _NONE


_ONE = Given(Decimal(1))


@dataclass(frozen=True, eq=False)
class Total:
    """A roll-up field ``field`` of the object ``parent``: over the records of ``source`` that name a record
    of it in their field ``by``, with ``outcome`` only those that stand so. Made once a catalog, and compared
    by identity.
    """

    parent: str
    field: FieldDefinition
    source: str
    by: str
    function: TotalFunction
    of: FieldDefinition | None
    outcome: str | None = None

    @property
    def key(self) -> str:
        return self.field.key

    def parent_id(self, data: Mapping[str, Any]) -> int | None:
        """The record that one with these values counts for."""
        value = data.get(self.by)
        return int(value) if isinstance(value, str) and value.isdecimal() else None

    def given(self, data: Mapping[str, Any], currency: str | None, outcome: str | None) -> Given | None:
        """What a record with these values, in this currency, standing so, gives; ``None`` for nothing."""
        if self.outcome is not None and outcome != self.outcome:
            return None
        if self.function == "count":
            return _ONE
        value = data.get(self.of.key) if self.of else None
        if is_empty(value) or isinstance(value, bool | list | dict):
            return None
        if self.field.type == ROLLUP:
            return Given(Decimal(str(value)))
        fixed = self.of.params.get("currency") if self.of else None
        return Given(Decimal(str(value)), str(fixed or currency or ""))

    def value(self, given: Iterable[Given]) -> Any:
        """The stored value of the total over ``given``; ``None`` (empty) when there is nothing to tell."""
        found: dict[str, Decimal] = {}
        for one in given:
            known = found.get(one.currency)
            found[one.currency] = one.amount if known is None else self._joined(known, one.amount)
        return self._stored(found)

    def renewed(self, stored: Any, changes: Iterable[tuple[Given | None, Given | None]]) -> tuple[bool, Any]:
        """(True, the value) after records gave the second of each pair instead of the first; (False, nothing)
        when that cannot be told without looking at all of them.
        """
        if stored is None and self.function != "count":
            return False, None
        held = self._held(stored)
        for before, after in changes:
            if before is not None:
                is_lost = after is None or after.currency != before.currency
                if self.function in ("min", "max") or (is_lost and self.function == "sum"):
                    return False, None
                held[before.currency] = held.get(before.currency, _ZERO) - before.amount
            if after is not None:
                known = held.get(after.currency)
                held[after.currency] = after.amount if known is None else self._joined(known, after.amount)
        return True, self._stored(held)

    def _joined(self, known: Decimal, more: Decimal) -> Decimal:
        if self.function == "min":
            return min(known, more)
        return max(known, more) if self.function == "max" else known + more

    def _held(self, stored: Any) -> dict[str, Decimal]:
        if isinstance(stored, Mapping):
            return {str(currency): Decimal(str(amount)) for currency, amount in stored.items()}
        return {} if stored is None else {_NONE: Decimal(str(stored))}

    def _stored(self, held: Mapping[str, Decimal]) -> Any:
        if self.field.type == MONEY_ROLLUP:
            return {currency: _text(held[currency]) for currency in sorted(held)} or None
        if not held:
            return "0" if self.function == "count" else None
        number = held[_NONE]
        # Beyond what a double keeps in order there is no total that could be compared.
        fits = number.is_zero() or number.adjusted() - _exponent(number) < SIGNIFICANT_DIGITS
        return _text(number) if fits else None


def total_of(
    parent: str, field: FieldDefinition, sources: Mapping[str, Mapping[str, FieldDefinition]]
) -> Total | None:
    """The total that a roll-up field asks for; ``None`` when its object or field is gone.

    ``sources``: the fields by key of every object.
    """
    params = field.params
    fields = sources.get(str(params["from"]))
    if fields is None or str(params["by"]) not in fields:
        return None
    of = fields.get(str(params.get("of", "")))
    if of is None and params["function"] != "count":
        return None
    function, outcome = params["function"], params.get("outcome")
    return Total(parent, field, str(params["from"]), str(params["by"]), function, of, outcome)


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return min(exponent, 0) if isinstance(exponent, int) else 0


def _text(number: Decimal) -> str:
    return format(abs(number) if number.is_zero() else number, "f")
