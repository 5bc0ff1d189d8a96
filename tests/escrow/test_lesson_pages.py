"""Lessons through the doors users use: the roll, the family's two taps, disputes, statements."""

from __future__ import annotations

import datetime
import io
from typing import Any

import openpyxl
import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.escrow.actions import lessons as acts
from qingdan.escrow.actions import refunds
from qingdan.escrow.actions.lessons import Taught
from qingdan.escrow.enums import LessonState
from qingdan.escrow.models import Contract, CustodyAgreement, Lesson
from qingdan.escrow.standing import standing_of
from qingdan.institutions.models import Course, Institution, Session
from tests.district import MONDAY, District, make_user, signed_in
from tests.escrow.making import SIGNED_ON, make_agreement, make_contract
from tests.institutions.making import make_institution, make_room, make_staff

SATURDAY_BEFORE = MONDAY - datetime.timedelta(days=2)


@pytest.fixture
def contract(agreement: CustodyAgreement, parent: User, operator: User, course: Course) -> Contract:
    return make_contract(agreement, parent, operator, course=course)


@pytest.fixture
def session(institution: Institution, course: Course) -> Session:
    """Saturday's session of the course, half past six to eight."""
    room, teacher = make_room(institution.premises.get()), make_staff(institution)
    values = {"starts_at": 18 * 60 + 30, "ends_at": 20 * 60, "room": room, "teacher": teacher}
    return Session.objects.create(institution=institution, course=course, on_date=SATURDAY_BEFORE, **values)


def recorded(contract: Contract, by: User, number: int = 0) -> Lesson:
    taught = Taught(contract.course_number, SATURDAY_BEFORE - datetime.timedelta(days=number), 600, 640)
    return acts.record([contract], taught=taught, lessons=1, by=by).new[0]


def said(response: Any) -> str:
    return " ".join(str(each) for each in get_messages(response.wsgi_request))


def test_a_roll_is_called_and_called_again(
    session: Session, contract: Contract, agreement: CustodyAgreement, parent: User, operator: User, course: Course
) -> None:
    absent = make_contract(agreement, parent, operator, course=course)
    client, address = signed_in(operator), reverse("escrow:roll", args=[session.pk])
    assert "点名" in client.get(reverse("escrow:rolls")).content.decode()
    page = client.get(address).content.decode()
    assert "90 分钟" in page
    assert "剩 10 课时" in page
    assert contract.learner_name in page
    for expected in ("已登记 1 人。", "1 人以前登记过"):
        response = client.post(address, {"contracts": [contract.pk], "lessons": 2})
        assert response.headers["Location"] == reverse("escrow:rolls")
        assert expected in said(response)
    lesson = Lesson.objects.get()
    assert (lesson.contract, lesson.lessons, lesson.session_number) == (contract, 2, session.pk)
    assert "已登记 1 人" in client.get(reverse("escrow:rolls")).content.decode()
    assert "没有这样的课次" in client.get(reverse("escrow:rolls"), {"only": "open"}, headers={"HX-Request": "true"}).content.decode()
    assert standing_of(absent).free == 10


def test_sessions_before_the_first_contract_are_not_offered(session: Session, contract: Contract, operator: User) -> None:
    before = Session.objects.create(
        institution=session.institution,
        course=session.course,
        on_date=SIGNED_ON - datetime.timedelta(days=1),
        starts_at=600,
        ends_at=690,
        room=session.room,
        teacher=session.teacher,
    )
    page = signed_in(operator).get(reverse("escrow:rolls")).content.decode()
    assert reverse("escrow:roll", args=[session.pk]) in page
    assert reverse("escrow:roll", args=[before.pk]) not in page


def test_what_a_roll_refuses_is_said_and_the_ticks_stay(session: Session, contract: Contract, operator: User) -> None:
    client, address = signed_in(operator), reverse("escrow:roll", args=[session.pk])
    response = client.post(address, {"contracts": [contract.pk], "lessons": 3})
    assert response.status_code == 422
    assert "最多登记 2 课时" in response.content.decode()
    assert f'id="learner{contract.pk}" checked' in response.content.decode()
    assert "还没有勾选" in client.post(address, {"lessons": 1}).content.decode()
    assert "名单已有变化" in client.post(address, {"contracts": ["999999"], "lessons": 1}).content.decode()
    assert not Lesson.objects.exists()


