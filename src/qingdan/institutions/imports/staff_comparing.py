"""What each line of a list of people would do to an institution's staff as it is now, judged by the law as a single entry is."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from qingdan.institutions.actions.staff import CHECKED, as_if_checked, objections_to_staff
from qingdan.institutions.enums import StaffRole
from qingdan.institutions.imports.comparing import Outcome
from qingdan.institutions.imports.staff_reading import labels
from qingdan.institutions.models import Institution, Staff
from qingdan.places.calendar import today
from qingdan.places.journal import Journal
from qingdan.schools.enums import RollAct
from qingdan.schools.rolls.reading import Line
from qingdan.storage.refusals import message_of

_DAYS = ("employed_from", "employed_until")
_FIELDS = (
    "name", "nationality", "role", "category", "subject", "certificate_number", "experience", "is_abroad", "employed_from",
)  # fmt: skip
_REQUIRED = ("role", "employed_from")


@dataclass
class _Plan:
    """One line on its way to an outcome."""

    line: Line
    values: dict[str, Any]
    #: Who works there already; None for somebody new.
    found: Staff | None = None
    #: As he would stand there afterwards, not saved.
    after: Staff | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    refusal: str = ""


def compare_staff(institution: Institution, lines: Sequence[Line]) -> list[Outcome]:
    """One outcome for each line; the law is asked once for all of them."""
    digests = {each.values.get("identity_digest") for each in lines}
    employed = Staff.objects.filter(institution=institution, employed_until=None, identity_digest__in=digests)
    by_digest = {each.identity_digest: each for each in employed}
    seen: dict[str, str] = {}
    plans = [_plan(institution, line, by_digest, seen) for line in lines]
    _ask_the_law(plans)
    return [_outcome(each) for each in plans]


def _plan(institution: Institution, line: Line, employed: dict[str, Staff], seen: dict[str, str]) -> _Plan:
    values: dict[str, Any] = {
        name: datetime.date.fromisoformat(each) if name in _DAYS else each for name, each in line.values.items() if name != "fault"
    }
    plan = _Plan(line, values, refusal=line.fault)
    if plan.refusal:
        return plan
    digest = values["identity_digest"]
    if (first := seen.setdefault(digest, line.where)) != line.where:
        plan.refusal = f"证件号与{first}重复；每人只写一行"
        return plan
    plan.found = employed.get(digest)
    given = {name: values[name] for name in _FIELDS if name in values}
    if plan.found is None:
        plan.after = Staff(
            institution=institution, identity_digest=digest, masked_identity=values["masked_identity"], **given,
        )  # fmt: skip
        plan.changes = given
    else:
        plan.after = copy.copy(plan.found)
        wanted = given | ({"employed_until": values["employed_until"]} if "employed_until" in values else {})
        plan.changes = {name: value for name, value in wanted.items() if value != getattr(plan.found, name)}
        for name, value in plan.changes.items():
            setattr(plan.after, name, value)
    plan.refusal = _misfit(plan, plan.after)
    return plan


def _misfit(plan: _Plan, after: Staff) -> str:
    """Why a line can be nothing, the law aside; empty when it can."""
    words = labels()
    if plan.found is None:
        if "employed_until" in plan.values:
            return "这个人不在在职名单里，不能登记离职；请核对证件号，或删去这一行"
        if missing := [words[name] for name in _REQUIRED if name not in plan.values]:
            return f"新人员缺{'、'.join(missing)}；请补上"
    for name in _DAYS:
        if (day := getattr(after, name)) is not None and day > today():
            return f"{words[name]}不能晚于今天；到那天再登记"
    if after.employed_until is not None and after.employed_until < after.employed_from:
        return message_of("staff_employment_runs_forward", Staff)
    if after.role == StaffRole.TEACHING and not (after.category and after.subject):
        return message_of("teaching_staff_say_what_they_teach", Staff)
    try:
        after.clean_fields(exclude=["institution", "checked_by"])
    except ValidationError as error:
        return "；".join(error.messages)
    return ""


def _ask_the_law(plans: Sequence[_Plan]) -> None:
    """Refuse whom the institution may not employ, new or as changed. Whoever leaves is no question any more."""
    asked = [each for each in plans if not each.refusal and each.changes and each.after is not None and each.after.employed_until is None]
    people = [as_if_checked(copy.copy(each.after)) for each in asked if each.after is not None]
    for plan, objections in zip(asked, objections_to_staff(people), strict=True):
        plan.refusal = "；".join(f"{each.sentence}（依据：{'；'.join(cite['text'] for cite in each.cites)}）" for each in objections)


def _outcome(plan: _Plan) -> Outcome:
    if plan.refusal:
        return Outcome(RollAct.REFUSE, plan.refusal)
    after = plan.after
    assert after is not None
    if plan.found is None:
        return Outcome(RollAct.ADD, f"登记为{after.get_role_display()}，等教育部门审核资质", [lambda journal: journal.create(after)])
    if not plan.changes:
        return Outcome(RollAct.SAME)
    found, words = plan.found, labels()
    said = [f"{words[name]}：{_shown(found, name)} → {_shown(after, name)}" for name in plan.changes]
    changes = dict(plan.changes)
    if set(changes) - {"employed_until"}:
        # What the bureau has checked has to be checked again after a change.
        changes |= dict.fromkeys(CHECKED, False) | {"checked_by": None}
        if found.is_qualification_checked:
            said.append("要由教育部门重新审核")

    def change(journal: Journal) -> None:
        journal.change(found, **changes)

    return Outcome(RollAct.CHANGE, "；".join(said), [change])


def _shown(person: Staff, name: str) -> str:
    if hasattr(person, f"get_{name}_display"):
        return str(getattr(person, f"get_{name}_display")()) or "（空）"
    value = getattr(person, name)
    return ("是" if value else "否") if isinstance(value, bool) else "（空）" if value in ("", None) else str(value)
