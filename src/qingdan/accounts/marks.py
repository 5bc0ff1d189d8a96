"""What parts of the house let everybody know of an organisation on its public page.

The parts stand beside one another and may not ask each other; each tells its own here when the house starts.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """One thing that everybody may know."""

    title: str
    text: str
    #: False for a warning to whoever is about to pay.
    is_good: bool
    #: Where more of it stands, and what that is called.
    url: str
    link: str


#: The marks of an organisation on a day.
Source = Callable[[int, datetime.date], Iterable[Mark]]
_sources: dict[str, Source] = {}


def register(name: str, source: Source) -> None:
    """Let a part of the house speak; the last one of a name counts."""
    _sources[name] = source


def marks_of(organisation_id: int, day: datetime.date) -> list[Mark]:
    """All marks of an organisation on a day."""
    return [mark for _, source in sorted(_sources.items()) for mark in source(organisation_id, day)]
