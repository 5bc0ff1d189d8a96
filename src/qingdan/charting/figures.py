"""What a chart shows, before anybody draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One chart's content."""

    name: str
    title: str
    #: What is seen, for those who read and those who cannot see.
    sentence: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[object, ...], ...] = ()
    #: What is drawn, record by record.
    data: tuple[dict[str, Any], ...] = ()
    note: str = ""
    #: What a reader should do when there is nothing to see.
    advice: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.data
