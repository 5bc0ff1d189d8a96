"""Trying an act against the law before it is done: what would stand there is written, judged and taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import transaction

from qingdan.judging.law import current_law
from qingdan.policy.telling import Told


class Refused(Exception):
    """The law does not allow it. Nothing has been saved."""

    def __init__(self, objections: Sequence[Told]) -> None:
        super().__init__("；".join(each.sentence for each in objections))
        self.objections = tuple(objections)


class _TakeBack(Exception):
    """Ends a trial."""


def objections_to(kind: str, row_id: int, write: Callable[[], object]) -> list[Told]:
    """What the law has against one record of a kind once ``write`` has been done; nothing stays written."""
    law = current_law()
    told: list[Told] = []
    try:
        with transaction.atomic():
            write()
            told = [Told.of(each, law.pack) for judged in law.judge_touched(kind, row_id=row_id) for each in judged.breaches]
            raise _TakeBack
    except _TakeBack:
        return told
