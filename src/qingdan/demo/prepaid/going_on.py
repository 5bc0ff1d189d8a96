"""A later start: the institutions have gone on teaching, and the scores of the days between are worked out.

What the clerks record is recorded by the product's own act, so that silence, release and bank go their way from there.
"""

from __future__ import annotations

import datetime
from collections import defaultdict

from qingdan.accounts.models import User
from qingdan.demo.plan import INSTITUTION, seeded
from qingdan.demo.prepaid.plan import DAY, RUNAWAY, SCORED
from qingdan.escrow.actions import scoring
from qingdan.escrow.actions.lessons import Taught, record
from qingdan.escrow.enums import ContractState
from qingdan.escrow.models import Contract, CustodyAgreement
from qingdan.escrow.standing import standings
from qingdan.institutions.enums import SessionState
from qingdan.institutions.models import Session

#: What is older than this stays as it was left.
_TAUGHT_FOR = 7 * DAY
_ATTENDS = 0.94


def extend_prepaid(since: datetime.date, day: datetime.date) -> int:
    """Record the sessions from a day on until yesterday, and score the days since; the answer is how many lessons were recorded."""
    count = _teach(max(since, day - _TAUGHT_FOR), day - DAY)
    on = max(since, day - SCORED * DAY) + DAY
    while on <= day:
        scoring.score_all(on)
        on += DAY
    return count


def _teach(first: datetime.date, last: datetime.date) -> int:
    """All but the institution with an account, whose clerk calls the roll, and the one that has run away."""
    watched = CustodyAgreement.objects.in_force(last).exclude(institution__name__in=[INSTITUTION, RUNAWAY])
    owners = set(watched.values_list("institution", flat=True))
    contracts: defaultdict[int, list[Contract]] = defaultdict(list)
    active = Contract.objects.filter(institution__in=owners, state=ContractState.ACTIVE)
    for contract in active.select_related("institution", "agreement", "guardian"):
        contracts[contract.course_number].append(contract)
    clerks = {user.organisation_id: user for user in User.objects.filter(organisation__in=owners, is_active=True).order_by("-pk")}
    planned = Session.objects.filter(
        institution__in=owners, course__in=contracts, on_date__range=(first, last), state=SessionState.PLANNED
    )  # fmt: skip
    return sum(
        _call_the_roll(session, contracts[session.course_id], clerks[session.institution_id])
        for session in planned.select_related("course").order_by("on_date", "starts_at", "pk")
    )


def _call_the_roll(session: Session, contracts: list[Contract], clerk: User) -> int:
    lessons = max(1, (session.ends_at - session.starts_at) // session.course.lesson_minutes)
    chance = seeded("roll", session.pk)
    begun = [each for each in contracts if each.course_from <= session.on_date and chance.random() < _ATTENDS]
    there = [each.contract for each in standings(begun).values() if each.free >= lessons]
    if not there:
        return 0
    taught = Taught(session.course_id, session.on_date, session.starts_at, session.ends_at, session.pk)
    return len(record(there, taught=taught, lessons=lessons, by=clerk).new)
