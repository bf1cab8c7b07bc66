"""Undoing a batch: what goes, what comes back, and what stays because somebody has touched it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.undoing import Act, Keep, PutBack, Remove, Restore, decide

MADE = Act("record.created", {}, {})
KEYS = st.sampled_from("abcd")
VALUES = st.none() | st.integers(0, 3)


def changed(**fields: tuple[object, object]) -> Act:
    return Act(
        "record.changed",
        {key: old for key, (old, _) in fields.items()},
        {key: new for key, (_, new) in fields.items()},
    )


def test_what_a_batch_made_and_nobody_touched_goes() -> None:
    assert decide([MADE], [], is_deleted=False) == Remove()
    assert decide([MADE, changed(a=(1, 2))], [], is_deleted=False) == Remove()
    assert decide([Act("record.loaded", {}, {})], [], is_deleted=False) == Remove()


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("record.changed", "edited"),
        ("record.moved", "moved"),
        ("move.requested", "moved"),
        ("record.converted", "converted"),
        ("stage.worked", "worked"),
        ("record.restored", "edited"),
    ],
)
def test_what_was_touched_since_stays_with_the_reason(kind: str, reason: str) -> None:
    assert decide([MADE], [Act(kind, {"x": 1}, {"x": 2})], is_deleted=False) == Keep(reason)  # type: ignore[arg-type]


def test_the_weightiest_reason_is_told() -> None:
    since = [changed(a=(1, 2)), Act("record.moved", {}, {}), Act("record.converted", {}, {})]
    assert decide([MADE], since, is_deleted=False) == Keep("converted")
    assert decide([MADE], since[:2], is_deleted=False) == Keep("moved")


def test_former_values_come_back_the_earliest_of_each_field() -> None:
    acts = [changed(a=(1, 2), b=(None, 5)), changed(a=(2, 3))]
    assert decide(acts, [], is_deleted=False) == PutBack({"a": 1, "b": None})


def test_a_change_of_other_fields_does_not_hinder_and_one_of_the_same_does() -> None:
    acts = [changed(a=(1, 2))]
    assert decide(acts, [changed(b=(1, 2))], is_deleted=False) == PutBack({"a": 1})
    assert decide(acts, [changed(a=(2, 9))], is_deleted=False) == Keep("edited")
    assert decide(acts, [changed(b=(1, 2)), Act("record.moved", {}, {})], is_deleted=False) == Keep("moved")


def test_what_a_batch_deleted_comes_back_unless_somebody_dealt_with_it() -> None:
    deleted, restored = Act("record.deleted", {}, {}), Act("record.restored", {}, {})
    assert decide([deleted], [], is_deleted=True) == Restore()
    assert decide([deleted], [restored], is_deleted=False) == Keep("edited")
    assert decide([deleted], [restored, deleted], is_deleted=True) == Keep("deleted")


def test_what_is_in_the_recycle_bin_stays_there() -> None:
    assert decide([MADE], [], is_deleted=True) == Keep("deleted")
    assert decide([changed(a=(1, 2))], [], is_deleted=True) == Keep("deleted")


@given(st.dictionaries(KEYS, VALUES), st.lists(st.dictionaries(KEYS, VALUES, min_size=1), min_size=1))
def test_putting_back_gives_the_state_before(
    start: dict[str, object], steps: list[dict[str, object]]
) -> None:
    state = {key: value for key, value in start.items() if value is not None}
    before = dict(state)
    acts = []
    for step in steps:
        acts.append(changed(**{key: (state.get(key), value) for key, value in step.items()}))
        state = {key: value for key, value in {**state, **step}.items() if value is not None}
    decision = decide(acts, [], is_deleted=False)
    assert isinstance(decision, PutBack)
    undone = {key: value for key, value in {**state, **decision.values}.items() if value is not None}
    assert undone == before
