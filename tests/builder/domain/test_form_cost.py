"""A form whose required fields are answered by fillers is reported, with what to do about each (B20)."""

from __future__ import annotations

from typing import Any

from builder.domain.form_cost import Place, cost_of, is_filler

FIRST, LAST = ("flow", "first"), ("flow", "last")
KEYS = [f"f{number}" for number in range(22)]


def rows(fillers: int, place: Place = FIRST, count: int = 10) -> list[tuple[Place, bool, dict[str, Any]]]:
    """Records of which the first ``fillers`` say N/A everywhere."""
    return [(place, True, dict.fromkeys(KEYS, "N/A" if at < fillers else "said")) for at in range(count)]


def test_22_required_fields_with_60_percent_fillers_are_reported_as_such() -> None:
    cost = cost_of(rows(6), dict.fromkeys(KEYS), {"f3": 7})
    assert (len(cost.fields), cost.filler_share, cost.is_costly, cost.looked_at) == (22, 60, True, 10)
    assert cost.fields[0].key == "f3", "what refuses most comes first among equals"
    assert cost.fields[0].refused == 7
    assert all(one.proposal([FIRST, LAST]) == ("drop", None) for one in cost.fields)
    assert not cost_of(rows(4), dict.fromkeys(KEYS), {}).is_costly


def test_what_is_answered_later_is_proposed_to_be_asked_later() -> None:
    cost = cost_of([*rows(10), *rows(1, LAST)], {"f0": None}, {})
    assert cost.fields[0].proposal([FIRST, LAST]) == ("move", LAST)
    assert cost.fields[0].proposal([]) == ("drop", None)


def test_few_answers_prove_nothing() -> None:
    assert cost_of(rows(9, count=9), {"f0": None}, {}).fields[0].proposal([FIRST]) == ("", None)


def test_what_is_empty_where_it_is_asked_keeps_open_records_waiting() -> None:
    empty: list[tuple[Place, bool, dict[str, Any]]] = [
        (FIRST, True, {}),
        (LAST, True, {}),
        (FIRST, False, {}),
    ]
    cost = cost_of(empty, {"f0": frozenset({FIRST}), "f1": None}, {})
    assert {one.key: one.waiting for one in cost.fields} == {"f0": 1, "f1": 2}
    assert [one.answers.filled_share for one in cost.fields] == [0, 0]


def test_fillers_in_both_languages() -> None:
    assert all(map(is_filler, ("-", " N/A ", "无", "暂无", "TBD")))
    assert not any(map(is_filler, ("", "no", "12", 0, None, ["-"])))
