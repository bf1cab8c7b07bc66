"""What a sample holds is what people could have typed (S18)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

from builder.metadata.compiler import field_set
from builder.metadata.record_validation import validate
from builder.services.demo.values import ValueMaker

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def field(type_key: str, **settings: Any) -> dict[str, Any]:
    return {"x-type": type_key, "x-label": {"en": type_key}, **settings}


def form(**properties: Any) -> dict[str, Any]:
    section = {"key": "all", "label": {"en": "All"}, "fields": list(properties)}
    return {
        "type": "object",
        "properties": properties,
        "required": [key for key, one in properties.items() if one["x-type"] != "formula"],
        "x-sections": [section],
    }


ROWS = form(
    quantity=field("decimal", **{"x-scale": 2, "x-sign": "positive"}),
    each=field("money"),
    less=field("percent", **{"x-scale": 2}),
    sum=field("formula", **{"x-formula": "quantity * each", "x-money": True}),
)
FIELDS = field_set(form(lines=field("table", items=ROWS), weight=field("decimal"), share=field("percent")))


def made(pools: dict[str, Any], times: int = 60) -> list[dict[str, Any]]:
    values = ValueMaker(Random(7), pools, {})
    return [values.record("deal", FIELDS, NOW) for _ in range(times)]


def test_quantities_are_whole_and_small_and_every_record_is_valid() -> None:
    rows = []
    for record in made({}):
        assert validate(FIELDS, record, None) == []
        assert Decimal(record["weight"]) % 1 == 0
        assert Decimal(record["share"]) % 5 == 0
        rows += record["lines"]
    quantities = [Decimal(row["quantity"]) for row in rows]
    assert all(1 <= each <= 20 and each % 1 == 0 for each in quantities)
    assert len(set(quantities)) > 5
    assert sorted(quantities)[len(quantities) // 2] <= 6, "most are few"
    assert {row["less"] for row in rows} <= {"0", "5", "10", "15"}
    assert all(500 <= Decimal(row["each"]) <= 20_000 for row in rows)


def test_what_the_plan_says_comes_first() -> None:
    pools = {"deal.lines.quantity": ["2.5"], "deal.weight": {"low": 4, "high": 10}}
    records = made(pools, times=30)
    assert {row["quantity"] for record in records for row in record["lines"]} == {"2.5"}
    weights = [Decimal(record["weight"]) for record in records]
    assert all(4 <= each <= 10 for each in weights)
    assert any(each % 1 for each in weights)
