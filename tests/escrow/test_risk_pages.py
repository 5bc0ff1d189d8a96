"""The list of warnings and the risk file, through the pages."""

from __future__ import annotations

import datetime
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qingdan.accounts.models import Organisation, User
from qingdan.escrow.actions.scoring import score_all
from qingdan.escrow.enums import RiskStepKind
from qingdan.escrow.models import Complaint, Contract, CustodyAgreement, RiskScore, RiskStep
from qingdan.escrow.risk import outlook
from qingdan.institutions.models import Course, Institution, Session
from qingdan.notices.models import Notice
from tests.district import MONDAY, TUESDAY, WEDNESDAY, District, signed_in
from tests.escrow.making import make_agreement, make_contract
from tests.escrow.risking import days_ago, make_bank_line, make_complaint, make_day, make_refund
from tests.escrow.test_flows import department
from tests.institutions.making import make_institution, make_room, make_staff

LIST = reverse("escrow:risks")


@pytest.fixture
def contract(agreement: CustodyAgreement, parent: User, operator: User, course: Course) -> Contract:
    return make_contract(agreement, parent, operator, course=course)


def file_of(institution: Institution) -> str:
    return reverse("escrow:risk", args=[institution.pk])


def test_the_riskiest_stands_first_and_filters_narrow(
    institution: Institution, agreement: CustodyAgreement, contract: Contract, district: District
) -> None:
    calm = make_institution(district.region, "平静中心")
    make_agreement(calm.organisation, district.bureau, mode="reserve")
    make_day(agreement, bank_fen=50_000, owed_fen=100_000)
    score_all()
    client = signed_in(district.bureau)
    shown = client.get(LIST).content.decode()
    assert shown.index("示例艺术培训中心") < shown.index("平静中心")
    assert "监管资金低于应有" in shown
    assert "500.00 元" in shown
    assert "平静中心" not in client.get(LIST, {"level": "watched"}).content.decode()
    assert "示例艺术" not in client.get(LIST, {"mode": "reserve"}).content.decode()
    assert "平静中心" in client.get(LIST, {"q": "pingjing"}).content.decode()
    assert "没有这样的机构" in client.get(LIST, {"q": "查无此家"}, headers={"HX-Request": "true"}).content.decode()


def test_departments_see_their_own_institutions_only(institution: Institution, contract: Contract, district: District) -> None:
    score_all()
    assert "示例艺术" in signed_in(department(district, "culture")).get(LIST).content.decode()
    sports = signed_in(department(district, "sports"))
    assert "示例艺术" not in sports.get(LIST).content.decode()
    assert sports.get(file_of(institution)).status_code == 404


def test_the_export_has_every_part(institution: Institution, contract: Contract, district: District) -> None:
    score_all()
    response = signed_in(district.bureau).get(reverse("escrow:risks_export"))
    sheet: Any = openpyxl.load_workbook(BytesIO(response.content)).active
    [head, row] = list(sheet.values)[:2]
    assert sum(value for value in row[7:13] if isinstance(value, int)) == row[2]
    assert head[7] == "监管资金低于应有"


def test_the_file_shows_the_score_its_parts_and_their_clauses(
    institution: Institution, agreement: CustodyAgreement, contract: Contract, district: District
) -> None:
    make_day(agreement, bank_fen=50_000, owed_fen=100_000)
    make_refund(contract, due_fen=30_000, due_on=days_ago(3))
    make_complaint(contract, "教室锁门了")
    score_all()
    shown = signed_in(district.bureau).get(file_of(institution)).content.decode()
    for text in ("银行余额比应有的 1,000.00 元 少 500.00 元（50%）", "逾期 1 件，最久 3 天", "教室锁门了", "300.00 元", "制定方案"):
        assert text in shown, text
    assert reverse("library:clause", args=["s4.prepaid.custody"]) in shown, "the place's own clause"
    assert reverse("library:clause", args=["s0.prepaid.custody"]) not in shown, "not another place's"
    assert "1. 监管资金低于应有" in shown, "a plan is proposed"


