"""If the doors closed today: what families are owed, what stands behind it; and how that goes on as lessons are given."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum

from qingdan.accounts.models import Organisation
from qingdan.escrow.enums import ContractState, SupervisionMode
from qingdan.escrow.models import Contract, CustodyAgreement, PlannedSession, RiskScore
from qingdan.escrow.standing import standings

_DAY = datetime.timedelta(days=1)
#: How far the outlook goes, in days.
DAYS_AHEAD = 30


@dataclass(frozen=True)
class Cover:
    """What institutions of one mode of supervision owe, and what stands behind it, in fen."""

    mode: str
    institutions: int
    owed_fen: int
    uncovered_fen: int

    @property
    def label(self) -> str:
        """The mode in Chinese."""
        return str(SupervisionMode(self.mode).label) if self.mode else "没有监管协议"

    @property
    def covered_fen(self) -> int:
        """What custody or a reserve stands for."""
        return self.owed_fen - self.uncovered_fen

    @property
    def percent(self) -> float | None:
        """How much of it is covered, rounded down; None where nothing is owed."""
        return self.covered_fen * 1000 // self.owed_fen / 10 if self.owed_fen else None


def covers(scores: QuerySet[RiskScore], day: datetime.date) -> list[Cover]:
    """One for each mode that there is, from the scores of a day."""
    mode = CustodyAgreement.objects.in_force(day).filter(institution=OuterRef("institution")).values("mode")[:1]
    rows = scores.order_by().annotate(mode=Subquery(mode)).values("mode")
    found = {
        row["mode"] or "": Cover(row["mode"] or "", row["count"], row["owed"], row["uncovered"])
        for row in rows.annotate(count=Count("pk"), owed=Sum("owed_fen"), uncovered=Sum("uncovered_fen")).order_by()
    }
    return [found[each] for each in (*SupervisionMode.values, "") if each in found]


def total(found: Iterable[Cover]) -> Cover:
    """All modes together; its ``mode`` means nothing."""
    each = list(found)
    return Cover("", sum(one.institutions for one in each), sum(one.owed_fen for one in each), sum(one.uncovered_fen for one in each))


def projected(institution: Organisation, day: datetime.date, days: int = DAYS_AHEAD) -> list[tuple[datetime.date, int]]:
    """Day -> what families are owed at its end, if every planned session is held and nobody pays anew or asks anything back."""
    contracts = list(Contract.objects.filter(institution=institution, state=ContractState.ACTIVE))
    found = standings(contracts)
    held = sum(each.held_fen for each in found.values())
    sessions: defaultdict[int, Counter[datetime.date]] = defaultdict(Counter)
    ahead = PlannedSession.objects.filter(institution=institution, on_date__gt=day, on_date__lte=day + days * _DAY).order_by()
    for course, on_date in ahead.values_list("course_number", "on_date"):
        sessions[course][on_date] += 1
    given: Counter[datetime.date] = Counter()
    for contract in contracts:
        standing = found[contract.pk]
        done = 0
        for on_date, count in sorted(sessions[contract.course_number].items()):
            lessons = min(count, standing.left - done)
            if lessons <= 0:
                break
            given[on_date] += contract.fen_of_lessons(standing.given + done + 1, standing.given + done + lessons)
            done += lessons
    line = []
    for number in range(days + 1):
        held -= given[day + number * _DAY]
        line.append((day + number * _DAY, held))
    return line
