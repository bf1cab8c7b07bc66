"""Amounts that a formula makes are shown in a currency (part 3)."""

from __future__ import annotations

from typing import Any

import pytest

from builder.fieldtypes.base import FieldContext
from builder.fieldtypes.money import is_money
from builder.metadata.compiler import field_set


def shown(value: str, ctx: FieldContext, **settings: Any) -> str:
    document = {"x-type": "formula", "x-label": {"en": "Sum"}, "x-formula": "1", **settings}
    form = {
        "type": "object",
        "properties": {"sum": document},
        "x-sections": [{"key": "main", "label": {"en": "Main"}, "fields": ["sum"]}],
    }
    definition = field_set(form).by_key["sum"]
    assert is_money(definition) == bool(settings.keys() & {"x-money", "x-currency"})
    from builder.fieldtypes.registry import type_of

    return type_of(definition).text(definition, value, ctx)


@pytest.mark.parametrize(
    ("value", "settings", "ctx", "text"),
    [
        ("1234.5", {"x-money": True}, FieldContext(), "$1,234.50"),
        ("1234.50", {"x-money": True}, FieldContext(currency="CNY", locale="zh_Hans"), "¥1,234.50"),
        ("-7.25", {"x-money": True}, FieldContext(currency="EUR"), "-€7.25"),
        ("1200.00", {"x-money": True}, FieldContext(currency="JPY"), "¥1,200"),
        ("1200.50", {"x-money": True}, FieldContext(currency="JPY"), "¥1,200.5"),
        ("0.125", {"x-money": True, "x-scale": 3}, FieldContext(), "$0.125"),
        ("9", {"x-currency": "EUR"}, FieldContext(currency="USD"), "€9.00"),
        ("1234.5", {}, FieldContext(), "1,234.5"),
        ("", {"x-money": True}, FieldContext(), ""),
    ],
)
def test_the_currency_is_its_own_or_the_records(
    value: str, settings: dict[str, Any], ctx: FieldContext, text: str
) -> None:
    assert shown(value, ctx, **settings) == text
