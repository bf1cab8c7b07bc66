"""What two sides made of one document comes together (B7, B9)."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from builder.metadata.merging import Merged, merge

KEYS = st.sampled_from("abcd")
LEAVES = st.integers(0, 3) | st.lists(KEYS, unique=True, max_size=4)
STAGES = st.lists(
    st.fixed_dictionaries({"key": KEYS}, optional={"label": KEYS, "probability": st.integers(0, 2)}),
    unique_by=lambda stage: stage["key"],
    max_size=4,
)
DOCUMENTS = st.dictionaries(st.sampled_from(["x", "y"]), LEAVES | st.dictionaries(KEYS, LEAVES)).flatmap(
    lambda rest: STAGES.map(lambda stages: {**rest, "stages": stages})
)


@given(DOCUMENTS, DOCUMENTS)
def test_one_side_alone_has_its_way(base: Any, other: Any) -> None:
    assert merge(base, other, base) == Merged(other)
    assert merge(base, base, other) == Merged(other)
    assert merge(base, other, other) == Merged(other)


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_whoever_is_preferred_the_places_in_conflict_are_the_same_number(
    base: Any, ours: Any, theirs: Any
) -> None:
    mine, other = merge(base, ours, theirs), merge(base, ours, theirs, prefer_theirs=True)
    assert len(mine.conflicts) == len(other.conflicts)
    keys = [stage["key"] for stage in mine.document["stages"]]
    assert len(keys) == len(set(keys))


def test_both_sides_are_kept_with_the_order_of_whoever_changed_it() -> None:
    base = {"stages": [{"key": "a", "probability": 10}, {"key": "b"}, {"key": "c"}]}
    ours = {"stages": [{"key": "b"}, {"key": "a", "probability": 10}, {"key": "n"}, {"key": "c"}]}
    theirs = {"stages": [{"key": "a", "probability": 20}, {"key": "b"}, {"key": "t"}]}
    merged = merge(base, ours, theirs)
    assert merged.document["stages"] == [
        {"key": "b"},
        {"key": "t"},
        {"key": "a", "probability": 20},
        {"key": "n"},
    ]
    assert merged.conflicts == ()


def test_a_contradiction_is_named_and_one_side_stays() -> None:
    base = {"stages": [{"key": "a", "probability": 10}]}
    ours = {"stages": [{"key": "a", "probability": 30}]}
    theirs = {"stages": [{"key": "a", "probability": 20}]}
    assert merge(base, ours, theirs) == Merged(ours, ("/stages/0/probability",))
    assert merge(base, ours, theirs, prefer_theirs=True) == Merged(theirs, ("/stages/0/probability",))


def test_what_one_side_changed_and_the_other_removed_is_a_contradiction() -> None:
    base, ours = {"stages": [{"key": "a"}]}, {"stages": [{"key": "a", "probability": 30}]}
    assert merge(base, ours, {"stages": []}).conflicts == ("/stages/0",)


def test_a_field_that_both_put_into_different_sections_stands_where_ours_has_it() -> None:
    def form(label: str, **sections: list[str]) -> dict[str, Any]:
        rows = [{"key": key, "fields": fields} for key, fields in sections.items()]
        return {"label": label, "fields": {"x-sections": rows}}

    merged = merge(
        form("x"), form("mine", a=["one", "two"]), {**form("x", b=["two", "three"]), "icon": "star"}
    )
    assert merged.document == {**form("mine", a=["one", "two"], b=["three"]), "icon": "star"}
