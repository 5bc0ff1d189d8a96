"""Money that should have come into custody against what did, institution by institution, with how that was found out (E7)."""

from __future__ import annotations

import datetime
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, F, Sum

from qingdan.escrow.enums import SIGNED_STATES, LessonState, OrderState
from qingdan.escrow.models import Contract, CustodyAgreement, Lesson, MoneyGap, OfferedCourse, PaymentOrder, PlannedSession
from qingdan.places.calendar import today

log = logging.getLogger(__name__)


@dataclass
class _Sums:
    """What is known of one institution, in fen and counts."""

    signed_fen: int = 0
    signed_count: int = 0
    received_fen: int = 0
    unpaid_count: int = 0
    attended_fen: int = 0
    attended_count: int = 0
    seats_fen: int = 0
    seats_received_fen: int = 0
    courses: list[str] = field(default_factory=list)

    def evidence(self) -> list[dict[str, object]]:
        """The three ways of finding out; only the first two are sums that are owed, the third is what full classes would bring."""
        return [
            {
                "kind": "contracts", "label": "已签合同", "expected_fen": self.signed_fen, "received_fen": self.received_fen,
                "text": f"已签 {self.signed_count} 份合同，其中 {self.unpaid_count} 份还没有缴入",
            },
            {
                "kind": "attendance", "label": "消课记录", "expected_fen": self.attended_fen, "received_fen": 0,
                "text": f"{self.attended_count} 次课有出勤，合同却没有缴费" if self.attended_count else "有出勤的合同都已缴费",
            },
            {
                "kind": "seats", "label": "课表座位（估算上限）", "expected_fen": self.seats_fen, "received_fen": self.seats_received_fen,
                "text": f"{len(self.courses)} 门课程按满员、每课时标价估算：{'、'.join(self.courses[:5])}" if self.courses else "没有排课",
            },
        ]  # fmt: skip


def reckon(*, on: datetime.date | None = None) -> int:
    """Keep the gap of every institution with a contract, an agreement or a timetable, as of a day; the same day again replaces it.

    What is expected is what contracts and attendance say. Seats times prices is an upper bound: it stands in the evidence, for an
    institution that takes money without contracts shows nowhere else. The answer is how many institutions were reckoned.
    """
    on = on or today()
    sums = _all_sums(on)
    rows = [
        MoneyGap(
            institution_id=number,
            on_date=on,
            expected_fen=max(one.signed_fen, one.received_fen + one.attended_fen),
            received_fen=one.received_fen,
            evidence=one.evidence(),
        )
        for number, one in sums.items()
    ]
    MoneyGap.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["institution", "on_date"],
        update_fields=["expected_fen", "received_fen", "evidence"],
    )
    log.info("escrow.gaps.reckoned on=%s institutions=%s short=%s", on, len(rows), sum(row.gap_fen > 0 for row in rows))
    return len(rows)


def estimated_gap_fen(gap: MoneyGap) -> int:
    """By how much full classes would exceed what came: an upper bound."""
    seats = next((each for each in gap.evidence if each["kind"] == "seats"), None)
    return max(0, seats["expected_fen"] - seats["received_fen"]) if seats else 0


def _all_sums(on: datetime.date) -> dict[int, _Sums]:
    sums: defaultdict[int, _Sums] = defaultdict(_Sums)
    for number in CustodyAgreement.objects.in_force(on).values_list("institution", flat=True):
        sums[number]  # an institution in custody has a row, even if nothing is expected
    signed = Contract.objects.filter(state__in=SIGNED_STATES, signed_on__lte=on).order_by()
    # What was signed and ended without a payment owes nothing any more.
    signed = signed.exclude(state="refunded", paid_on=None)
    for row in signed.values("institution").annotate(fen=Sum("amount_fen"), count=Count("pk"), paid=Count("paid_on")):
        one = sums[row["institution"]]
        one.signed_fen, one.signed_count, one.unpaid_count = row["fen"], row["count"], row["count"] - row["paid"]
    paid = PaymentOrder.objects.filter(state=OrderState.PAID, paid_on__lte=on).order_by()
    by_course: Counter[tuple[int, int]] = Counter()
    came = paid.values_list("contract__institution", "contract__course_number").annotate(fen=Sum("amount_fen"))
    for institution, course, fen in came:
        sums[institution].received_fen += fen
        by_course[institution, course] += fen
    _add_attendance(sums, on)
    _add_seats(sums, by_course)
    return dict(sums)


def _add_attendance(sums: defaultdict[int, _Sums], on: datetime.date) -> None:
    """Lessons that were recorded under contracts for which no money came."""
    given = Lesson.objects.filter(contract__paid_on=None, on_date__lte=on).exclude(state=LessonState.VOID).order_by()
    worth = F("lessons") * F("contract__amount_fen") / F("contract__lessons")
    for row in given.values("contract__institution").annotate(fen=Sum(worth), count=Count("pk")):
        one = sums[row["contract__institution"]]
        one.attended_fen, one.attended_count = row["fen"], row["count"]


def _add_seats(sums: defaultdict[int, _Sums], by_course: Counter[tuple[int, int]]) -> None:
    """What the planned sessions of each course would bring if every seat were sold at the price that is filed."""
    planned = PlannedSession.objects.order_by().values("course_number").annotate(minutes=Sum(F("ends_at") - F("starts_at")))
    minutes = {row["course_number"]: row["minutes"] or 0 for row in planned if row["course_number"]}
    courses: Iterable[OfferedCourse] = OfferedCourse.objects.filter(number__in=minutes).order_by("number")
    for course in courses:
        if not course.lesson_minutes or not course.class_size or not course.lesson_price_fen:
            continue
        one = sums[course.institution_id]
        one.seats_fen += int(minutes[course.number] // course.lesson_minutes) * course.class_size * course.lesson_price_fen
        one.seats_received_fen += by_course[course.institution_id, course.number]
        one.courses.append(course.name)
