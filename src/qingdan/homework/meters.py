"""A class's day as a bar: what it has, what a draft would add, and where the limit is."""

from __future__ import annotations

from dataclasses import dataclass

from qingdan.homework.actions.register import DayTotal


@dataclass(frozen=True)
class Meter:
    """A day's total with what would come on top of it."""

    total: DayTotal
    added_minutes: int = 0

    @property
    def minutes(self) -> int:
        """Both together."""
        return self.total.minutes + self.added_minutes

    @property
    def minutes_left(self) -> int | None:
        """What may still be given after the draft; below zero when it is too much, None without a figure."""
        left = self.total.minutes_left
        return None if left is None else left - self.added_minutes

    @property
    def minutes_over(self) -> int:
        """By how much it is too much."""
        if self.total.is_none_allowed:
            return self.minutes
        return max(0, -(self.minutes_left or 0))

    @property
    def is_full(self) -> bool:
        """Whether the limit is just reached."""
        return self.minutes_left == 0 and not self.total.is_none_allowed

    def _share(self, minutes: int) -> int:
        whole = max(self.total.limit_minutes or 0, self.minutes, 1)
        return round(100 * minutes / whole)

    @property
    def before_percent(self) -> int:
        """Where the draft begins."""
        return self._share(self.total.minutes)

    @property
    def added_percent(self) -> int:
        """How wide the draft is."""
        return self._share(self.added_minutes)

    @property
    def limit_percent(self) -> int:
        """Where the limit is; all the way right as long as it holds."""
        return self._share(self.total.limit_minutes or 0)
