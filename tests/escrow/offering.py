"""Builders of what comes before a signed contract: guided prices, filed fees, codes, drafts. Everything is fictional."""

from __future__ import annotations

import datetime
from typing import Any

from qingdan.accounts.models import User
from qingdan.escrow.actions.signing import copy_course, draft_contract
from qingdan.escrow.models import Contract, FeeFiling, GuidedPrice, OfferedCourse, SigningCode
from qingdan.institutions.models import Course
from qingdan.places.models import Region
from tests.district import MONDAY

#: Before all days of the tests.
LONG_AGO = datetime.date(2025, 9, 1)
BORN_ON = datetime.date(2017, 5, 1)


def make_price(region: Region, by: User, **values: Any) -> GuidedPrice:
    """A guided price for non-academic courses of every size and length: 100 yuan a lesson."""
    given = {
        "category": "non_academic", "class_size_from": 1, "class_size_until": 35, "minutes_from": 1, "minutes_until": 120,
        "price_fen": 10_000, "document": "示例价格通知〔2025〕1号", "starts_on": LONG_AGO,
    }  # fmt: skip
    return GuidedPrice.objects.create(region=region, entered_by=by, **(given | values))


def make_filing(course: Course, by: User, **values: Any) -> FeeFiling:
    """A fee of 80 yuan a lesson, filed and published long ago."""
    given = {
        "item": course.name, "category": course.category, "class_size": course.class_size, "lesson_minutes": course.lesson_minutes,
        "standard_fen": 8_000, "filed_on": LONG_AGO, "published_on": LONG_AGO,
    }  # fmt: skip
    owner = course.institution.organisation
    return FeeFiling.objects.create(institution=owner, course_number=course.pk, filed_by=by, **(given | values))


def make_code(guardian: User, **values: Any) -> SigningCode:
    """A code for the guardian's first child."""
    child = guardian.children.first()
    given = {"pupil": child.pupil if child else None, "learner_name": "小示例", "learner_born_on": BORN_ON}
    return SigningCode.issue(guardian=guardian, **(given | values))[0]


def make_draft(course: Course, guardian: User, by: User, *, code: SigningCode | None = None, **values: Any) -> Contract:
    """A draft of ten lessons for 800 yuan over two months, made as the page makes it."""
    owner = course.institution.organisation
    given: dict[str, Any] = {
        "lessons": 10, "amount_fen": 80_000, "course_from": MONDAY, "course_until": datetime.date(2027, 1, 15),
        "refund_conditions": "未上的课时按单价退还", "refund_procedure": "在平台申请，核定后原路退回", "refund_working_days": 5,
    }  # fmt: skip
    contract = Contract(institution=owner, **(given | values))
    offered = OfferedCourse.objects.get(pk=course.pk)
    copy_course(contract, offered, FeeFiling.objects.in_force(MONDAY).filter(course_number=course.pk).first())
    return draft_contract(contract=contract, code=code or make_code(guardian), by=by)
