"""How long a record may stay in a stage: target, warning and breach in days (issue 4, B13).

A limit of n days is kept through the nth day and passed after it. A stay is told by the last limit that it
passed; limits that are not set are never passed. The order of rules: breach, warning, target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Standing: TypeAlias = Literal["on_time", "over_target", "warning", "breach"]

SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Whole days that a stay may take, ascending where set; ``None``: no such limit."""

    target_days: int | None = None
    warning_days: int | None = None
    breach_days: int | None = None

    def __bool__(self) -> bool:
        return any(each is not None for each in (self.target_days, self.warning_days, self.breach_days))

    def standing(self, days: int) -> Standing | None:
        """What a stay of so many whole days is; ``None`` where nothing is set.

        Target 5, warning 8, breach 12: on time at 5, over target at 6, warning at 9, breach at 13.
        """
        if not self:
            return None
        if self.breach_days is not None and days > self.breach_days:
            return "breach"
        if self.warning_days is not None and days > self.warning_days:
            return "warning"
        if self.target_days is not None and days > self.target_days:
            return "over_target"
        return "on_time"


NO_LIMITS = TimeLimits()


def whole_days(seconds: float) -> int:
    """The full days of a stay; none for one that begins in the future."""
    return max(0, int(seconds // SECONDS_A_DAY))