def test_a_lesson_outside_the_timetable_is_entered_by_hand(contract: Contract, operator: User) -> None:
    client, address = signed_in(operator), reverse("escrow:roll_new")
    assert contract.course_name in client.get(address).content.decode()
    asked: dict[str, str] = {"course": str(contract.course_number), "on_date": "2026-11-15", "starts_at": "09:00", "ends_at": "08:00"}
    assert "下课时间要晚于上课时间" in client.get(address, asked).content.decode()
    assert "还没有到" in client.get(address, asked | {"on_date": "2026-11-17", "ends_at": "10:00"}).content.decode()
    full = f"{address}?course={contract.course_number}&on_date=2026-11-15&starts_at=09:00&ends_at=10:00"
    assert contract.learner_name in client.get(full).content.decode()
    assert client.post(full, {"contracts": [contract.pk], "lessons": 1}).status_code == 302
    assert (Lesson.objects.get().starts_at, Lesson.objects.get().session_number) == (540, None)


def test_a_family_confirms_all_that_is_shown_in_two_taps(contract: Contract, parent: User, operator: User) -> None:
    shown = [recorded(contract, operator, number) for number in range(3)]
    client = signed_in(parent)
    page = client.get(reverse("escrow:lessons_waiting")).content.decode()
    assert "都对，确认这 3 次课" in page
    assert "11月14日（周六） 10:00" in page
    later = recorded(contract, operator, 5)
    response = client.post(reverse("escrow:lessons_confirm"), {"lesson": [each.pk for each in shown]})
    assert "已确认 3 次课" in said(response)
    later.refresh_from_db()
    assert (later.state, standing_of(contract).given) == (LessonState.RECORDED, 3)
    assert "已经答复过" in said(client.post(reverse("escrow:lessons_confirm"), {"lesson": [shown[0].pk]}))


def test_nobody_answers_for_another_family(contract: Contract, operator: User, district: District) -> None:
    lesson = recorded(contract, operator)
    stranger = signed_in(district.second.parent)
    stranger.post(reverse("escrow:lessons_confirm"), {"lesson": [lesson.pk]})
    lesson.refresh_from_db()
    assert lesson.state == LessonState.RECORDED
    for name in ("lesson_dispute", "lesson_retract"):
        assert stranger.post(reverse(f"escrow:{name}", args=[lesson.pk]), {"text": "没上"}).status_code == 404
    for name in ("lessons_of", "statement", "refund_apply"):
        assert stranger.get(reverse(f"escrow:{name}", args=[contract.pk])).status_code == 404


def test_a_dispute_goes_from_family_to_institution_to_bureau(contract: Contract, parent: User, operator: User, district: District) -> None:
    lesson = recorded(contract, operator)
    family, clerk, officer = signed_in(parent), signed_in(operator), signed_in(district.bureau)
    assert "哪里不对" in said(family.post(reverse("escrow:lesson_dispute", args=[lesson.pk]), {"text": ""}))
    assert "先不扣款" in said(family.post(reverse("escrow:lesson_dispute", args=[lesson.pk]), {"text": "那天请假"}))
    page = clerk.get(reverse("escrow:lessons_disputed")).content.decode()
    assert "那天请假" in page
    assert contract.learner_name in page
    clerk.post(reverse("escrow:lesson_reply", args=[lesson.pk]), {"text": "有签到表"})
    page = officer.get(reverse("escrow:lessons_disputed")).content.decode()
    assert "有签到表" in page
    assert contract.learner_name not in page, "a bureau sees no pupil's name"
    assert "请选" in said(officer.post(reverse("escrow:lesson_settle", args=[lesson.pk]), {"reason": "x"}))
    assert "核定理由" in said(officer.post(reverse("escrow:lesson_settle", args=[lesson.pk]), {"verdict": "void"}))
    assert "已核定" in said(officer.post(reverse("escrow:lesson_settle", args=[lesson.pk]), {"verdict": "void", "reason": "没有监控"}))
    lesson.refresh_from_db()
    assert lesson.state == LessonState.VOID
    assert "没有监控" in family.get(reverse("escrow:lessons_of", args=[contract.pk])).content.decode()
    assert "没有监控" in officer.get(reverse("escrow:lessons_disputed"), {"state": "settled"}).content.decode()