def test_charts_are_drawn_and_asked_for_once(institution: Institution, contract: Contract, district: District) -> None:
    score_all(days_ago(1))
    score_all()
    client = signed_in(district.bureau)
    for name in ("history", "ahead"):
        drawn = client.get(reverse("escrow:risk_chart", args=[institution.pk, name]), {"width": "phone"})
        assert (drawn.status_code, drawn.content[:4]) == (200, b"<svg")
        again = client.get(drawn.request["PATH_INFO"], {"width": "phone"}, headers={"If-None-Match": drawn["ETag"]})
        assert again.status_code == 304
    assert client.get(reverse("escrow:risk_chart", args=[institution.pk, "nothing"])).status_code == 404
    assert client.get(reverse("escrow:risk_chart", args=[institution.pk, "history"]), {"width": "huge"}).status_code == 404


def test_a_plan_wants_somebody_and_a_day_and_is_marked_as_done(institution: Institution, contract: Contract, district: District) -> None:
    client, add = signed_in(district.bureau), reverse("escrow:risk_step", args=[institution.pk])
    given = {"kind": "plan", "text": "约谈、补足资金", "responsible": "", "due_on": ""}
    refused = client.post(add, given)
    assert refused.status_code == 422
    assert "方案要写明责任人和完成期限" in refused.content.decode()
    assert "约谈、补足资金" in refused.content.decode(), "what was written is not lost"
    assert not RiskStep.objects.exists()
    assert client.post(add, given | {"responsible": "李示例", "due_on": "2026-11-20"}).status_code == 302
    step = RiskStep.objects.get()
    assert (step.done_at, step.responsible) == (None, "李示例")
    for _ in range(2):
        assert client.post(reverse("escrow:risk_step_done", args=[step.pk])).status_code == 302
    step.refresh_from_db()
    assert step.done_at is not None
    assert client.post(add, {"kind": "paused", "text": "绕过"}).status_code == 422, "acts write their own steps"
    assert client.post(add, {"kind": "visit", "text": ""}).status_code == 422
    assert RiskStep.objects.count() == 1


def test_releases_are_paused_and_resumed_from_the_file(
    institution: Institution, agreement: CustodyAgreement, contract: Contract, district: District, operator: User
) -> None:
    client, pause = signed_in(district.bureau), reverse("escrow:risk_pause", args=[institution.pk])
    assert client.post(pause, {"verdict": "pause", "reason": ""}).status_code == 422
    assert client.post(pause, {"verdict": "pause", "reason": "余额不足"}).status_code == 302
    agreement.refresh_from_db()
    assert agreement.is_release_paused
    client.post(pause, {"verdict": "pause", "reason": "余额不足"})
    assert list(RiskStep.objects.values_list("kind", "text")) == [("paused", "余额不足")], "twice is once"
    assert Notice.objects.filter(user=operator, text__contains="暂停划拨").exists()
    assert "恢复划拨" in client.get(file_of(institution)).content.decode()
    client.post(pause, {"verdict": "resume", "reason": "已补足"})
    agreement.refresh_from_db()
    assert not agreement.is_release_paused


def test_families_complain_and_officers_answer_and_the_institution_learns_of_neither(
    institution: Institution, contract: Contract, district: District, parent: User, operator: User
) -> None:
    family, page = signed_in(parent), reverse("escrow:complain", args=[contract.pk])
    empty = family.post(page, {"text": " "})
    assert empty.status_code == 422
    assert "请写下要反映的情况" in empty.content.decode()
    assert family.post(page, {"text": "三周没有上课"}).status_code == 302
    again = family.post(page, {"text": "三周没有上课"})
    assert "已经收到，正在处理" in again.content.decode()
    complaint = Complaint.objects.get()
    assert Notice.objects.filter(user=district.bureau, occasion=f"complaint:{complaint.pk}").exists()
    officer, answer = signed_in(district.bureau), reverse("escrow:complaint_answer", args=[complaint.pk])
    assert "三周没有上课" in officer.get(reverse("escrow:complaints")).content.decode()
    assert officer.post(answer, {"text": ""}).status_code == 422
    assert officer.post(answer, {"text": "已约谈，下周恢复上课"}).status_code == 302
    assert "已经答复" in officer.post(answer, {"text": "再答一次"}, follow=True).content.decode()
    assert "已约谈，下周恢复上课" in family.get(reverse("escrow:complaints")).content.decode()
    assert Notice.objects.filter(user=parent, text__contains="已约谈").exists()
    clerk = signed_in(operator)
    assert clerk.get(reverse("escrow:complaints")).status_code == 404
    assert not Notice.objects.filter(user=operator, text__contains="三周").exists()
    assert signed_in(district.second.parent).get(page).status_code == 404
    assert "三周" not in signed_in(district.second.parent).get(reverse("escrow:complaints")).content.decode()


