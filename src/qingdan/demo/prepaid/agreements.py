"""Custody agreements in all three modes, guided prices, and the fees of every course that is sold."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from qingdan.accounts.models import User
from qingdan.demo.institutions.registry import Officers
from qingdan.demo.prepaid.plan import (
    AGREEMENTS,
    ALWAYS,
    BANKS,
    DAY,
    GUIDED_FEN,
    OVERPRICED,
    OVERPRICED_BY_FEN,
    RESERVE_FLOOR_FEN,
    House,
    Offer,
    Slot,
    mode_of,
)
from qingdan.escrow.enums import SupervisionMode
from qingdan.escrow.models import CustodyAgreement, FeeFiling, GuidedPrice
from qingdan.institutions.enums import CompetentDepartment, CourseState, InstitutionState, SessionState, TrainingCategory
from qingdan.institutions.models import Course, Institution, Permit, Session, WeeklyPlan
from qingdan.places.calendar import SchoolCalendar
from qingdan.places.models import Region

_DOCUMENT = "示范区义务教育阶段学科类校外培训收费标准（虚构文号〔2026〕1号）"
#: Class sizes from and until, lesson minutes from and until, the most that a lesson may cost in fen.
_BANDS = ((1, 10, 1, 45, 6_000), (11, 35, 1, 45, GUIDED_FEN), (36, 60, 1, 45, 2_500), (1, 10, 46, 120, 8_000), (11, 35, 46, 120, 5_500))
#: Lessons are sold from so long before the timetable that is kept.
_SOLD_FOR = 95 * DAY


def write_prices(officers: Officers, day: datetime.date) -> None:
    """The guided prices of academic training, where the pack asks for one; one band was dearer until the spring."""
    prices = []
    for region in Region.objects.filter(is_fictional=True):
        officer = officers.get((region.code, CompetentDepartment.EDUCATION.value))
        if officer is None:
            continue
        given = {"region": region, "category": TrainingCategory.ACADEMIC.value, "document": _DOCUMENT, "entered_by": officer}
        since = day - 200 * DAY
        for size_from, size_until, minutes_from, minutes_until, fen in _BANDS:
            band = {
                "class_size_from": size_from, "class_size_until": size_until, "minutes_from": minutes_from, "minutes_until": minutes_until,
            }  # fmt: skip
            prices.append(GuidedPrice(price_fen=fen, starts_on=since, **given, **band))
            if fen == GUIDED_FEN:
                prices.append(GuidedPrice(price_fen=fen + 500, starts_on=since - 400 * DAY, ends_on=since - DAY, **given, **band))
    GuidedPrice.objects.bulk_create(prices)


def write_agreements(officers: Officers, day: datetime.date) -> list[House]:
    """An agreement for two of three institutions that teach under a permit; the first of all are always among them."""
    licensed = Permit.objects.filter(starts_on__lte=day - _SOLD_FOR, ends_on__gte=day, revoked_on=None).values("institution")
    found = Institution.objects.filter(pk__in=licensed, state=InstitutionState.ACTIVE, courses__state=CourseState.FILED).distinct()
    able = [
        each
        for each in found.select_related("organisation", "region").order_by("pk")
        if each.region.is_fictional
    ]  # fmt: skip
    chosen = [each for number, each in enumerate(able) if each.organisation.name in ALWAYS or number % 3 < 2][:AGREEMENTS]
    clerks = _clerks(chosen)
    houses = []
    for number, each in enumerate(chosen, start=1):
        officer = officers.get((each.region.code, each.department)) or officers[each.region.code, CompetentDepartment.EDUCATION.value]
        agreement = _agreement(each, number, officer, day)
        houses.append(House(each, clerks[each.pk], officer, agreement))
    CustodyAgreement.objects.bulk_create(house.agreement for house in houses)
    return houses


def _clerks(institutions: Sequence[Institution]) -> Mapping[int, User]:
    users = User.objects.filter(organisation__in=[each.pk for each in institutions]).order_by("-pk")
    return {user.organisation_id or 0: user for user in users}


def _agreement(institution: Institution, number: int, officer: User, day: datetime.date) -> CustodyAgreement:
    owner, mode = institution.organisation, mode_of(institution.organisation.name, number)
    return CustodyAgreement(
        institution=owner, department=institution.department, mode=mode, bank_name=BANKS[number % len(BANKS)],
        account_number=f"6228990101{owner.pk:09}", settlement_account=f"6229990101{owner.pk:09}", settlement_name=owner.name,
        reserve_floor_fen=RESERVE_FLOOR_FEN if mode == SupervisionMode.RESERVE else 0, starts_on=day - (300 + number) * DAY,
        entered_by=officer,
    )  # fmt: skip


def write_fees(houses: Sequence[House], day: datetime.date) -> None:
    """Every course's fee, filed and published before it began; one stands above the guided price."""
    courses: defaultdict[int, list[Course]] = defaultdict(list)
    filed = Course.objects.filter(state=CourseState.FILED, institution__in=[house.institution.pk for house in houses]).order_by("pk")
    for course in filed.select_related("permit"):
        courses[course.institution_id].append(course)
    filings = []
    for house in houses:
        for place, course in enumerate(courses[house.institution.pk]):
            is_academic = course.category == TrainingCategory.ACADEMIC
            price = course.lesson_price_fen
            if house.name == OVERPRICED and place == 0:
                price = GUIDED_FEN + OVERPRICED_BY_FEN
            elif is_academic:
                price = min(price, GUIDED_FEN)
            house.offers.append(Offer(course, price))
            filed_on = min(course.starts_on, day) - (18 + place) * DAY
            filings.append(
                FeeFiling(
                    institution=house.institution.organisation, course_number=course.pk, item=course.name, category=course.category,
                    grade=course.first_grade if course.first_grade == course.last_grade else None, class_size=course.class_size,
                    lesson_minutes=course.lesson_minutes, standard_fen=price, guided_price_fen=GUIDED_FEN if is_academic else None,
                    filed_on=filed_on, filed_by=house.clerk, published_on=filed_on + 2 * DAY,
                )
            )  # fmt: skip
    FeeFiling.objects.bulk_create(filings)


