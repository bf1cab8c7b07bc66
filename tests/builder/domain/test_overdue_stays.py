"""The time in a stage as something that conditions ask about: it says what the limits say (B13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import Comparison, check, evaluate
from builder.domain.kinds import TIME_LIMIT, ConditionError
from builder.domain.overdue_stays import STANDINGS
from builder.domain.time_limits import TimeLimits, whole_days

NOW = datetime(2026, 11, 22, 20, 30, tzinfo=UTC)
DAYS = st.none() | st.integers(1, 6)


def record(entered: datetime | None, **more: Any) -> dict[str, Any]:
    known = {"pipeline": "sales", "stage": "talk", "outcome": "open", "stage_entered_at": entered} | more
    return {f"record.{name}": value for name, value in known.items() if value is not None}


def holds(op: str, value: Any, limits: TimeLimits, values: dict[str, Any]) -> bool:
    context = EvaluationContext(NOW, limits={("sales", "talk"): limits, ("other", "talk"): TimeLimits(1)})
    return evaluate(Comparison(TIME_LIMIT, op, value), values, {}, context)


@given(
    DAYS, DAYS, DAYS, st.integers(-1, 8), st.sampled_from([-1, 0, 1])
)  # microseconds beside a full day, for the edge
def test_a_condition_finds_a_record_by_the_standing_of_its_stay(
    target: int | None, warning: int | None, breach: int | None, days: int, micros: int
) -> None:
    limits = TimeLimits(target, warning, breach)
    entered = NOW - timedelta(days=days, microseconds=micros)
    standing = limits.standing(whole_days((NOW - entered).total_seconds()))
    found = {each for each in STANDINGS if limits and holds("eq", each, limits, record(entered))}
    assert found == ({standing} if standing else set())


def test_several_standings_none_of_them_and_no_standing_at_all() -> None:
    limits = TimeLimits(2, 4, 6)
    late = record(NOW - timedelta(days=5))
    assert holds("in", ("warning", "breach"), limits, late)
    assert not holds("not_in", ("warning", "breach"), limits, late)
    assert holds("ne", "on_time", limits, late)
    assert holds("not_empty", None, limits, late)
    for without in (record(None), late | {"record.outcome": "won"}, late | {"record.stage": "paper"}):
        assert holds("empty", None, limits, without)
        assert not holds("ne", "on_time", limits, without)


def test_it_is_refused_where_nobody_knows_the_limits_and_for_what_is_no_standing() -> None:
    with pytest.raises(ConditionError):
        evaluate(Comparison(TIME_LIMIT, "eq", "breach"), record(NOW), {}, EvaluationContext(NOW))
    with pytest.raises(ConditionError):
        holds("eq", "late", TimeLimits(1), record(NOW))
    with pytest.raises(ConditionError):
        holds("contains", "breach", TimeLimits(1), record(NOW))
    assert check(Comparison(TIME_LIMIT, "eq", "breach"), {}, EvaluationContext(NOW))
