"""The lower half of a home page: what lies on the desk of a role besides the list of what to do."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Window
from django.db.models.functions import RowNumber

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.findings.enums import FindingStatus
from qingdan.findings.models import Finding
from qingdan.institutions.desks import institution_desk, officer_desk
from qingdan.judging.facts import page_of

_RULES_SHOWN = 4
_FINDINGS_SHOWN = 3


@dataclass
class RuleBroken:
    """The open findings of one rule: what to do is said once."""

    rule_id: str
    title: str
    remedy: str
    count: int
    #: The first of them, each with the address of its record, empty where there is none.
    shown: list[tuple[Finding, str]] = field(default_factory=list)


def desk_of(user: User, day: datetime.date) -> dict[str, Any]:
    """What the home page of a role shows below; empty for those whose to-dos say everything."""
    if user.is_officer:
        return {"desk": officer_desk(user, day), "desk_template": "institutions/doors/officer.html", "today": day}
    if user.role != Role.INSTITUTION:
        return {}
    desk = institution_desk(user, day)
    found: dict[str, Any] = {"desk": desk, "desk_template": "institutions/doors/institution.html", "today": day}
    return found | _waiting(user) if desk.is_registered else found


def _waiting(user: User) -> dict[str, Any]:
    """What waits for the institution's answer, rule by rule, the rule with most first."""
    waiting = Finding.objects.visible_to(user).filter(status=FindingStatus.OPEN)
    counts = waiting.order_by().values_list("rule_id").annotate(n=Count("pk")).order_by("-n", "rule_id")
    by_rule: dict[str, int] = dict(counts)
    groups: dict[str, RuleBroken] = {}
    nth = Window(RowNumber(), partition_by="rule_id", order_by=["-date", "-pk"])
    first = waiting.filter(rule_id__in=list(by_rule)[:_RULES_SHOWN]).annotate(nth=nth).filter(nth__lte=_FINDINGS_SHOWN)
    for each in first.only("pk", "rule_id", "title", "kind", "row_id", "sentence", "remedy").order_by("rule_id", "nth"):
        group = groups.setdefault(each.rule_id, RuleBroken(each.rule_id, each.title, each.remedy, by_rule[each.rule_id]))
        group.shown.append((each, page_of(each.root_kind, each.row_id)))
    return {"findings": [groups[rule] for rule in by_rule if rule in groups], "findings_count": sum(by_rule.values())}