def read_slots(houses: Sequence[House], day: datetime.date) -> None:
    """The sessions of each course before today: those of the timetable, and before it as its weekly plans have them."""
    offers = {offer.course.pk: (house, offer) for house in houses for offer in house.offers}
    kept: defaultdict[int, list[Slot]] = defaultdict(list)
    planned = Session.objects.filter(course__in=offers, on_date__lt=day, state=SessionState.PLANNED).order_by("on_date", "starts_at")
    for row in planned.values_list("course", "on_date", "starts_at", "ends_at", "pk"):
        kept[row[0]].append(Slot(*row[1:]))
    calendars = {layer: SchoolCalendar(layer) for layer in {house.layer_code for house in houses}}
    for plan in WeeklyPlan.objects.filter(course__in=offers).order_by("pk"):
        house, offer = offers[plan.course_id]
        offer.lessons_a_week += offer.lessons_of(Slot(day, plan.starts_at, plan.ends_at))
        offer.slots += _before(plan, offer, calendars[house.layer_code])
    for course, (_, offer) in offers.items():
        offer.slots = sorted([*offer.slots, *kept[course]], key=lambda slot: (slot.on, slot.starts_at))


def _before(plan: WeeklyPlan, offer: Offer, calendar: SchoolCalendar) -> Iterator[Slot]:
    """As the plan would have had it since the course began: not on holidays, an academic course on school days only."""
    # A plan that was made lately has no past.
    if (plan.last_day - plan.first_day).days < 5 * 7:
        return
    day = plan.first_day - DAY
    while day >= offer.course.starts_on:
        known = calendar.day(day)
        is_off = known is None or known.day_kind == "holiday"
        is_taught = calendar.is_school_day(day) if offer.course.category == TrainingCategory.ACADEMIC else not is_off
        if day.isoweekday() == int(plan.weekday) and is_taught:
            yield Slot(day, plan.starts_at, plan.ends_at)
        day -= DAY
