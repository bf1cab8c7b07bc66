"""What one record adds to the roll-up for wins and losses (M5–M7, M27, M10), and medians from it.

Counts and sums are cells like those of funnels (``domain.rollup``). A median is no sum; so the roll-up counts
won records in *buckets*, spans of amounts (or of cycles) two or three hundredths of their value wide. The
bucket that holds the middle record is found from counts alone, and only its records are read: a few in a
hundred, by an index that has them in order. So medians are exact, and nobody reads all that was ever won.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from builder.domain.calendar import MICROSECOND

# Places are outcomes ("open" for what has not ended). Amounts are those of won and lost records; how many
# have one stands in the third sum.
ENDED = "ended"
# Places are buckets of the amounts of won records, by currency; numbers only.
WON_AMOUNT = "won:amount"
# Places are buckets of the cycles of won records; all their seconds together, and the microseconds beyond.
WON_CYCLE = "won:cycle"
MEASURES = (ENDED, WON_AMOUNT, WON_CYCLE)
# Places are outcome, reason and the stage left for the end; amounts of all that ended, as in ENDED.
REASON = "ended:reason"
# What is counted by the month of the end as well.
BY_MONTH = frozenset({ENDED, REASON})

MICROS_A_DAY = 86_400_000_000
_MICROS = 1_000_000
_FINENESS = 5  # 2⁵ buckets between a value and its double

# Measure, place, currency, and the three sums.
WinCell = tuple[str, str, str, int, int, int]


class Ending(NamedTuple):
    """How a record ended (``outcome`` "open": it has not) and why, what it was worth, and when it began and
    ended.
    """

    outcome: str
    amount_minor: int | None
    currency: str
    started_at: datetime | None
    closed_at: datetime | None
    reason_key: str | None = None

    @property
    def cycle_micros(self) -> int | None:
        """M10 of a won record in microseconds; ``None`` where the beginning or the end is not known."""
        if self.outcome != "won" or self.started_at is None or self.closed_at is None:
            return None
        return (self.closed_at - self.started_at) // MICROSECOND


class Reasoned(NamedTuple):
    """How records ended, why, and in which stage they were before; ``None`` where there is none."""

    outcome: str
    reason: str | None
    stage: str | None

    @property
    def place(self) -> str:
        """As the roll-up keeps it; no key holds a slash."""
        return f"{self.outcome}/{self.reason or ''}/{self.stage or ''}"

    @classmethod
    def of(cls, place: str) -> Reasoned:
        outcome, reason, stage = place.split("/")
        return cls(outcome, reason or None, stage or None)


def win_cells(ending: Ending, left: str | None = None) -> Iterator[WinCell]:
    """The cells of one record that was in the stage ``left`` before it ended; what has not ended is only
    counted, so that moves and new amounts of open records change nothing.
    """
    outcome, amount, currency = ending.outcome, ending.amount_minor, ending.currency
    if outcome not in ("won", "lost", "invalid"):
        yield ENDED, "open", "", 1, 0, 0
        return
    if outcome == "invalid" or amount is None:
        yield ENDED, outcome, "", 1, 0, 0
    else:
        yield ENDED, outcome, currency, 1, amount, 1
    reasoned = Reasoned(outcome, ending.reason_key, left).place
    if amount is None:
        yield REASON, reasoned, "", 1, 0, 0
    else:
        yield REASON, reasoned, currency, 1, amount, 1
    if outcome != "won":
        return
    if amount is not None:
        yield WON_AMOUNT, str(bucket_of(amount)), currency, 1, 0, 0
    cycle = ending.cycle_micros
    if cycle is not None:
        yield WON_CYCLE, str(bucket_of(cycle)), "", 1, *divmod(cycle, _MICROS)


def bucket_of(value: int) -> int:
    """The bucket of a value; larger values never have smaller buckets."""
    if value < 0:
        return -bucket_of(-value)
    beyond = max(0, value.bit_length() - _FINENESS - 1)
    return (beyond << _FINENESS) + (value >> beyond)


def span_of(bucket: int) -> tuple[int, int]:
    """The least and the greatest value of a bucket."""
    if bucket < 0:
        least, greatest = span_of(-bucket)
        return -greatest, -least
    beyond = max(0, (bucket >> _FINENESS) - 1)
    leading = bucket - (beyond << _FINENESS)
    return leading << beyond, ((leading + 1) << beyond) - 1


class Middle(NamedTuple):
    """Where the middle one or two (``n``) of some values stand: in order, behind the first ``skipped`` of
    those from ``least`` to ``greatest``.
    """

    least: int
    greatest: int
    skipped: int
    n: int


def middle_of(counts: Mapping[int, int]) -> Middle | None:
    """From how many values each bucket holds; ``None`` where there are none."""
    whole = sum(counts.values())
    if not whole:
        return None
    first, last = (whole - 1) // 2, whole // 2
    passed = 0
    found: list[tuple[int, int]] = []
    for bucket in sorted(counts):
        n = counts[bucket]
        found += [(bucket, passed) for rank in {first, last} if passed <= rank < passed + n]
        passed += n
    (low, before), (high, _) = found[0], found[-1]
    return Middle(span_of(low)[0], span_of(high)[1], first - before, last - first + 1)


def micros_of(seconds: int, micros: int) -> int:
    """All of a sum of cycles, as cells keep it in two parts, so that no company's sum is too large."""
    return seconds * _MICROS + micros
