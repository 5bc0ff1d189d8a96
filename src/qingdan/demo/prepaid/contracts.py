"""Who signed what: contracts of demo parents' children and of learners of no school here, spread over three months."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User, pinyin_of
from qingdan.demo.calendar import at
from qingdan.demo.plan import INSTITUTION, REGION_CODE, seeded
from qingdan.demo.prepaid.lives import Keys, Life, Temper
from qingdan.demo.prepaid.plan import (
    CONTRACTS,
    CONTRACTS_OF_FEW,
    DAY,
    NO_LESSONS_FOR,
    OF_RUNAWAY,
    REFUND_CONDITIONS,
    REFUND_PROCEDURE,
    REFUND_WORKING_DAYS,
    STRUGGLING,
    THINNING_FOR,
    UNRECORDED,
    Deadlines,
    House,
    Offer,
)
from qingdan.escrow.contract_text import FORM_VERSION, digest_of, full_text
from qingdan.escrow.enums import ContractState
from qingdan.escrow.models import Contract, PaymentOrder
from qingdan.schools.models import Guardian

_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
#: So long before a course begins it is sold.
_AHEAD = 8
#: No contract runs longer: three months at the shortest.
_LONGEST = 87 * DAY
_REFUNDED = 0.09
_ANSWERS = ("agreed",) * 9 + ("silent",) * 3 + ("contested",) * 3 + ("withdrawn",) * 2 + ("refused",) + ("waiting",) * 2
#: Grades whose children are old enough for every ordinary course.
_GRADES = (4, 6)


@dataclass(frozen=True)
class Learner:
    """A child with the guardian who signs."""

    guardian: User
    name: str
    born_on: datetime.date
    pupil_id: int | None = None


class Learners:
    """The families that buy, one after the other."""

    def __init__(self, day: datetime.date) -> None:
        self._first_year = day.year if day.month >= 9 else day.year - 1
        self._day, self._numbers = day, itertools.count(1)
        guardians = Guardian.objects.filter(user__role=Role.PARENT).exclude(user__username="demo-parent")
        older = guardians.filter(
            pupil__enrolments__ends_on=None, pupil__enrolments__school_class__grade__range=_GRADES
        )  # fmt: skip
        rows = older.order_by("pk").values_list("user", "pupil", "pupil__name", "pupil__enrolments__school_class__grade")
        found = list(dict.fromkeys(rows))
        seeded("learners").shuffle(found)
        self._pupils = iter(found[: 4 * CONTRACTS * 60])
        self._users = User.objects.in_bulk([row[0] for row in found[: CONTRACTS * 60]])
        self._others = itertools.cycle(list(self._users.values()))

    def take(self, house: House, offer: Offer) -> Learner:
        """Somebody for a course: a pupil where the course is for pupils, every sixth of no school here."""
        number = next(self._numbers)
        is_for_pupils = house.institution.region.code == REGION_CODE and offer.course.youngest_age == 8
        row = next(self._pupils, None) if is_for_pupils and number % 6 else None
        if row is not None and row[0] in self._users:
            user, pupil, name, grade = row
            return Learner(self._users[user], name, self.born(grade + 5, number), pupil)
        return Learner(next(self._others), f"学员{number:04}", self.born(offer.course.youngest_age + 1, number))

    def born(self, age: int, number: int) -> datetime.date:
        """Of this age when the school year began."""
        return datetime.date(self._first_year - age, 1, 1) + number * 37 % 240 * DAY


@dataclass(frozen=True)
class Frame:
    """What all lives share."""

    keys: Keys
    deadlines: Deadlines
    day: datetime.date


@dataclass(frozen=True)
class Sale:
    """A contract before its life."""

    house: House
    offer: Offer
    learner: Learner
    chance: Random
    signed_on: datetime.date
    lessons: int
    temper: Temper
    is_unpaid: bool = False


def sales_of(houses: Sequence[House], learners: Learners, frame: Frame, *, is_whole: bool) -> Iterator[Sale]:
    """Every contract that was sold; the demo parent's own come from the story."""
    for house in houses:
        offers = [offer for offer in house.offers if offer.slots and offer.lessons_a_week]
        count = OF_RUNAWAY if house.is_runaway else CONTRACTS if is_whole else CONTRACTS_OF_FEW
        if not offers:
            continue
        for number in range(count):
            offer, chance = offers[number % len(offers)], seeded("contract", house.name, number)
            if number // len(offers) >= offer.course.class_size:
                break
            yield _sale(house, offer, learners.take(house, offer), chance, frame, number)


def _sale(house: House, offer: Offer, learner: Learner, chance: Random, frame: Frame, number: int) -> Sale:
    day, first = frame.day, offer.course.starts_on - _AHEAD * DAY
    back = 3 + int(chance.random() * max(1, (day - first).days - 3))
    if house.is_runaway:
        # Sold twice as fast lately, until the week in which lessons stop.
        back = 15 + int(chance.random() ** 1.6 * max(1, (day - first).days - 15))
    signed_on = day - back * DAY
    is_unpaid = back < 6 and number % 4 == 0
    lessons = 16 if offer.lessons_a_week < 4 else (16, 24, 32, 32)[int(chance.random() * 4)]
    temper = _temper(house, chance, signed_on, day, number)
    if house.name == INSTITUTION:
        temper = replace(temper, taught_until=day - UNRECORDED * DAY, attends=1)
    return Sale(house, offer, learner, chance, signed_on, lessons, temper, is_unpaid)


