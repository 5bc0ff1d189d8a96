"""The home pages of institutions and of those who oversee them: what there is to do, by when, and where."""

from __future__ import annotations

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.enums import OrganisationKind, Role
from qingdan.accounts.models import Organisation, User
from qingdan.institutions.desks import EXPIRY_AHEAD_DAYS
from qingdan.institutions.enums import ApplicationState
from qingdan.institutions.models import Application, Inspection, InspectionCampaign, Institution
from qingdan.institutions.routing import FIRST_WORKING_DAYS
from tests.district import MONDAY, District, make_user, signed_in
from tests.institutions.applying import make_applicant, make_application, make_department
from tests.institutions.finding import make_finding
from tests.institutions.making import make_course, make_institution, make_permit, make_premises, make_staff
from tests.institutions.timetabling import make_school

DAY = datetime.timedelta(days=1)


def home(user: User) -> str:
    """The home page of somebody."""
    return signed_in(user).get(reverse("home")).content.decode()


def waiting(district: District, department: str, due_on: datetime.date, **values: object) -> Application:
    """An application that waits for a department's officer."""
    made = make_application(make_applicant(district.region, f"{department}{due_on}申请者"), papers=False)
    given = {"state": ApplicationState.TO_DECIDE, "department": department, "due_on": due_on, "applied_on": MONDAY - 30 * DAY}
    Application.objects.filter(pk=made.pk).update(**(given | values))
    return made


def test_an_institution_sees_its_day(district: District) -> None:
    school = make_school(district.region, district.bureau)
    school.session(MONDAY).save()
    school.session(MONDAY + DAY).save()
    teacher = make_staff(school.institution, "赵三")
    finding = make_finding(school.institution.organisation, row_id=teacher.pk)
    make_finding(school.institution.organisation, status="corrected", sentence="已经答复的问题")
    make_course(school.institution, school.permit, "被退课程", state="returned", review_note="请写明每讲内容")
    make_permit(school.institution, None, district.bureau, number="教民快到期", ends_on=MONDAY + 20 * DAY)
    draft = make_application(school.clerk, "renewal", papers=False, details={})
    campaign = InspectionCampaign.objects.create(
        bureau=district.bureau.employer, title="2026 年度检查", year=2026, report_until=MONDAY - DAY, created_by=district.bureau
    )
    Inspection.objects.create(campaign=campaign, institution=school.institution)
    page = home(school.clerk)
    for said in (
        "今天的课 <small>1 次</small>", "18:30–20:00", finding.sentence, finding.remedy, "请写明每讲内容", "教民快到期", "还有 20 天",
        "还是草稿：传齐材料后提交", "2026 年度检查", "已过期",
    ):  # fmt: skip
        assert said in page, said
    for address in (
        reverse("institutions:staff_member", args=[teacher.pk]), reverse("findings:finding", args=[finding.pk]),
        reverse("institutions:application", args=[draft.pk]), reverse("institutions:application_apply", args=["renewal"]),
    ):  # fmt: skip
        assert f'href="{address}"' in page, address
        assert signed_in(school.clerk).get(address).status_code == 200, address
    assert "已经答复的问题" not in page


def test_findings_of_one_rule_say_once_how_to_correct(district: District) -> None:
    school = make_school(district.region, district.bureau)
    made = [make_finding(school.institution.organisation, sentence=f"人员问题第{number}个") for number in range(5)]
    make_finding(school.institution.organisation, "training.course-filed", sentence="课程问题")
    page = home(school.clerk).partition("要改的问题")[2]
    assert page.count(made[0].remedy) == 1
    assert page.count("人员问题第") == 3
    assert page.index("人员问题第") < page.index("课程问题")
    address = f"{reverse('findings:list')}?status=open&amp;rule={made[0].rule_id}"
    assert address in page
    listed = signed_in(school.clerk).get(address.replace("&amp;", "&")).content.decode()
    assert listed.count("人员问题第") == 5
    assert "课程问题" not in listed


def test_an_institution_with_nothing_to_do_is_told_where_to_go_on(district: District, operator: User) -> None:
    page = home(operator)
    for said in ("都办完了", "今天没有排课", "没有等您答复的问题", "没有在办的申请"):
        assert said in page, said
    assert reverse("institutions:timetable_new") in page


def test_who_has_no_permit_yet_sees_how_to_apply(district: District) -> None:
    founder = make_applicant(district.region)
    page = home(founder)
    assert "怎样办成一家培训机构" in page
    assert reverse("institutions:application_new") in page
    assert "今天的课" not in page
    application = make_application(founder)
    Application.objects.filter(pk=application.pk).update(state="on_notice", notice_from=MONDAY, notice_until=MONDAY + 4 * DAY)
    assert "正在公示，期满后作决定，公示到 2026-11-20" in home(founder)


