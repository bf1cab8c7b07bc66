"""Adding up what journeys count for: lanes never run over into each other, whatever the numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from builder.domain.journey_hits import Lanes
from builder.domain.reach import FunnelSteps

STEPS = FunnelSteps((("p", "a"), ("p", "b")), (("p", "a", "open"), ("p", "b", "won")))
KEYS = [("entry", "a"), ("entry", "b"), ("pair", "a")]
counts = st.integers(0, 2**63 - 1)


@given(st.lists(st.tuples(st.lists(st.sampled_from(KEYS), max_size=5), counts), max_size=12))
def test_lanes_hold_the_sums_of_their_keys(groups: list[tuple[list[tuple[str, str]], int]]) -> None:
    lanes = Lanes(STEPS)
    expected = dict.fromkeys(KEYS, 0)
    total = 0
    for keys, n in groups:
        total += sum(lanes.one(*key) for key in keys) * n
        for key in keys:
            expected[key] += n

    assert {key: lanes.read(total, place) for place, key in enumerate(lanes.keys)} == {
        key: expected[key] for key in lanes.keys
    }
    assert {key for key in KEYS if expected[key]} <= set(lanes.keys)
