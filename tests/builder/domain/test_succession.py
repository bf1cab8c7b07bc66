"""Who manages whom after somebody has handed over their place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from builder.domain.succession import new_managers

CHIEF, MIA, RITA, SAM, TOM = range(1, 6)
MANAGERS = {CHIEF: None, MIA: CHIEF, RITA: MIA, SAM: MIA, TOM: RITA}


def test_reports_go_to_the_successor() -> None:
    assert new_managers(MANAGERS, MIA, CHIEF) == {RITA: CHIEF, SAM: CHIEF}
    assert new_managers(MANAGERS, TOM, SAM) == {}


def test_a_successor_from_below_takes_the_place() -> None:
    assert new_managers(MANAGERS, MIA, RITA) == {SAM: RITA, RITA: CHIEF}
    assert new_managers(MANAGERS, MIA, TOM) == {RITA: TOM, SAM: TOM, TOM: CHIEF}


@st.composite
def companies(draw: st.DrawFn) -> tuple[dict[int, int | None], int, int]:
    size = draw(st.integers(2, 12))
    order = draw(st.permutations(range(size)))
    # Everybody's manager comes earlier in some order, so that nobody is above themselves.
    managers = {member: draw(st.sampled_from([None, *order[:place]])) for place, member in enumerate(order)}
    leaver, successor = draw(st.permutations(range(size)))[:2]
    return managers, leaver, successor


@given(companies())
def test_nobody_reports_to_the_leaver_or_comes_to_stand_above_themselves(
    company: tuple[dict[int, int | None], int, int],
) -> None:
    managers, leaver, successor = company
    after = {**managers, **new_managers(managers, leaver, successor)}
    assert leaver not in {manager for member, manager in after.items() if member != leaver}
    for member in after:
        above, current = [], after[member]
        while current is not None:
            above.append(current)
            assert current != member, above
            assert len(above) <= len(after)
            current = after[current]
