"""Histories for tests of the ledger: written out as words, or made at random by hypothesis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from builder.domain.pipeline import Pipeline
from builder.domain.stays import EntryFacts, LoggedEntry, Stay, close_stay, stays_from_log
from tests.builder.domain.selling import letters

PATH = letters()
T0 = datetime(2025, 11, 20, 9, tzinfo=UTC)
# The table "one history, four modes" at the end of metrics.md.
ONE_HISTORY = ("a b c won", "a c won", "a b a b lost", "a lost", "b c", "a", "a b invalid", "a b a")


def walk(words: str, path: Pipeline = PATH, *, amount: int = 100) -> tuple[Stay, ...]:
    """Stays of a history such as ``"a b won"``, a day apart, worth ``amount`` at every entry."""
    entries = [
        LoggedEntry(key, T0 + timedelta(days=place), EntryFacts(amount_minor=amount, currency="EUR"))
        for place, key in enumerate(words.split())
    ]
    return stays_from_log(path, entries, first_via="create")


@st.composite
def histories(draw: st.DrawFn, path: Pipeline = PATH) -> tuple[Stay, ...]:
    """A record's stays after random moves: any order, gaps of months, unknown times, other amounts and
    currencies, void stays, and sometimes an end by leaving the pipeline."""
    keys = [stage.key for stage in path.stages]
    moves = draw(
        st.lists(
            st.tuples(
                st.sampled_from(keys),
                st.integers(0, 70),
                st.sampled_from([0, 5, 9]),
                st.sampled_from(["EUR", "EUR", "CNY", None]),
                st.integers(0, 9),
            ),
            max_size=8,
        )
    )
    at, entries, void = T0, [], set()
    for place, (key, days, amount, currency, dice) in enumerate(moves):
        at += timedelta(days=days)
        entries.append(LoggedEntry(key, None if dice == 0 else at, EntryFacts(None, None, amount, currency)))
        if dice == 1:
            void.add(place)
    stays = [
        stay._replace(left_via="void") if place in void else stay
        for place, stay in enumerate(stays_from_log(path, entries))
    ]
    ending = draw(st.sampled_from([None, None, "pipeline_change", "migrate"]))
    if stays and stays[-1].is_running and ending is not None:
        stays[-1] = close_stay(stays[-1], at + timedelta(days=1), ending)
    return tuple(stays)


def entered_between(stays: Sequence[Stay], start: datetime, end: datetime) -> tuple[Stay, ...]:
    """Stays entered in [start, end) in the order of time, equal times as in the ledger."""
    timed = [(stay.entered_at, stay) for stay in stays if stay.entered_at is not None]
    return tuple(stay for at, stay in sorted(timed, key=lambda pair: pair[0]) if start <= at < end)
