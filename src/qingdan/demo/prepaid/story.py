"""What the demonstration's own parent and institution find: something to sign, to confirm, to dispute, to answer and to record."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterator, Mapping, Sequence

from qingdan.accounts.models import User
from qingdan.demo.plan import INSTITUTION, seeded
from qingdan.demo.prepaid.contracts import Learner, Learners, Sale
from qingdan.demo.prepaid.lives import Life, Temper
from qingdan.demo.prepaid.plan import DAY, OF_THE_STORY, REFUND_CONDITIONS, REFUND_PROCEDURE, REFUND_WORKING_DAYS, UNRECORDED, House, Offer
from qingdan.escrow.actions import signing
from qingdan.escrow.models import Contract, OfferedCourse, SigningCode
from qingdan.judging.trying import Refused
from qingdan.schools.models import Guardian, Pupil

_LESSONS = 16
log = logging.getLogger(__name__)


def child_of(parent: User) -> Pupil:
    """The demo parent's child."""
    return Guardian.objects.filter(user=parent).select_related("pupil").order_by("pk")[0].pupil


def sales_of_story(
    houses: Sequence[House], accounts: Mapping[str, User], learners: Learners, day: datetime.date
) -> Iterator[Sale]:  # fmt: skip
    """The demo parent's paid contracts: one with a lesson to confirm, one with a lesson to dispute, one that is being given back."""
    parent, by_name = accounts["demo-parent"], {house.name: house for house in houses}
    child = child_of(parent)
    learner = Learner(parent, child.name, learners.born(9, 1), child.pk)
    calm = Temper(disputed=0, confirmed=1, attends=1, leaves_newest=True)
    until = day - UNRECORDED * DAY
    asks = Temper(disputed=0, confirmed=1, attends=1, refund_on=day - DAY, answer="silent", taught_until=until)
    wanted = ((OF_THE_STORY[1], 24, 34, calm), (OF_THE_STORY[2], 24, 27, calm), (INSTITUTION, _LESSONS, 16, asks))
    for name, lessons, back, temper in wanted:
        house = by_name[name]
        offer = _best(house)[0]
        yield Sale(house, offer, learner, seeded("story", name), day - back * DAY, lessons, temper)


def _best(house: House) -> list[Offer]:
    """Its courses, the one that is taught most first."""
    return sorted((offer for offer in house.offers if offer.slots), key=lambda offer: -offer.lessons_a_week)


def draft(houses: Sequence[House], lives: Sequence[Life], accounts: Mapping[str, User], learners: Learners, day: datetime.date) -> None:
    """By the product's own acts: what the demo institution has offered to the demo parent, and drafts that it has not sent yet."""
    house = next(house for house in houses if house.name == INSTITUTION)
    clerk, parent = accounts["demo-institution"], accounts["demo-parent"]
    child = child_of(parent)
    first, second, *_ = reversed(_best(house))
    offered = _draft(first, child, parent, learners.born(9, 1), clerk, day)
    try:
        signing.offer(contract=offered, by=clerk)
    except Refused as refused:
        # The register of permits knows no day but the database's own: on another one it may stay a draft.
        log.warning("demo.prepaid_not_offered contract=%s reason=%s", offered.pk, refused)
    seen: set[int] = {child.pk}
    for life in lives:
        pupil = life.contract.pupil
        if pupil is None or life.house is not house or pupil.pk in seen or life.offer is second:
            continue
        seen.add(pupil.pk)
        _draft(second, pupil, life.contract.guardian, life.contract.learner_born_on, clerk, day)
        if len(seen) == 4:
            break


def _draft(offer: Offer, pupil: Pupil, guardian: User, born_on: datetime.date, clerk: User, day: datetime.date) -> Contract:
    code, _ = SigningCode.issue(guardian=guardian, pupil=pupil, learner_name="", learner_born_on=born_on)
    course = OfferedCourse.objects.select_related("institution").get(pk=offer.course.pk)
    contract = Contract(
        institution=course.institution, lessons=_LESSONS, amount_fen=_LESSONS * offer.price_fen, course_from=day + 3 * DAY,
        course_until=min(day + 80 * DAY, course.ends_on), refund_conditions=REFUND_CONDITIONS, refund_procedure=REFUND_PROCEDURE,
        refund_working_days=REFUND_WORKING_DAYS,
    )  # fmt: skip
    signing.copy_course(contract, course, None)
    return signing.draft_contract(contract=contract, code=code, by=clerk)
