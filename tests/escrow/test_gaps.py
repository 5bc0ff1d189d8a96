"""Money that should have come against what did, with the evidence."""

from __future__ import annotations

import datetime

from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.escrow.actions import gaps
from qingdan.escrow.models import CustodyAgreement, Lesson, MoneyGap
from qingdan.institutions.models import Course, Institution, Session
from tests.district import MONDAY, District, signed_in
from tests.escrow.making import make_contract
from tests.institutions.making import make_room, make_staff


def evidence_of(gap: MoneyGap) -> dict[str, dict[str, int]]:
    return {each["kind"]: each for each in gap.evidence}


def test_signed_and_not_paid_is_a_gap(agreement: CustodyAgreement, operator: User, parent: User, district: District) -> None:
    make_contract(agreement, parent, operator)
    unpaid = make_contract(agreement, parent, operator, state="signed")
    Lesson.objects.create(contract=unpaid, on_date=MONDAY, starts_at=600, lessons=2, recorded_by=operator)
    assert gaps.reckon() == 1
    gap = MoneyGap.objects.get()
    assert (gap.expected_fen, gap.received_fen, gap.gap_fen) == (200_000, 100_000, 100_000)
    found = evidence_of(gap)
    assert "1 份还没有缴入" in str(found["contracts"]["text"])
    assert found["attendance"]["expected_fen"] == 20_000
    assert gaps.reckon() == 1
    assert MoneyGap.objects.count() == 1, "the same day again replaces it"
    officer = signed_in(district.bureau)
    assert "1,000.00 元" in officer.get(reverse("escrow:gaps")).content.decode()
    page = officer.get(reverse("escrow:gap", args=[gap.pk])).content.decode()
    assert "已签合同" in page
    assert "估算上限" in page
    assert signed_in(operator).get(reverse("escrow:gaps")).status_code == 404


def test_seats_times_prices_are_an_estimate_and_no_debt(
    agreement: CustodyAgreement, institution: Institution, course: Course, operator: User, parent: User
) -> None:
    room, teacher = make_room(institution.premises.get()), make_staff(institution)
    for week in range(3):
        day = MONDAY + datetime.timedelta(days=7 * week)
        minutes = {"starts_at": 600, "ends_at": 600 + 2 * course.lesson_minutes}
        Session.objects.create(institution=institution, course=course, on_date=day, room=room, teacher=teacher, **minutes)
    make_contract(agreement, parent, operator, course=course)
    gaps.reckon()
    gap = MoneyGap.objects.get()
    seats = evidence_of(gap)["seats"]
    full = 6 * course.class_size * course.lesson_price_fen
    assert (seats["expected_fen"], seats["received_fen"]) == (full, 100_000)
    assert gap.gap_fen == 0
    assert gaps.estimated_gap_fen(gap) == max(0, full - 100_000)


def test_the_largest_gap_comes_first_whoever_is_on_the_page(
    agreement: CustodyAgreement, operator: User, parent: User, district: District
) -> None:
    make_contract(agreement, parent, operator, state="signed")
    gaps.reckon(on=MONDAY - datetime.timedelta(days=1))
    gaps.reckon()
    page = signed_in(district.bureau).get(reverse("escrow:gaps")).content.decode()
    assert page.count(agreement.institution.name) == 1
    earlier = signed_in(district.bureau).get(reverse("escrow:gap", args=[MoneyGap.objects.latest("on_date").pk])).content.decode()
    assert "2026-11-15" in earlier
