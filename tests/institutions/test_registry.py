"""The bureau keeps its register; an institution sees and changes its own page within limits."""

from __future__ import annotations

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.institutions.models import CapitalChange, Institution, Listing, Owner, Pledge, Premises
from tests.district import MONDAY, District, make_region, signed_in
from tests.institutions.making import credit_code, make_course, make_institution, make_permit, make_premises, make_room, make_staff


def data(**values: str) -> dict[str, str]:
    """A filled-in form of a new institution."""
    given = {
        "name": "新芽艺术培训中心", "credit_code": credit_code(900), "legal_person": "李示例", "registration": "non_profit",
        "category": "non_academic", "field": "culture", "audience": "compulsory", "department": "culture", "approval_basis": "none",
        "registered_on": "2026-10-08", "street": "示范街道",
    }  # fmt: skip
    return given | values


def test_a_bureau_registers_an_institution_and_finds_it_by_initials(district: District) -> None:
    client = signed_in(district.bureau)
    sent = client.post(reverse("institutions:institution_new"), data(region=str(district.region.pk)), follow=True)
    assert "已登记“新芽艺术培训中心”" in sent.content.decode()
    made = Institution.objects.get()
    assert (made.organisation.layer_code, made.organisation.region_code) == (district.region.layer_code, district.region.code)
    found = client.get(reverse("institutions:registry"), {"q": "xyys"}).content.decode()
    assert "新芽艺术培训中心" in found
    assert "没有符合条件的机构" in client.get(reverse("institutions:registry"), {"q": "zzz"}).content.decode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"credit_code": credit_code(900)[:-1] + "X"}, "末位是校验码"),
        ({"credit_code": "123"}, "应为 18 位"),
        ({"field": "academic"}, "学科类机构的领域是学科"),
        ({"registered_on": "昨天"}, "日期请写成 2026-11-16 的样子"),
        ({"name": "甲小学"}, "已有同名的单位"),
        ({"legal_person": ""}, "请填写法定代表人"),
    ],
)
def test_bad_data_is_refused_and_nothing_is_saved(district: District, change: dict[str, str], said: str) -> None:
    sent = signed_in(district.bureau).post(reverse("institutions:institution_new"), data(region=str(district.region.pk)) | change)
    assert sent.status_code == 400
    assert said in sent.content.decode()
    assert not Institution.objects.exists()


def test_a_credit_code_already_registered_is_refused(district: District, institution: Institution) -> None:
    sent = signed_in(district.bureau).post(
        reverse("institutions:institution_new"), data(region=str(district.region.pk), credit_code=institution.credit_code)
    )
    assert "已有机构用这个统一社会信用代码" in sent.content.decode()


def test_a_credit_code_may_be_written_with_blanks(district: District) -> None:
    code = credit_code(900)
    spaced = f"{code[:8]} {code[8:17]} {code[17:]}"
    signed_in(district.bureau).post(reverse("institutions:institution_new"), data(region=str(district.region.pk), credit_code=spaced))
    assert Institution.objects.get().credit_code == code


def test_changes_are_kept_with_who_made_them(district: District, institution: Institution) -> None:
    client = signed_in(district.bureau)
    changed = data(credit_code=institution.credit_code, name="更名艺术中心", legal_person="赵示例")
    client.post(reverse("institutions:institution_edit", args=[institution.pk]), changed)
    page = client.get(reverse("institutions:institution", args=[institution.pk])).content.decode()
    assert "更名艺术中心" in page
    assert "法定代表人：王示例 → 赵示例" in page


def test_the_list_is_filtered(district: District, institution: Institution) -> None:
    other = make_institution(
        district.region, "第二学科培训", category="academic", field="academic", department="education", street="南街道"
    )
    make_permit(other, None, district.bureau, ends_on=MONDAY + datetime.timedelta(days=20))
    Listing.objects.create(institution=other, colour="black", since=MONDAY, reason="虚假宣传", decided_by=district.bureau)
    client = signed_in(district.bureau)
    for filters in (
        {"category": "academic"}, {"field": "academic"}, {"department": "education"}, {"street": "南街道"}, {"expiring": "30"},
        {"colour": "black"}, {"q": "南街"}, {"q": other.credit_code},
    ):  # fmt: skip
        page = client.get(reverse("institutions:registry"), filters).content.decode()
        assert "第二学科培训" in page, filters
        assert "示例艺术培训中心" not in page, filters
    page = client.get(reverse("institutions:registry"), {"expiring": "0"}, headers={"HX-Request": "true"}).content.decode()
    assert "示例艺术培训中心" in page
    assert "第二学科培训" not in page
    assert "<html" not in page


