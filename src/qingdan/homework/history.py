"""What became of a piece of homework: who changed what, when, from what to what."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from qingdan.accounts.models import User
from qingdan.homework.models import Homework

#: The fields people ask about; the others follow from them.
_TOLD = (
    "status", "on_date", "homework_minutes", "form", "done_at", "tier", "content", "unit", "requirements", "intent",
    "marked_by", "done_by", "needs_parent", "is_optional", "is_assigned_in_class",
)  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """One field that changed."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Step:
    """One change, and why where a reason was given."""

    at: datetime.datetime
    #: Empty where no signed-in person did it.
    by: str
    differences: tuple[Difference, ...]
    note: str


def history(item: Homework) -> list[Step]:
    """The changes since it was entered, oldest first, in two queries. Each event holds what was before it."""
    events: list[Any] = list(item.events.select_related("pgh_context").order_by("pgh_created_at", "pgh_id"))  # type: ignore[attr-defined]
    doers = User.objects.in_bulk({key for each in events if (key := _doer(each)) is not None})
    steps = []
    for before, after in zip(events, [*events, item][1:], strict=True):
        differences = tuple(
            Difference(_label(name), _shown(before, name), _shown(after, name))
            for name in _TOLD
            if getattr(before, name) != getattr(after, name)
        )
        note = after.settlement if after.settled_at != before.settled_at else ""
        key = _doer(before)
        if differences or note:
            steps.append(Step(before.pgh_created_at, str(doers[key]) if key in doers else "", differences, note))
    return steps


def _doer(event: Any) -> int | None:
    metadata = event.pgh_context.metadata if event.pgh_context else {}
    return metadata.get("user")


def _label(name: str) -> str:
    return str(Homework._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


def _shown(record: Any, name: str) -> str:
    value = getattr(record, name)
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime.date):
        return f"{value.month}月{value.day}日"
    choices = dict(Homework._meta.get_field(name).flatchoices)  # type: ignore[union-attr]
    return str(choices.get(value, value)) or "（空）"
