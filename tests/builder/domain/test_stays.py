"""Stays: opened, closed, and made from a history of another system."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from statistics import median

import pytest

from builder.domain.stays import (
    EntryFacts,
    LoggedEntry,
    close_stay,
    elapsed_seconds,
    open_stay,
    skipped_between,
    stays_from_log,
)
from tests.builder.domain.selling import letters, pipeline, stage

DATA = Path(__file__).parents[4] / "shared" / "data"

PATH = letters()
T0 = datetime(2026, 3, 1, 8, tzinfo=UTC)


def day(number: int) -> datetime:
    return T0 + timedelta(days=number)


def test_stay_keeps_the_facts_of_its_entry_and_its_seconds_with_microseconds() -> None:
    facts = EntryFacts(owner_id=7, amount_minor=100, currency="EUR", probability=20)
    stay = open_stay(PATH, PATH.stages[1], T0, "advance", facts)
    assert (stay.stage_key, stay.position, stay.kind, stay.owner_id, stay.amount_minor) == (
        "b",
        1,
        "open",
        7,
        100,
    )
    assert stay.is_running
    closed = close_stay(stay, T0 + timedelta(seconds=3, microseconds=1), "lost")
    assert (closed.seconds, closed.left_via, closed.is_running) == (3.000001, "lost", False)


def test_unknown_times_are_no_time_and_not_zero() -> None:
    stay = close_stay(open_stay(PATH, PATH.stages[0], None, "load"), T0, "advance")
    assert (stay.entered_at, stay.seconds, stay.is_running) == (None, None, False)
    assert elapsed_seconds(T0, None) is None


def test_ended_stay_cannot_end_again_nor_before_it_began() -> None:
    stay = open_stay(PATH, PATH.stages[0], T0, "create")
    with pytest.raises(ValueError, match="before"):
        close_stay(stay, T0 - timedelta(seconds=1), "back")
    with pytest.raises(ValueError, match="already"):
        close_stay(close_stay(stay, T0, "back"), T0, "back")


def test_naive_times_are_refused_and_zones_become_utc() -> None:
    with pytest.raises(ValueError, match="time zone"):
        open_stay(PATH, PATH.stages[0], datetime(2026, 3, 1), "create")  # noqa: DTZ001
    east = timezone(timedelta(hours=8))
    assert open_stay(PATH, PATH.stages[0], T0.astimezone(east), "create").entered_at == T0


def log(*entries: tuple[str, int | None]) -> list[tuple[str, str, str | None, float | None]]:
    stays = stays_from_log(PATH, [LoggedEntry(key, None if at is None else day(at)) for key, at in entries])
    return [(stay.stage_key, stay.entered_via, stay.left_via, stay.seconds) for stay in stays]


def test_history_with_repeat_back_win_and_a_visit_after_the_end() -> None:
    assert log(("a", 0), ("a", 1), ("c", 1), ("b", 2), ("won", 4), ("b", 5), ("lost", 6), ("won", 7)) == [
        ("a", "load", "repeat", 86400.0),
        ("a", "repeat", "advance", 0.0),
        ("c", "advance", "back", 86400.0),
        ("b", "back", "won", 172800.0),
        ("won", "advance", "back", 86400.0),
        ("b", "reopen", "lost", 86400.0),
        ("lost", "advance", "won", 86400.0),
        ("won", "advance", None, None),
    ]


def test_history_is_ordered_by_time_and_ties_follow_the_file() -> None:
    assert [row[0] for row in log(("b", 2), ("c", 1), ("a", 1), ("won", 2))] == ["c", "a", "b", "won"]


def test_entry_without_a_time_stays_behind_the_one_before_it_in_the_file() -> None:
    rows = log(("a", 3), ("b", None), ("c", 1))
    assert rows == [
        ("c", "load", "back", 172800.0),
        ("a", "back", "advance", None),
        ("b", "advance", None, None),
    ]
    assert [row[0] for row in log(("b", None), ("a", 0))] == ["b", "a"]


def test_skipped_stages_are_those_jumped_over_forwards() -> None:
    by_key = PATH.by_key
    assert skipped_between(PATH, by_key["a"], by_key["c"]) == ("b",)
    assert skipped_between(PATH, by_key["a"], by_key["won"]) == ("b", "c")
    assert skipped_between(PATH, by_key["a"], by_key["lost"]) == ()
    assert skipped_between(PATH, by_key["c"], by_key["a"]) == ()


def test_stage_that_the_pipeline_lacks_is_an_error() -> None:
    with pytest.raises(KeyError):
        stays_from_log(PATH, [LoggedEntry("gone", T0)])


@pytest.mark.parametrize(
    ("log_name", "oracle"),
    [("running-example", "running_example"), ("roadtraffic100traces", "roadtraffic100")],
)
def test_real_event_logs_give_the_published_entries_flows_and_times(log_name: str, oracle: str) -> None:
    file = DATA / "event_logs" / f"{log_name}.csv"
    if not file.exists():
        pytest.skip("the real data of ../shared/data is not here")
    expected = json.loads((DATA / "oracles" / f"{oracle}.json").read_text())
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    names = {name: f"s{place}" for place, name in enumerate(sorted({row["concept:name"] for row in rows}))}
    labels = {key: name for name, key in names.items()}
    path = pipeline(*(stage(key, place) for place, key in enumerate(names.values())))
    cases: dict[str, list[LoggedEntry]] = defaultdict(list)
    for row in rows:
        at = datetime.fromisoformat(row["time:timestamp"])
        cases[row["case:concept:name"]].append(LoggedEntry(names[row["concept:name"]], at))
    entries: Counter[str] = Counter()
    follows: Counter[tuple[str, str]] = Counter()
    seconds: dict[str, list[float]] = defaultdict(list)
    for events in cases.values():
        stays = stays_from_log(path, events)
        assert [stay.is_running for stay in stays] == [False] * (len(stays) - 1) + [True]
        for place, stay in enumerate(stays):
            entries[labels[stay.stage_key]] += 1
            if stay.seconds is not None:
                seconds[labels[stay.stage_key]].append(stay.seconds)
                follows[labels[stay.stage_key], labels[stays[place + 1].stage_key]] += 1
    assert entries == expected["events_by_stage"]
    assert follows == {(row["from"], row["to"]): row["n"] for row in expected["directly_follows"]}
    for name, times in expected["time_in_stage"].items():
        assert len(seconds[name]) == times["n"]
        assert round(sum(seconds[name]) / len(seconds[name]), 6) == times["mean_s"]
        assert median(seconds[name]) == times["median_s"]
