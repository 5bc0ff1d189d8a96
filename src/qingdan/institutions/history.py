"""What was changed in a record of which every state is kept (an institution, a permit), when and by whom."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.utils import timezone

from qingdan.accounts.models import User

#: A permit's and an institution's own keys, and what no clerk reads.
_UNTOLD = frozenset({"id", "organisation", "institution", "region", "issued_by"})
_SHOWN = 30


@dataclass(frozen=True)
class Step:
    """One change."""

    at: datetime.datetime
    #: Empty where no signed-in person did it.
    by: str
    #: Label, before, after.
    differences: tuple[tuple[str, str, str], ...]


def history(record: models.Model) -> list[Step]:
    """The latest changes, newest first, in two queries. Each event holds what was before it."""
    model = apps.get_model("institutions", f"{type(record).__name__}Event")
    found = model._base_manager.filter(pgh_obj_id=record.pk).select_related("pgh_context").order_by("-pgh_created_at", "-pgh_id")
    events: list[Any] = list(found[:_SHOWN])
    fields = [each for each in record._meta.concrete_fields if each.name not in _UNTOLD]
    people = User.objects.in_bulk({key for each in events if (key := _doer(each))})
    steps = []
    for before, after in zip(events, [record, *events], strict=False):
        differences = tuple(
            (str(each.verbose_name), _shown(before, each), _shown(after, each))
            for each in fields
            if getattr(before, each.attname) != getattr(after, each.attname)
        )
        if differences:
            doer = people.get(_doer(before) or 0)
            steps.append(Step(timezone.localtime(before.pgh_created_at), str(doer) if doer else "", differences))
    return steps


def _doer(event: Any) -> int | None:
    return event.pgh_context.metadata.get("user") if event.pgh_context else None


def _shown(record: Any, field: models.Field[Any, Any]) -> str:
    value = getattr(record, field.name)
    if isinstance(value, bool):
        return "是" if value else "否"
    return str(dict(field.flatchoices).get(value, "" if value is None else value)) or "（空）"
