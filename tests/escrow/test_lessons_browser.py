"""From the roll to the refund in a real Chromium, on a phone and on a desk."""

from __future__ import annotations

import datetime

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from qingdan.accounts.models import User
from qingdan.escrow.actions import lessons
from qingdan.escrow.actions.lessons import Taught
from qingdan.escrow.enums import LessonState
from qingdan.escrow.models import Contract, CustodyAgreement, Lesson, Refund
from qingdan.institutions.models import Course, Institution, Session
from tests.browsing import look, sign_in
from tests.district import MONDAY, District
from tests.escrow.making import make_contract
from tests.institutions.making import make_room, make_staff

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_the_roll_to_the_refund(
    page: Page, institution: Institution, agreement: CustodyAgreement, course: Course, parent: User, operator: User, district: District
) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    room, teacher = make_room(institution.premises.get()), make_staff(institution)
    session = Session.objects.create(
        institution=institution, course=course, on_date=MONDAY, starts_at=600, ends_at=690, room=room, teacher=teacher
    )
    contract = make_contract(agreement, parent, operator, course=course, learner_name="李示例", lessons=24, amount_fen=250_000)
    for number in range(8):
        make_contract(agreement, district.second.parent, operator, course=course, learner_name=f"张示例{number}")
    for number in range(1, 3):
        taught = Taught(course.pk, MONDAY - datetime.timedelta(days=7 * number), 600, 690)
        lessons.record([contract], taught=taught, lessons=2, by=operator)

    call_the_roll(page)
    assert Lesson.objects.filter(session_number=session.pk).count() == 8
    confirm_and_dispute(page, parent)
    assert Lesson.objects.filter(contract=contract, state=LessonState.CONFIRMED).count() == 2
    apply_for_a_refund(page)
    agree_to_it(page, course)
    assert Refund.objects.get().due_fen == 62_500
    read_as_the_bureau(page, contract)


def call_the_roll(page: Page) -> None:
    sign_in(page, "operator")
    page.goto(reverse("escrow:rolls"))
    look(page)
    page.get_by_role("link", name="点名").first.click()
    look(page)
    page.get_by_role("button", name="全部到课").click()
    page.get_by_label("张示例0").uncheck()
    expect(page.get_by_text("已勾 8 / 9 人")).to_be_visible()
    page.get_by_role("button", name="登记到课").click()
    expect(page.get_by_text("已登记 8 人。")).to_be_visible()


def confirm_and_dispute(page: Page, parent: User) -> None:
    sign_in(page, parent.username)
    page.goto(reverse("escrow:mine"))
    look(page)
    page.get_by_role("link", name="3 次课等您确认").click()
    look(page)
    page.locator("summary", has_text="不对").first.click()
    page.get_by_label("哪里不对？").first.fill("那天请假没去")
    look(page)
    page.get_by_role("button", name="提出异议，先不扣款").first.click()
    expect(page.get_by_text("已提出异议")).to_be_visible()
    page.get_by_role("button", name="都对，确认这 2 次课").click()
    expect(page.get_by_text("已确认 2 次课。")).to_be_visible()
    look(page)


def apply_for_a_refund(page: Page) -> None:
    page.goto(reverse("escrow:mine"))
    look(page)
    page.get_by_role("link", name="申请退费").click()
    look(page)
    page.get_by_label("退几课时").fill("6")
    expect(page.get_by_text("6 课时（合同第 19 至 24 课时）")).to_be_visible()
    page.get_by_label("退费原因").fill("搬家，离得太远")
    page.get_by_role("button", name="提交申请").click()
    expect(page.get_by_text("已提交退费申请")).to_be_visible()
    look(page)


def agree_to_it(page: Page, course: Course) -> None:
    sign_in(page, "operator")
    page.goto(reverse("escrow:lessons_disputed"))
    look(page)
    page.goto(reverse("escrow:refunds"))
    look(page)
    page.get_by_role("link", name=course.name).click()
    look(page)
    page.get_by_role("button", name="同意，退 625.00 元").click()
    expect(page.get_by_text("已答复，家长会收到通知。")).to_be_visible()
    page.goto(reverse("escrow:coming"))
    look(page)


def read_as_the_bureau(page: Page, contract: Contract) -> None:
    sign_in(page, "bureau")
    for address in (
        reverse("escrow:lessons_disputed"),
        reverse("escrow:refund", args=[Refund.objects.get().pk]),
        reverse("escrow:lessons_of", args=[contract.pk]),
        reverse("escrow:statement", args=[contract.pk]),
        reverse("escrow:closing", args=[contract.institution_id]),
    ):
        page.goto(address)
        look(page)