def test_a_family_withdraws_its_objection_and_an_institution_its_entry(contract: Contract, parent: User, operator: User) -> None:
    first, second = recorded(contract, operator), recorded(contract, operator, 1)
    acts.dispute(first, by=parent, reason="没上")
    assert "按已上计" in said(signed_in(parent).post(reverse("escrow:lesson_retract", args=[first.pk])))
    assert "不扣课时" in said(signed_in(operator).post(reverse("escrow:lesson_strike", args=[second.pk])))
    assert "请刷新页面" in said(signed_in(operator).post(reverse("escrow:lesson_strike", args=[first.pk])))
    assert (standing_of(contract).given, standing_of(contract).free) == (1, 9)


def test_the_familys_page_says_what_was_paid_used_and_is_left(
    contract: Contract, agreement: CustodyAgreement, parent: User, operator: User
) -> None:
    acts.confirm([recorded(contract, operator)], by=parent)
    recorded(contract, operator, 1)
    make_contract(agreement, parent, operator, state="signed")
    refunds.apply(contract, lessons=2, reason="搬家", by=parent)
    page = signed_in(parent).get(reverse("escrow:mine")).content.decode()
    for expected in (
        "1,000.00 元",
        "900.00 元",
        "1 次课等您确认",
        "示例银行监管账户",
        "您确认后划 100.00 元",
        "2 课时 200.00 元：待机构答复",
        "还没有收到银行",
    ):
        assert expected in page
    assert agreement.account_number not in page, "only the account's last digits"


def test_a_statement_has_a_running_balance_and_goes_along_as_a_workbook(
    contract: Contract, parent: User, operator: User, district: District
) -> None:
    acts.confirm([recorded(contract, operator)], by=parent)
    refunds.answer(refunds.apply(contract, lessons=9, reason="搬家", by=parent), agrees=True, text="", by=operator)
    address = reverse("escrow:statement", args=[contract.pk])
    page = signed_in(parent).get(address).content.decode()
    assert "缴费" in page
    assert "上课消费" in page
    assert "-900.00 元" in page
    assert contract.learner_name not in signed_in(district.bureau).get(address).content.decode()
    sheet = openpyxl.load_workbook(io.BytesIO(signed_in(operator).get(address, {"format": "xlsx"}).content)).active
    assert sheet is not None
    rows = [row[1:6] for row in sheet.iter_rows(min_row=4, values_only=True)]
    assert rows == [("缴费", 10, 10, 1000, 1000), ("上课消费", -1, 9, -100, 900), ("退费", -9, 0, -900, 0)]


@pytest.mark.parametrize("name", ["mine", "lessons_waiting", "rolls", "lessons_disputed", "refunds", "coming"])
def test_pages_ask_the_database_as_often_for_many_as_for_few(
    name: str, session: Session, contract: Contract, agreement: CustodyAgreement, parent: User, operator: User, course: Course
) -> None:
    client = signed_in(parent if name in ("mine", "lessons_waiting") else operator)

    def fill() -> None:
        more = make_contract(agreement, parent, operator, course=course)
        acts.dispute(recorded(more, operator), by=parent, reason="没上")
        recorded(more, operator, 1)
        refunds.apply(more, lessons=1, reason="搬家", by=parent)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(reverse(f"escrow:{name}")).status_code == 200
        return len(captured)

    fill()
    queries()
    few = queries()
    for _ in range(5):
        fill()
    assert queries() <= few


def test_a_bureau_elsewhere_and_another_institution_find_nothing(contract: Contract, operator: User, district: District) -> None:
    lesson = recorded(contract, operator)
    other = make_institution(district.region, "示例棋院")
    clerk = signed_in(make_user("other-clerk", operator.role, other.organisation))  # type: ignore[arg-type]
    make_agreement(other.organisation, district.bureau)
    assert contract.learner_name not in clerk.get(reverse("escrow:lessons_disputed")).content.decode()
    assert clerk.post(reverse("escrow:lesson_strike", args=[lesson.pk])).status_code == 404
    assert clerk.get(reverse("escrow:lessons_of", args=[contract.pk])).status_code == 404