def test_a_bureau_of_another_region_sees_nothing(district: District, institution: Institution) -> None:
    make_region("990202", "demo-school")
    district.bureau.employer.region_code = "990202"
    district.bureau.employer.save()
    client = signed_in(User.objects.get(pk=district.bureau.pk))
    assert institution.name not in client.get(reverse("institutions:registry")).content.decode()
    assert client.get(reverse("institutions:institution", args=[institution.pk])).status_code == 404


@pytest.mark.parametrize(
    ("deal", "breaks"),
    [("listing", True), ("listed_investment", True), ("listed_purchase", True), ("foreign_holding", True), ("ordinary", False)],
)
def test_deals_over_capital_are_recorded_and_judged_at_once(district: District, deal: str, breaks: bool) -> None:
    made = academic_in_shanghai(district)
    sent = signed_in(district.bureau).post(
        reverse("institutions:capital_add", args=[made.pk]),
        {"happened_on": "2026-11-10", "deal": deal, "investor": "某投资公司", "share_percent": "30", "amount_yuan": "1000000"},
        follow=True,
    )
    deals = sent.content.decode().split('id="capital"')[1].split("</section>")[0]
    assert CapitalChange.objects.get().amount_fen == 100_000_000
    assert ("不合规定" in deals) is breaks
    assert ("依据：" in deals) is breaks


def academic_in_shanghai(district: District) -> Institution:
    """An academic institution where the law says most about capital."""
    made = make_institution(district.region, "学科培训示例", category="academic", field="academic", department="education")
    made.organisation.layer_code = "cn-shanghai"
    made.organisation.save()
    return made


def test_an_owner_by_agreement_is_a_deal_over_capital(district: District) -> None:
    made = academic_in_shanghai(district)
    sent = signed_in(district.bureau).post(
        reverse("institutions:owner_add", args=[made.pk]),
        {"name": "海外控股公司", "share_percent": "60", "is_by_agreement": "on", "since": "2026-11-01"},
        follow=True,
    )
    assert CapitalChange.objects.get().deal == "foreign_holding"
    assert "不合规定" in sent.content.decode().split('id="capital"')[1].split("</section>")[0]


def test_shares_do_not_exceed_the_whole(district: District, institution: Institution) -> None:
    Owner.objects.create(institution=institution, name="甲", share_percent=60, since=MONDAY)
    address = reverse("institutions:owner_add", args=[institution.pk])
    sent = signed_in(district.bureau).post(address, {"name": "乙", "share_percent": "50", "since": "2026-11-16"})
    assert "合计已占 60%" in sent.content.decode()
    owner = Owner.objects.get()
    client = signed_in(district.bureau)
    early = client.post(reverse("institutions:owner_end", args=[owner.pk]), {"until": "2026-11-01"})
    assert "不能早于起始日期" in early.content.decode()
    client.post(reverse("institutions:owner_end", args=[owner.pk]), {"until": "2026-11-16"})
    client.post(address, {"name": "乙", "share_percent": "50", "since": "2026-11-16"})
    assert Owner.objects.count() == 2


def test_a_day_ahead_is_no_record(district: District, institution: Institution) -> None:
    address = reverse("institutions:listing_add", args=[institution.pk])
    sent = signed_in(district.bureau).post(address, {"colour": "white", "since": "2026-12-01", "reason": "年检优秀"})
    assert "日期不能晚于今天" in sent.content.decode()
    assert not Listing.objects.exists()


def test_one_list_at_a_time_and_off_with_a_reason(district: District, institution: Institution) -> None:
    client = signed_in(district.bureau)
    address = reverse("institutions:listing_add", args=[institution.pk])
    client.post(address, {"colour": "white", "since": "2026-11-01", "reason": "年检优秀"})
    second = client.post(address, {"colour": "black", "since": "2026-11-10", "reason": "虚假宣传"})
    assert "请先移出原来的名单" in second.content.decode()
    end = reverse("institutions:listing_end", args=[Listing.objects.get().pk])
    assert "请填写移出理由" in client.post(end, {"until": "2026-11-09", "reason": ""}).content.decode()
    assert client.post(end, {"until": "2026-11-09", "reason": "复核不符"}).status_code == 302
    assert client.post(address, {"colour": "black", "since": "2026-11-10", "reason": "虚假宣传"}).status_code == 302
    assert Listing.objects.count() == 2