def test_what_is_owed_goes_down_with_the_planned_sessions(institution: Institution, contract: Contract, course: Course) -> None:
    made = {"institution": institution, "course": course, "starts_at": 600, "ends_at": 640, "teacher": make_staff(institution)}
    room = make_room(institution.premises.get())
    for day in (TUESDAY, WEDNESDAY):
        Session.objects.create(on_date=day, room=room, **made)
    line = outlook.projected(institution.organisation, MONDAY, days=3)
    assert [fen for _, fen in line] == [100_000, 90_000, 80_000, 80_000]
    Contract.objects.filter(pk=contract.pk).update(state="completed")
    assert outlook.projected(institution.organisation, MONDAY, days=1)[-1][1] == 0


def test_the_list_costs_the_same_for_few_and_many(
    institution: Institution, contract: Contract, district: District, parent: User, operator: User
) -> None:
    client = signed_in(district.bureau)

    def cost(url: str) -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        return len(queries)

    def more(number: int) -> None:
        other = make_institution(district.region, f"机构{number}").organisation
        made = make_contract(make_agreement(other, district.bureau), parent, operator)
        make_refund(made)
        make_complaint(made)
        make_complaint(contract, f"{number}")
        RiskStep.objects.create(institution=institution.organisation, kind=RiskStepKind.TALK, text="谈", made_by=district.bureau)
        line = make_bank_line(made.agreement or contract.agreement, -9_000_000)  # type: ignore[arg-type]
        line.is_large = True
        line.save()

    more(0)
    score_all()
    urls = [LIST, file_of(institution), reverse("escrow:watch"), reverse("escrow:flows"), reverse("escrow:complaints")]
    few = [cost(url) for url in urls]
    for number in range(1, 6):
        more(number)
    score_all()
    assert [cost(url) for url in urls] == few


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("risk_score_once_a_day", {}),
        ("risk_score_is_of_hundred", {"on_date": MONDAY, "score": 101}),
        ("risk_score_is_of_hundred", {"on_date": MONDAY, "owed_fen": 5, "uncovered_fen": 6}),
    ],
)
def test_scores_are_kept_in_bounds(institution: Institution, name: str, values: dict[str, Any]) -> None:
    given = {"institution": institution.organisation, "on_date": days_ago(1), "score": 5, "level": "calm", "parts": [], "owed_fen": 0}
    RiskScore.objects.create(**given, uncovered_fen=0)
    wrong = RiskScore(**(given | {"uncovered_fen": 0} | values))
    with pytest.raises(ValidationError, match=r"这一天已经算过|分值在 0 到 100 之间"):
        wrong.validate_constraints()
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        wrong.save()


def test_steps_and_complaints_are_whole(institution: Institution, contract: Contract, district: District) -> None:
    owner: Organisation = institution.organisation
    now = datetime.datetime(2026, 11, 16, tzinfo=datetime.UTC)
    wrong: list[tuple[str, str, Any]] = [
        ("risk_step_has_a_text", "请写明内容", RiskStep(institution=owner, kind="talk", text="", made_by=district.bureau)),
        ("complaint_has_a_text", "请写明投诉内容", Complaint(contract=contract, made_by=contract.guardian, text="")),
        (
            "complaint_answer_is_signed",
            "答复要有内容、答复人和时间",
            Complaint(contract=contract, made_by=contract.guardian, text="拖", answered_at=now),
        ),
    ]
    for name, message, record in wrong:
        with pytest.raises(ValidationError, match=message):
            record.validate_constraints()
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            record.save()
