"""What was changed in an institution's register data, when and by whom."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.utils import timezone

from qingdan.accounts.models import User
from qingdan.institutions.models import Institution

_TOLD = (
    "credit_code", "legal_person", "registration", "category", "field", "audience", "department", "approval_basis", "runs_online",
    "has_icp", "is_dually_managed", "is_real_name_registered", "has_real_name_learners", "website", "street", "refund_terms",
    "registered_on", "state", "state_reason",
)  # fmt: skip
_SHOWN = 30


@dataclass(frozen=True)
class Step:
    """One change."""

    at: datetime.datetime
    #: Empty where no signed-in person did it.
    by: str
    #: Label, before, after.
    differences: tuple[tuple[str, str, str], ...]


def history(institution: Institution) -> list[Step]:
    """The latest changes, newest first, in two queries. Each event holds what was before it."""
    model = apps.get_model("institutions", "InstitutionEvent")
    found = model._base_manager.filter(pgh_obj_id=institution.pk).select_related("pgh_context").order_by("-pgh_created_at", "-pgh_id")
    events: list[Any] = list(found[:_SHOWN])
    people = User.objects.in_bulk({key for each in events if (key := _doer(each))})
    steps = []
    for before, after in zip(events, [institution, *events], strict=False):
        differences = tuple(
            (str(Institution._meta.get_field(name).verbose_name), _shown(before, name), _shown(after, name))  # type: ignore[union-attr]
            for name in _TOLD
            if getattr(before, name) != getattr(after, name)
        )
        if differences:
            doer = people.get(_doer(before) or 0)
            steps.append(Step(timezone.localtime(before.pgh_created_at), str(doer) if doer else "", differences))
    return steps


def _doer(event: Any) -> int | None:
    return event.pgh_context.metadata.get("user") if event.pgh_context else None


def _shown(record: Any, name: str) -> str:
    value = getattr(record, name)
    if isinstance(value, bool):
        return "是" if value else "否"
    choices = dict(Institution._meta.get_field(name).flatchoices)  # type: ignore[union-attr]
    return str(choices.get(value, value)) or "（空）"