def test_a_bureau_sees_the_queue_by_department_and_deadline(district: District) -> None:
    waiting(district, "education", MONDAY + 3 * DAY)
    late = waiting(district, "culture", MONDAY - DAY)
    waiting(district, "culture", MONDAY + 30 * DAY)
    waiting(district, "culture", MONDAY + 2 * DAY, state=ApplicationState.INCOMPLETE)
    page = home(district.bureau)
    rows = page.partition("审批：部门与期限")[2].partition("最急的")[0]
    assert rows.index("文化和旅游部门") < rows.index("教育部门")
    assert "<td>1</td><td>1</td><td>3</td>" in rows  # culture: due this week, waiting for the applicant, in all
    address = reverse("institutions:queue") + "?department=culture&amp;due=late"
    assert address in rows
    listed = signed_in(district.bureau).get(address.replace("&amp;", "&")).content.decode()
    assert late.applicant.name in listed
    assert listed.count('data-label="申请单位"') == 1
    urgent = page.partition("最急的")[2].partition("问题分布")[0]
    assert urgent.index(late.applicant.name) < urgent.index("education")
    assert "等补正" not in urgent
    assert f"culture{MONDAY + 2 * DAY}" not in urgent  # waits for the applicant


def test_registry_figures_and_permits_that_end_soon(district: District) -> None:
    with_permit, without = make_institution(district.region, "有证中心"), make_institution(district.region, "无证中心")
    make_permit(with_permit, None, district.bureau, ends_on=MONDAY + EXPIRY_AHEAD_DAYS * DAY)
    far = make_institution(district.region, "还早中心")
    make_permit(far, None, district.bureau, ends_on=MONDAY + (EXPIRY_AHEAD_DAYS + 1) * DAY)
    academic = make_institution(district.region, "整顿学科中心", category="academic", field="academic", department="education")
    Institution.objects.filter(pk=academic.pk).update(state="suspended", state_reason="整改")
    make_course(with_permit, None, "待审课程", state="submitted", submitted_at=timezone.now() - 4 * DAY)
    page = home(district.bureau)
    soon = page.partition("天内到期的许可")[2].partition("日常监管")[0]
    assert "有证中心" in soon
    assert "还有 90 天" in soon
    assert "还早中心" not in soon
    assert "最早的一门已等 4 天" in page
    figures = page.partition("doors-figures")[2].partition("</dl>")[0]
    # Academic and going on: none, the only one is suspended.
    for address, count in (("state=active", 3), ("category=academic", 0), ("expiring=0", 1), ("state=suspended", 1)):
        assert f'{address}">{count}</a>' in figures, address
    listed = signed_in(district.bureau).get(reverse("institutions:registry"), {"state": "active", "expiring": "0"}).content.decode()
    assert without.name in listed
    assert with_permit.name not in listed


def test_a_renewal_fits_into_the_days_ahead() -> None:
    working_days = sum(FIRST_WORKING_DAYS.values())
    assert working_days / 5 * 7 <= EXPIRY_AHEAD_DAYS


def test_the_map_leads_to_the_findings_it_counts(district: District) -> None:
    arts, sports = make_institution(district.region, "艺术甲"), make_institution(district.region, "体育乙", field="sports")
    for number in range(3):
        make_finding(arts.organisation, sentence=f"艺术人员问题{number}")
    make_finding(arts.organisation, "training.course-filed", sentence="艺术课程问题")
    make_finding(sports.organisation, sentence="体育人员问题", status="settled", decided_at=timezone.now())
    page = home(district.bureau)
    table = page.partition("doors-map")[2].partition("</table>")[0]
    assert "待处理 4 个" in page
    address = reverse("findings:list") + "?field=culture&amp;kind=institution_staff"
    assert f'href="{address}"><b>3</b> <small>3</small>' in table
    listed = signed_in(district.bureau).get(address.replace("&amp;", "&")).content.decode()
    assert listed.count("艺术人员问题") == 3
    assert "艺术课程问题" not in listed
    # Where nothing is pending any more, all of them are shown.
    settled = reverse("findings:list") + "?field=sports&amp;kind=institution_staff&amp;status=all"
    assert settled in table
    assert "体育人员问题" in signed_in(district.bureau).get(settled.replace("&amp;", "&")).content.decode()


def test_the_field_counts_in_the_tabs_of_the_list_and_nonsense_does_not(district: District) -> None:
    arts, sports = make_institution(district.region), make_institution(district.region, field="sports")
    make_finding(arts.organisation)
    make_finding(sports.organisation)
    client = signed_in(district.bureau)
    assert '待处理 <span class="qd-tab-count">1</span>' in client.get(reverse("findings:list"), {"field": "sports"}).content.decode()
    nonsense = client.get(reverse("findings:list"), {"field": "flying"}).content.decode()
    assert "这一项没有用来筛选" in nonsense
    assert '待处理 <span class="qd-tab-count">2</span>' in nonsense


