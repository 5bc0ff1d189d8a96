"""Applications and permits as their users meet them: forms, queue, visit, permit."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.institutions.forms.applications import FORMS
from qingdan.institutions.models import Application, Institution, Permit, StepDeadline
from tests.district import District, signed_in
from tests.institutions.applying import NEW, lead_to, make_applicant, make_application, make_department
from tests.institutions.making import credit_code, make_institution, make_permit, make_premises

GIVEN = NEW | {"category": "non_academic", "field": "culture", "audience": "compulsory"}
#: What an institution with premises and a permit fills in for each kind.
FILLED: dict[str, dict[str, Any]] = {
    "new": GIVEN | {"credit_code": credit_code(801)},
    "reregistration": {"credit_code": credit_code(802)},
    "filing_to_approval": {},
    "premises": {"premises_name": "分部", "premises_address": "示范路2号", "area_m2": 100},
    "change": {"new_name": "新名艺术中心"},
    "conversion": {"category": "non_academic", "field": "sports", "audience": "compulsory", "registration": "non_profit"},
    "renewal": {},
    "closure": {"statement": "举办者决定，学费已退清"},
}
CONTACT: dict[str, Any] = {"contact": "王示例", "phone": "010-0000000"}


def at(name: str, *args: object) -> str:
    """An address of the app."""
    return reverse(f"institutions:{name}", args=args)


def paper(name: str = "章程.pdf", content: bytes = b"%PDF-1.4 fictional") -> SimpleUploadedFile:
    """A paper as a browser sends it."""
    return SimpleUploadedFile(name, content)


@pytest.mark.parametrize("kind", FORMS)
def test_each_kind_is_filled_in_changed_and_handed_in(district: District, institution: Institution, operator: User, kind: str) -> None:
    premises = make_premises(institution)
    permit = make_permit(institution, premises, district.bureau)
    extra: dict[str, Any] = {"conversion": {"premises": premises.pk}, "renewal": {"permit": permit.pk}}.get(kind, {})
    client = signed_in(operator)
    assert client.get(at("application_apply", kind)).status_code == 200
    answer = client.post(at("application_apply", kind), FILLED[kind] | CONTACT | extra)
    application = Application.objects.get()
    assert answer.headers["Location"] == at("application", application.pk)
    assert client.get(at("application_edit", application.pk)).status_code == 200
    assert client.post(at("application_edit", application.pk), FILLED[kind] | CONTACT | extra | {"contact": "李示例"}).status_code == 302
    client.post(at("application_file_add", application.pk), {"label": "章程", "files": paper()})
    page = client.post(at("application_submit", application.pk), follow=True)
    application.refresh_from_db()
    assert application.state == "submitted", [str(each) for each in page.context["messages"]]
    assert "李示例" in page.content.decode()


@pytest.mark.parametrize(
    ("kind", "wrong", "told"),
    [
        ("new", {"credit_code": "52990101X"}, "请对照营业执照逐位核对"),
        ("new", {"field": "academic"}, "学科类的领域选"),
        ("new", {"area_m2": 0}, "请填写面积"),
        ("new", {"phone": "找小王"}, "电话只能有数字"),
        ("change", {"new_name": ""}, "请至少填写一项要变更的内容"),
        ("change", {"new_address": "示范路9号"}, "变更地址要同时选教学点"),
        ("conversion", {}, "请选择换发许可的教学点"),
        ("renewal", {}, "请选择许可证"),
        ("closure", {"statement": ""}, "请写明终止原因"),
    ],
)  # fmt: skip
def test_a_wrong_form_says_what_to_do_and_keeps_nothing(
    institution: Institution, operator: User, kind: str, wrong: dict[str, Any], told: str
) -> None:
    answer = signed_in(operator).post(at("application_apply", kind), FILLED[kind] | CONTACT | wrong)
    assert answer.status_code == 400
    assert told in answer.content.decode()
    assert not Application.objects.exists()


def test_whoever_is_no_institution_yet_can_only_be_founded(district: District) -> None:
    client = signed_in(make_applicant(district.region))
    answer = client.post(at("application_apply", "closure"), FILLED["closure"] | CONTACT)
    assert "请先办理“设立许可”" in answer.content.decode()


def test_officers_lead_an_application_to_its_permit(district: District) -> None:
    culture, market = make_department(district.region, "culture"), make_department(district.region, "market")
    by = make_applicant(district.region)
    application = lead_to(make_application(by), "submitted", by=by, officer=culture)
    client, second = signed_in(culture), signed_in(market)
    assert "材料齐全，受理" in client.get(at("application", application.pk)).content.decode()
    client.post(at("application_act", application.pk, "accept"), {})
    assert "同意" in second.get(at("application", application.pk)).content.decode()
    second.post(at("application_act", application.pk, "agree"), {})
    client.post(at("application_act", application.pk, "review"), {})
    assert client.get(at("application_visit", application.pk)).status_code == 200
    photo = paper("门面.jpg", b"\xff\xd8\xff" + b"0" * 20)
    fit = dict.fromkeys(("has_fit_premises", "has_fit_staff", "has_fit_teaching"), "true")
    assert client.post(at("application_visit", application.pk), fit | {"photos": photo}).status_code == 302
    client.post(at("application_act", application.pk, "notify"), {})
    public = Client().get(at("applications_public")).content.decode()
    assert "拟设艺术中心" in public
    assert "示范路1号" in public
    assert "010-0000000" not in public
    client.post(at("application_act", application.pk, "object"), {"reason": "停车困难"})
    lead_to(Application.objects.get(pk=application.pk), "to_decide", by=by, officer=culture)
    assert "停车困难" in client.get(at("application_approve", application.pk)).content.decode()
    given = {"number": "教民1", "scope": "书画", "starts_on": "2026-12-01", "ends_on": "2029-11-30", "reason": "符合条件"}
    assert client.post(at("application_approve", application.pk), given | {"number": ""}).status_code == 400
    assert client.post(at("application_approve", application.pk), given).status_code == 302
    permit = Permit.objects.get()
    for reader in (client, signed_in(by), signed_in(district.bureau)):
        assert "教民1" in reader.get(at("permit", permit.pk)).content.decode()
    assert signed_in(by).get(at("permit_qr", permit.pk)).headers["Content-Type"] == "image/svg+xml"
    assert "教民1" in Client().get(at("permit_check", permit.pk)).content.decode()
    assert second.get(at("permit", permit.pk)).status_code == 404
    assert client.post(at("permit_revoke", permit.pk), {"reason": ""}).status_code == 400
    assert client.post(at("permit_revoke", permit.pk), {"reason": "超范围"}).status_code == 302
    assert "已吊销" in client.get(at("permit", permit.pk)).content.decode()


def test_a_second_officer_is_told_who_was_faster(district: District) -> None:
    by = make_applicant(district.region)
    application = lead_to(make_application(by), "submitted", by=by, officer=district.bureau)
    client = signed_in(district.bureau)
    client.post(at("application_act", application.pk, "accept"), {})
    told = client.post(at("application_act", application.pk, "return"), {"reason": "缺材料"}, follow=True).content.decode()
    assert "不能再“材料不齐，退回补正”" in told
    assert "bureau“受理”" in told


def test_a_return_without_a_list_is_refused(district: District) -> None:
    by = make_applicant(district.region)
    application = lead_to(make_application(by), "submitted", by=by, officer=district.bureau)
    told = signed_in(district.bureau).post(at("application_act", application.pk, "return"), {"reason": ""}, follow=True)
    assert "请写明理由" in told.content.decode()
    application.refresh_from_db()
    assert application.state == "submitted"


def test_a_stranger_finds_nothing(district: District, institution: Institution, operator: User) -> None:
    by = make_applicant(district.region)
    application = lead_to(make_application(by), "accepted", by=by, officer=district.bureau)
    permit = make_permit(institution, None, district.bureau)
    sports = signed_in(make_department(district.region, "sports"))
    for client in (signed_in(operator), sports):
        assert client.get(at("application", application.pk)).status_code == 404
        assert client.get(at("application_file", application.pk, application.files.get().pk)).status_code == 404
    assert signed_in(by).get(at("permit", permit.pk)).status_code == 404
    assert sports.get(at("permit", permit.pk)).status_code == 404
    # Drafts are the applicant's own.
    draft = make_application(operator)
    assert signed_in(district.bureau).get(at("application", draft.pk)).status_code == 404


def test_papers_come_back_byte_for_byte_and_wrong_ones_are_refused(operator: User) -> None:
    application, client = make_application(operator), signed_in(operator)
    wrong = client.post(at("application_file_add", application.pk), {"label": "章程", "files": paper("a.pdf", b"MZ...")})
    assert wrong.status_code == 400
    assert "不是可以收的文件" in wrong.content.decode()
    file = application.files.get()
    assert client.get(at("application_file", application.pk, file.pk)).content == b"%PDF-1.4 fictional"
    client.post(at("application_file_delete", application.pk, file.pk))
    assert not application.files.exists()
    client.post(at("application_delete", application.pk))
    assert not Application.objects.exists()


def test_a_bureau_sets_its_own_deadlines(district: District) -> None:
    client, bureau = signed_in(district.bureau), district.bureau.employer
    page = client.get(at("deadlines")).content.decode()
    names = re.findall(r'name="([a-z_]+)"[^>]*type="number"|type="number" name="([a-z_]+)"', page)
    given: dict[str, object] = {first or second: 7 for first, second in names}
    assert client.post(at("deadlines"), given | {"accepted": 121}).status_code == 400
    assert client.post(at("deadlines"), given).status_code == 302
    assert set(StepDeadline.objects.filter(bureau=bureau).values_list("working_days", flat=True)) == {7}


@pytest.mark.parametrize("query", ["", "?q=tuozhan", "?state=all", "?kind=new&department=market&due=week", "?state=nonsense&page=x"])
def test_queue_and_list_filter(district: District, query: str) -> None:
    client = signed_in(district.bureau)
    assert client.get(at("queue") + query).status_code == 200
    assert client.get(at("queue") + query, headers={"HX-Request": "true"}).content.startswith(b"<")


@pytest.mark.parametrize("query", ["", "?within=30", "?standing=expired", "?standing=revoked&q=x", "?standing=all&department=culture"])
def test_permits_filter(district: District, institution: Institution, query: str) -> None:
    make_permit(institution, None, district.bureau)
    assert signed_in(district.bureau).get(at("permits") + query).status_code == 200


@pytest.mark.parametrize("page", ["queue", "permits", "applications_public", "applications"])
def test_lists_ask_as_often_for_many_as_for_few(district: District, page: str) -> None:
    def one_more(number: int) -> User:
        owner = make_institution(district.region)
        by = User.objects.create(username=f"u{number}", display_name="经办", role="institution", organisation=owner.organisation)
        application = make_application(by, papers=False)
        Application.objects.filter(pk=application.pk).update(
            state="on_notice", notice_from="2026-11-16", notice_until="2026-11-20", due_on="2026-11-20"
        )
        make_permit(owner, make_premises(owner), district.bureau)
        return by

    by = one_more(0)
    client = Client() if page == "applications_public" else signed_in(by if page == "applications" else district.bureau)
    client.get(at(page))
    with CaptureQueriesContext(connection) as few:
        assert client.get(at(page)).status_code == 200
    for number in range(1, 6):
        one_more(number)
        make_application(by, "premises", papers=False, details={})
    with CaptureQueriesContext(connection) as many:
        client.get(at(page))
    assert len(many) == len(few)
