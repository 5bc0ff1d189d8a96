"""Progress of long work, kept for the page that waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable

_SECONDS_BETWEEN = 0.4


class Teller:
    """Passes on what is being done, how much is done, and of how much; a few times a second at most, for every call is a write."""

    def __init__(self, tell: Callable[[str, int, int], object]) -> None:
        self._tell, self._last = tell, 0.0

    def __call__(self, what: str, done: int, whole: int) -> None:
        """Tell it, unless something was told a moment ago."""
        now = time.monotonic()
        if now - self._last >= _SECONDS_BETWEEN:
            self._last = now
            self._tell(what, done, whole)