def test_a_department_sees_its_own_institutions_only(district: District) -> None:
    officer = make_department(district.region, "culture")
    own = make_institution(district.region, "文化机构")
    other = make_institution(district.region, "体育机构", field="sports", department="sports")
    for each in (own, other):
        make_permit(each, None, district.bureau, ends_on=MONDAY + 9 * DAY)
    mine, theirs = make_finding(own.organisation, sentence="文化问题"), make_finding(other.organisation, sentence="体育问题")
    waiting(district, "culture", MONDAY - DAY)
    waiting(district, "sports", MONDAY - DAY)
    page = home(officer)
    for said in ("文化和旅游部门", "文化机构", "待处理 1 个"):
        assert said in page, said
    for hidden in ("体育机构", "sports"):
        assert hidden not in page, hidden
    client = signed_in(officer)
    listed = client.get(reverse("findings:list")).content.decode()
    assert "文化问题" in listed
    assert "体育问题" not in listed
    assert client.get(reverse("findings:finding", args=[mine.pk])).status_code == 200
    assert client.get(reverse("findings:finding", args=[theirs.pk])).status_code == 404
    assert client.get(reverse("findings:export_xlsx")).status_code == 200


def test_a_department_reads_findings_and_decides_none(district: District) -> None:
    officer = make_department(district.region, "culture")
    finding = make_finding(make_institution(district.region).organisation, status="corrected")
    client = signed_in(officer)
    page = client.get(reverse("findings:finding", args=[finding.pk])).content.decode()
    assert "机构答复，教育局办结" in page
    assert "<textarea" not in page
    assert 'id="many-reason"' not in client.get(reverse("findings:list"), {"status": "corrected"}).content.decode()
    for name, arguments in (("answer", [finding.pk]), ("decide", [finding.pk]), ("act_many", [])):
        assert client.post(reverse(f"findings:{name}", args=arguments), {"act": "confirm"}).status_code == 404
    finding.refresh_from_db()
    assert finding.status == "corrected"


def test_another_regions_bureau_sees_nothing_of_it(district: District) -> None:
    institution = make_institution(district.region, "本区机构")
    make_permit(institution, None, district.bureau, ends_on=MONDAY + 9 * DAY)
    make_finding(institution.organisation)
    office = Organisation.objects.create(name="邻区教育局", kind=OrganisationKind.BUREAU, layer_code="demo-district", region_code="990102")
    page = home(make_user("neighbour", Role.BUREAU, office))
    assert "本区机构" not in page
    assert "体检还没有发现机构的问题" in page


@pytest.mark.parametrize("who", ["bureau", "clerk", "department"])
def test_as_many_queries_for_few_as_for_many(district: District, who: str) -> None:
    school = make_school(district.region, district.bureau)
    user = {"bureau": district.bureau, "clerk": school.clerk}.get(who) or make_department(district.region, "culture")

    def fill(number: int) -> None:
        for at in range(number):
            made = make_institution(district.region)
            make_permit(made, None, district.bureau, ends_on=MONDAY + (5 + at) * DAY)
            make_permit(
                school.institution, make_premises(school.institution, f"点{number}-{at}"), district.bureau, ends_on=MONDAY + 9 * DAY
            )
            make_finding(made.organisation)
            make_finding(school.institution.organisation, "training.course-filed")
            make_course(school.institution, None, f"课{number}-{at}", state="returned", review_note="改")
            waiting(district, "culture", MONDAY + (number * 20 + at) * DAY)
            school.session(MONDAY, starts_at=500 + 20 * (number * 10 + at), ends_at=510 + 20 * (number * 10 + at)).save()

    counts = []
    for number in (1, 4):
        fill(number)
        client = signed_in(user)
        client.get(reverse("home"))
        with CaptureQueriesContext(connection) as seen:
            assert client.get(reverse("home")).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 34


def test_every_part_of_an_institution_is_one_click_away(district: District) -> None:
    school = make_school(district.region, district.bureau)
    make_school(district.region, district.bureau, prefix="另一")
    make_finding(school.institution.organisation, sentence="本机构的问题")
    addresses: list[str] = []
    for user in (district.bureau, school.clerk):
        client = signed_in(user)
        page = client.get(reverse("institutions:institution", args=[school.institution.pk])).content.decode()
        parts = page.partition("institutions-parts")[2].partition("</nav>")[0]
        addresses = [each.partition('"')[0].replace("&amp;", "&") for each in parts.split('href="')[1:]]
        assert len(addresses) >= 5
        for address in addresses:
            assert client.get(address).status_code == 200, address
    staff = next(each for each in addresses if each.startswith(reverse("institutions:staff")))
    assert "王一" in signed_in(school.clerk).get(staff).content.decode()