def test_premises_with_a_permit_or_later_sessions_are_not_closed(district: District, institution: Institution) -> None:
    client = signed_in(district.bureau)
    client.post(
        reverse("institutions:premises_add", args=[institution.pk]),
        {"name": "本部", "address": "示范路1号", "area_m2": "200", "opened_on": "2026-09-01"},
    )
    place = Premises.objects.get()
    permit = make_permit(institution, place, district.bureau)
    end = reverse("institutions:premises_close", args=[place.pk])
    assert "还有有效的办学许可" in client.post(end, {"until": "2026-11-16"}).content.decode()
    permit.revoked_on, permit.revocation_reason = MONDAY, "注销"
    permit.save()
    course, teacher, room = make_course(institution), make_staff(institution), make_room(place)
    session = course.sessions.create(
        institution=institution, on_date=MONDAY + datetime.timedelta(days=5), starts_at=540, ends_at=580, room=room, teacher=teacher
    )
    assert "还排了 1 次课" in client.post(end, {"until": "2026-11-16"}).content.decode()
    session.delete()
    assert client.post(end, {"until": "2026-11-16"}).status_code == 302
    assert Premises.objects.get().closed_on == MONDAY


def test_closing_wants_a_reason_and_no_permit(district: District, institution: Institution) -> None:
    client = signed_in(district.bureau)
    address = reverse("institutions:institution_state", args=[institution.pk])
    assert "请填写原因" in client.post(address, {"state": "closed", "reason": ""}).content.decode()
    permit = make_permit(institution, None, district.bureau)
    assert permit.number in client.post(address, {"state": "closed", "reason": "终止办学"}).content.decode()
    permit.delete()
    client.post(address, {"state": "closed", "reason": "终止办学"})
    institution.refresh_from_db()
    assert (institution.state, institution.state_reason) == ("closed", "终止办学")


def test_an_evaluation_is_recorded_once(district: District, institution: Institution) -> None:
    client = signed_in(district.bureau)
    address = reverse("institutions:evaluation_add", args=[institution.pk])
    sent = {"evaluator": "某评估院", "evaluated_on": "2026-11-02", "grade": "良好"}
    assert client.post(address, sent).status_code == 302
    assert "这次评估已经记录过" in client.post(address, sent).content.decode()


def test_an_institution_changes_only_what_is_its_own(institution: Institution, operator: User) -> None:
    client = signed_in(operator)
    assert client.get(reverse("institutions:mine")).status_code == 302
    client.post(
        reverse("institutions:institution_edit", args=[institution.pk]),
        {"street": "新街道", "website": "https://example.com/", "refund_terms": "开课前全退", "category": "academic", "name": "别名"},
    )
    institution.refresh_from_db()
    assert (institution.street, institution.refund_terms) == ("新街道", "开课前全退")
    assert (institution.category, institution.organisation.name) == ("non_academic", "示例艺术培训中心")
    client.post(reverse("institutions:pledge_add", args=[institution.pk]), {"text": "不超标超前教学"})
    assert Pledge.objects.get().pledged_on == MONDAY
    page = client.get(reverse("institutions:institution", args=[institution.pk])).content.decode()
    assert "不超标超前教学" in page
    assert "停业、注销或恢复" not in page


def test_one_not_registered_yet_is_told_how(district: District, operator: User, institution: Institution) -> None:
    institution.delete()
    assert "还没有登记" in signed_in(operator).get(reverse("institutions:mine")).content.decode()


def test_as_many_queries_for_few_as_for_many(district: District, institution: Institution) -> None:
    client = signed_in(district.bureau)
    pages = [reverse("institutions:registry"), reverse("institutions:institution", args=[institution.pk])]
    counts = []
    # The first round only sets the transaction's context: whoever changed something is looked up from then on.
    for number in (1, 2, 12):
        for _ in range(number):
            made = make_institution(district.region)
            place = make_premises(institution, f"点{Premises.objects.count()}")
            make_permit(made, None, district.bureau)
            make_permit(institution, place, district.bureau)
            institution.capital_changes.create(
                happened_on=MONDAY, deal="listing", investor=f"投资方{CapitalChange.objects.count()}", recorded_by=district.bureau
            )
            institution.legal_person = f"王{Premises.objects.count()}"
            institution.save()
        for page in pages:
            client.get(page)
            with CaptureQueriesContext(connection) as seen:
                client.get(page)
            counts.append(len(seen))
    assert counts[2:4] == counts[4:]
