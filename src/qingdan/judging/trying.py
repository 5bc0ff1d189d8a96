"""Trying an act against the law before it is done: what would stand there is written, judged and taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

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


def objections_by_row(kind: str, write: Callable[[], object], **touched: Any) -> dict[int, list[Told]]:
    """What the law has against each record of a kind, among those named by ``touched``, once ``write`` has been done.

    Nothing stays written.
    """
    law = current_law()
    told: dict[int, list[Told]] = {}
    try:
        with transaction.atomic():
            write()
            for judged in law.judge_touched(kind, **touched):
                told.setdefault(judged.row_id, []).extend(Told.of(each, law.pack) for each in judged.breaches)
            raise _TakeBack
    except _TakeBack:
        return told


def objections_to(kind: str, row_id: int, write: Callable[[], object]) -> list[Told]:
    """What the law has against one record of a kind once ``write`` has been done; nothing stays written."""
    return objections_by_row(kind, write, row_id=row_id).get(row_id, [])