def _temper(house: House, chance: Random, signed_on: datetime.date, day: datetime.date, number: int) -> Temper:
    if house.is_runaway:
        temper = Temper(disputed=0.05, answer="silent", is_unpayable=True)
        temper = replace(temper, taught_until=day - NO_LESSONS_FOR * DAY, thins_from=day - THINNING_FOR * DAY)
        # From three weeks ago on one or two families a day ask for their money.
        asks_on = day - (22 - number * 2 // 3) * DAY
        is_asking = number < OF_RUNAWAY * 3 // 4 and signed_on + 4 * DAY < asks_on < day
        return replace(temper, refund_on=asks_on if is_asking else None)
    if house.name == STRUGGLING and number % 3 < 2:
        asks_on = day - (13 + number % 4) * DAY
        is_asking = number % 3 == 0 and signed_on + 7 * DAY < asks_on
        return Temper(thins_from=day - 30 * DAY, refund_on=asks_on if is_asking else None, answer="disputed")
    if chance.random() >= _REFUNDED or (day - signed_on).days < 8:
        return Temper()
    after = 6 + int(chance.random() * ((day - signed_on).days - 7))
    answer, asks_on = _ANSWERS[int(chance.random() * len(_ANSWERS))], signed_on + after * DAY
    if answer == "waiting" or number % 12 == 0:
        # Nobody has had the time to answer, or the officers to decide.
        answer, asks_on = ("silent", "disputed")[number % 2], day - (1 + number % 3) * DAY
    return Temper(refund_on=asks_on, is_partial=chance.random() < 0.3, answer=answer)


def live(sales: Iterable[Sale], frame: Frame) -> list[Life]:
    """Every contract with what became of it, numbered as they were signed."""
    return [_live(sale, frame) for sale in sorted(sales, key=lambda sale: sale.signed_on)]


def _live(sale: Sale, frame: Frame) -> Life:
    contract, chance, guardian = _contract(sale, frame), sale.chance, sale.learner.guardian
    assert contract.signed_at is not None
    order = PaymentOrder(
        pk=frame.keys.order.take(), contract=contract, reference=f"JF{contract.number[2:]}", amount_fen=contract.amount_fen,
        created_at=contract.signed_at,
    )  # fmt: skip
    life = Life(sale.house, sale.offer, contract, order, sale.temper, chance, frame.deadlines, frame.day, frame.keys)
    if not sale.is_unpaid:
        contract.state, contract.paid_on = ContractState.ACTIVE, sale.signed_on + int(chance.random() * 2) * DAY
        order.payer_account, order.payer_name = f"6217990101{guardian.pk:09}", guardian.display_name
        order.bank_reference = f"YH{contract.paid_on:%Y%m%d}J{order.pk:08}"
        life.live()
    return life


def _contract(sale: Sale, frame: Frame) -> Contract:
    house, offer, learner, chance = sale.house, sale.offer, sale.learner, sale.chance
    signed_on, lessons = sale.signed_on, sale.lessons
    course, number = offer.course, "".join(chance.choice(_LETTERS) for _ in range(6))
    begins = max(signed_on + 2 * DAY, course.starts_on)
    weeks = -(-lessons // max(1, offer.lessons_a_week))
    contract = Contract(
        pk=frame.keys.contract.take(), number=f"HT{signed_on:%Y%m%d}{number}", institution=house.institution.organisation,
        agreement=house.agreement, guardian=learner.guardian, pupil_id=learner.pupil_id, learner_name=learner.name,
        learner_born_on=learner.born_on, pinyin=_pinyin(learner.name, course.name), course_number=course.pk, course_name=course.name,
        category=course.category, youngest_age=course.youngest_age, class_size=course.class_size, lesson_minutes=course.lesson_minutes,
        lessons=lessons, amount_fen=lessons * offer.price_fen, course_from=begins,
        course_until=min(begins + (weeks * 7 + 14) * DAY, begins + _LONGEST, course.ends_on), teaching_from=course.starts_on,
        teaching_until=course.ends_on, refund_conditions=REFUND_CONDITIONS, refund_procedure=REFUND_PROCEDURE,
        refund_working_days=5 if house.is_runaway else REFUND_WORKING_DAYS, form_version=FORM_VERSION, state=ContractState.SIGNED,
        drafted_by=house.clerk, drafted_at=at(signed_on - DAY, 15), offered_by=house.clerk, offered_at=at(signed_on - DAY, 16),
        signed_at=at(signed_on, 12 + int(chance.random() * 9), int(chance.random() * 60)), signed_on=signed_on,
    )  # fmt: skip
    contract.signed_text = full_text(contract, house.agreement)
    contract.text_digest = digest_of(contract.signed_text)
    return contract


@cache
def _pinyin_of(name: str) -> str:
    return pinyin_of(name)


def _pinyin(learner: str, course: str) -> str:
    """How they sound, as ``Contract.save`` keeps it."""
    return f"{pinyin_of(learner)} {_pinyin_of(course)}"[:300]
