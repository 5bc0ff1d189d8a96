"""The training institutions of the demonstration: all kinds and states, fictional, with just the faults that were planted."""

from __future__ import annotations

import datetime
from collections import Counter

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from qingdan.accounts.models import Organisation, User
from qingdan.demo.institutions.plan import LEAST, SPECIAL, WHOLE, Plant, institution_plans
from qingdan.demo.institutions.registry import credit_code
from qingdan.demo.institutions.staff import fictional_number
from qingdan.demo.institutions.timetable import AHEAD
from qingdan.demo.loading import Outcome, ensure_district
from qingdan.demo.plan import FOUNDER, INSTITUTION, INSTITUTION_SHANGHAI, INSTITUTION_XINJIANG, SCHOOLS, SMALL_REGIONS
from qingdan.institutions.actions.staff import matched_staff
from qingdan.institutions.actions.timetable import look_at
from qingdan.institutions.enums import (
    ApplicationKind,
    ApplicationState,
    ApprovalBasis,
    CourseState,
    InspectionState,
    InstitutionState,
    ListColour,
    RegistrationKind,
    SessionState,
    TrainingAudience,
    TrainingCategory,
    TrainingField,
)
from qingdan.institutions.history import history
from qingdan.institutions.models import (
    Activity,
    Advertisement,
    Application,
    CapitalChange,
    Course,
    Evaluation,
    Inspection,
    Institution,
    Listing,
    Owner,
    Permit,
    Pledge,
    Premises,
    Session,
    Staff,
    WeeklyPlan,
)
from qingdan.institutions.models.registry import validate_credit_code
from qingdan.judging.law import current_law
from qingdan.places.calendar import SchoolCalendar, monday_of
from tests.demo.conftest import TINY, TODAY
from tests.district import SUNDAY, signed_in

#: Rule -> who breaks it in a small district. What depends on the day of the database's clock is looked at elsewhere.
PLANTED: dict[str, set[str]] = {
    "institutions.no-capitalisation": {"宏图学科培训学校"},
    "institutions.no-foreign-cooperation": {"远帆学科培训学校"},
    "institutions.no-listed-company": {"沪星学科培训学校"},
    "institutions.no-listed-company-xinjiang": {"疆星学科培训学校"},
    "institutions.no-school-teachers": {"博雅学科辅导学校"},
    "institutions.staff-filed": {"青竹书画培训中心", "蓝鲸游泳馆"},
    "institutions.staff-published": {"青竹书画培训中心", "蓝鲸游泳馆"},
    "institutions.staff-qualification-checked": {"青竹书画培训中心", "蓝鲸游泳馆"},
    "institutions.staff-certificate": {"沪星学科培训学校"},
    "institutions.staff-certificate-xinjiang": {"疆星学科培训学校"},
    "training.no-academic-contests": {"宏图学科培训学校"},
    "institutions.truthful-ads": {"博雅学科辅导学校", "飞跃体育俱乐部"},
    "institutions.no-academic-ads": {"博雅学科辅导学校"},
    "training.no-exam-training": {"云朵编程"},
    "training.end-time": {"启明学科培训学校"},
    "training.lesson-length": {"知行网络课堂"},
    "training.online-under-six": {"知行网络课堂"},
    "training.no-holiday-academic": {"博雅学科辅导学校"},
}
KINDS = (
    "institution_application", "institution_capital", "institution_staff", "training_course", "training_session", "training_activity",
    "training_advertisement",
)  # fmt: skip


def values(model: type, name: str) -> set[str]:
    return set(model.objects.values_list(name, flat=True))  # type: ignore[attr-defined]


def test_the_whole_district_has_a_hundred_and_twenty_and_a_small_one_fewer() -> None:
    whole = institution_plans(len(SCHOOLS), len(SCHOOLS))
    assert len([plan for plan in whole if plan.region_code not in SMALL_REGIONS]) == WHOLE
    assert len({plan.name for plan in whole}) == len({plan.number for plan in whole}) == len(whole)
    assert all(plan.name.endswith("虚构）") for plan in whole)
    assert len([plan for plan in institution_plans(1, len(SCHOOLS)) if plan.region_code not in SMALL_REGIONS]) == LEAST == len(SPECIAL)
    assert {plant for plan in SPECIAL for plant in plan.plants} == set(Plant)


def test_academic_institutions_have_become_few_since_the_measures_began() -> None:
    plans = institution_plans(len(SCHOOLS), len(SCHOOLS))
    academic = [plan for plan in plans if plan.category == TrainingCategory.ACADEMIC and plan.region_code not in SMALL_REGIONS]
    before = len(academic) + len([plan for plan in plans if plan.converted_on])
    now = len([plan for plan in academic if plan.closed_on is None])
    assert now < before / 3
    assert len({plan.closed_on.replace(day=1) for plan in academic if plan.closed_on}) > 10


def test_the_register_remembers_what_closed_and_what_changed_over(district: Outcome) -> None:
    closed = Institution.objects.get(organisation__name="旭日学科培训学校（虚构）")
    (step,) = history(closed)
    assert step.at.date() == datetime.date(2021, 12, 20)
    assert ("状态", "在册", "已注销") in step.differences
    converted = Institution.objects.get(organisation__name="金桥文化培训学校（虚构）")
    (step,) = history(converted)
    assert step.at.date() == datetime.date(2022, 3, 1)
    assert ("类别", "学科类", "非学科类") in step.differences


def test_every_institution_is_fictional_and_says_so(district: Outcome) -> None:
    owners = Organisation.objects.filter(kind="institution")
    assert owners.count() > 20
    assert all(owner.is_fictional and owner.name.endswith("虚构）") for owner in owners)
    assert {code[:2] for code in owners.values_list("region_code", flat=True)} == {"99"}
    for code in Institution.objects.values_list("credit_code", flat=True):
        validate_credit_code(code)
    assert all(name.startswith(("示例", "示范")) for name in Staff.objects.values_list("name", flat=True))


def test_all_kinds_and_states_are_there(district: Outcome) -> None:
    assert values(Institution, "field") == set(TrainingField.values)
    assert values(Institution, "category") == set(TrainingCategory.values)
    assert values(Institution, "state") == set(InstitutionState.values)
    assert values(Institution, "registration") == set(RegistrationKind.values)
    assert values(Institution, "approval_basis") == set(ApprovalBasis.values)
    assert values(Institution, "audience") >= {TrainingAudience.PRESCHOOL, TrainingAudience.COMPULSORY, TrainingAudience.SENIOR}
    assert values(Institution, "department") == {"education", "culture", "sports", "science"}
    assert values(Application, "kind") == set(ApplicationKind.values)
    assert values(Application, "state") == set(ApplicationState.values)
    assert values(Course, "state") == set(CourseState.values)
    assert values(Session, "state") == set(SessionState.values)
    assert values(Inspection, "state") == set(InspectionState.values)
    assert values(Listing, "colour") == set(ListColour.values)
    for model in (Activity, Advertisement, CapitalChange, Evaluation, Pledge):
        assert model.objects.exists(), model.__name__
    assert Premises.objects.filter(closed_on__lt=TODAY, institution__state="active").exists()
    assert Permit.objects.expiring(TODAY, 90).exists()
    assert Permit.objects.filter(ends_on__lt=TODAY, revoked_on=None, institution__state="active").exists()
    assert Permit.objects.filter(revoked_on__lte=TODAY, institution__state="suspended").exists()
    assert Owner.objects.filter(is_listed=True).exists()
    assert Owner.objects.filter(is_foreign=True).exists()
    assert Owner.objects.filter(is_by_agreement=True).exists()


def test_records_hold_together(district: Outcome) -> None:
    """What bulk writing does not check: each record as its own form would take it."""
    for model in (Institution, Premises, Permit, Owner, CapitalChange, Staff, Course, WeeklyPlan, Inspection, Application):
        for record in model.objects.all()[:80]:
            record.full_clean(validate_constraints=model not in (Permit,))
    shares: Counter[int] = Counter()
    for owner in Owner.objects.filter(until=None):
        shares[owner.institution_id] += owner.share_percent
    assert set(shares.values()) == {100}


def test_lessons_fill_two_months_around_today(district: Outcome) -> None:
    days = set(Session.objects.values_list("on_date", flat=True))
    assert min(days) < TODAY - datetime.timedelta(days=25)
    assert max(days) > TODAY + datetime.timedelta(days=25)
    assert Session.objects.count() > 1_000
    outside = [
        each for each in Session.objects.select_related("course") if not each.course.starts_on <= each.on_date <= each.course.ends_on
    ]
    assert outside == []


def test_the_audit_finds_what_was_planted_and_nothing_else(district: Outcome) -> None:
    found: dict[str, set[str]] = {}
    many: Counter[str] = Counter()
    for kind in KINDS:
        for judged in current_law().judge_all(kind):
            for finding in judged.breaches:
                found.setdefault(finding.rule.id, set()).add(str(judged.row["institution"]).removesuffix("（虚构）"))
                many[finding.rule.id] += 1
    # A course that waits for its review is no filed one: that is how the law counts.
    waiting = set(Course.objects.filter(state=CourseState.SUBMITTED).values_list("institution__organisation__name", flat=True))
    assert found.pop("training.course-filed", set()) <= {name.removesuffix("（虚构）") for name in waiting}
    assert found == PLANTED
    assert max(many.values()) <= 10


@pytest.mark.django_db
def test_the_register_breaks_only_what_was_planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A register is judged as of the day that the views take for today, so this district is loaded for it."""
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: SUNDAY)
    ensure_district(scale=TINY)
    found: dict[str, set[str]] = {}
    for judged in current_law().judge_all("institution"):
        for finding in judged.breaches:
            found.setdefault(finding.rule.id, set()).add(str(judged.row["institution"]).removesuffix("（虚构）"))
    assert found == {
        "institutions.non-profit": {"宏图学科培训学校"},
        "institutions.licensed": {"春笋舞蹈培训中心", "疾风篮球训练营", "青竹书画培训中心"},
        "institutions.real-name": {"松涛棋院"},
        # The second has no licence and was left out last year; this year's inspection, which it has not passed, does not count.
        "institutions.annual-inspection": {"松涛棋院", "疾风篮球训练营"},
    }


def test_disguised_courses_carry_the_words_that_give_them_away(district: Outcome) -> None:
    disguised = Course.objects.get(name="大语文思维素养营")
    means = {each["means"] for each in disguised.evidence}
    assert {"guise", "academic"} <= means
    assert all(each["cites"] for each in disguised.evidence)
    returned = Course.objects.filter(institution__audience=TrainingAudience.PRESCHOOL, state=CourseState.RETURNED).get()
    assert returned.is_collective_preschool
    assert returned.review_note


def test_a_serving_teacher_is_recognised_and_the_demo_teachers_number_is_known(district: Outcome) -> None:
    bureau = User.objects.get(username="demo-bureau")
    (matched,) = matched_staff(bureau)
    assert matched.institution.name == "博雅学科辅导学校（虚构）"
    assert User.objects.get(username="demo-teacher").identity.masked_identity[:3] == fictional_number(0)[:3]
    assert fictional_number(0) == "110101190001011009"


@pytest.mark.parametrize(
    ("name", "is_refused"), [(INSTITUTION_SHANGHAI, True), (INSTITUTION_XINJIANG, False)], ids=["shanghai", "xinjiang"]
)
def test_an_online_class_until_half_past_nine_is_refused_in_one_region_and_allowed_in_the_other(
    district: Outcome, name: str, is_refused: bool
) -> None:
    institution = Institution.objects.get(organisation__name=name)
    course = Course.objects.filter(institution=institution, mode="online", state=CourseState.FILED)[0]
    assert course.permit is not None
    teacher = Staff.objects.filter(institution=institution, role="teaching")[0]
    day = SchoolCalendar(institution.organisation.layer_code).next_school_day(TODAY)
    assert day is not None
    late = Session(institution=institution, course=course, on_date=day, starts_at=20 * 60 + 20, ends_at=21 * 60 + 30, teacher=teacher)
    (outlook,) = look_at([late])
    assert outlook.is_refused == is_refused
    assert all(reason.cites for reason in outlook.reasons)


@pytest.mark.parametrize("username", ["demo-institution-sh", "demo-institution-xj"])
def test_a_new_academic_permit_is_refused_at_once_with_its_clause(district: Outcome, username: str) -> None:
    client = signed_in(User.objects.get(username=username))
    form = {
        "category": "academic", "field": "academic", "audience": "compulsory", "credit_code": credit_code(999, "non_profit"),
        "legal_person": "示例负责人", "registration": "non_profit", "premises_name": "新校", "premises_address": "示例路9号",
        "area_m2": 200,
        "contact": "示例联系人", "phone": "000-0000000",
    }  # fmt: skip
    assert client.post(reverse("institutions:application_apply", args=["new"]), form).status_code == 302
    application = Application.objects.get(applicant__users__username=username)
    paper = SimpleUploadedFile("章程.pdf", b"%PDF-1.4 fictional")
    client.post(reverse("institutions:application_file_add", args=[application.pk]), {"label": "章程", "files": paper})
    page = client.post(reverse("institutions:application_submit", args=[application.pk]), follow=True)
    application.refresh_from_db()
    assert application.state == ApplicationState.REFUSED
    assert application.objections[0]["cites"][0]["text"] in page.content.decode()


def test_the_founder_has_no_registry_entry_and_the_demo_institution_all_that_one_has(district: Outcome) -> None:
    assert not Institution.objects.filter(organisation__name=FOUNDER).exists()
    own = Institution.objects.get(organisation__name=INSTITUTION)
    assert own.permits.in_force(TODAY).exists()
    assert own.premises.filter(closed_on__lt=TODAY).exists()
    assert own.sessions.filter(on_date__gte=TODAY).exists()
    assert values(Course, "state") == set(own.courses.values_list("state", flat=True))
    assert Staff.objects.filter(institution=own, certificate_number="", role="teaching").exists()


@pytest.mark.parametrize(
    ("username", "urls"),
    [
        ("demo-founder", ["institutions:applications"]),
        ("demo-institution", ["institutions:timetable", "institutions:courses", "institutions:staff", "institutions:applications"]),
        ("demo-institution-sh", ["institutions:timetable", "institutions:applications"]),
        ("demo-culture", ["institutions:registry", "institutions:queue"]),
        ("demo-bureau-xj", ["institutions:registry", "institutions:queue"]),
        ("demo-bureau", ["institutions:registry", "institutions:queue", "institutions:courses"]),
    ],
)
def test_the_accounts_find_their_pages(district: Outcome, username: str, urls: list[str]) -> None:
    client = signed_in(User.objects.get(username=username))
    for url in urls:
        assert client.get(reverse(url)).status_code == 200, url


def test_each_department_sees_its_own_institutions_only(district: Outcome) -> None:
    seen = {
        name: set(Institution.objects.visible_to(User.objects.get(username=name)).values_list("department", "region__code"))
        for name in ("demo-culture", "demo-sports", "demo-science", "demo-bureau-sh")
    }
    assert seen["demo-culture"] == {("culture", "990101")}
    assert seen["demo-sports"] == {("sports", "990101")}
    assert seen["demo-science"] == {("science", "990101")}
    assert {code for _, code in seen["demo-bureau-sh"]} == {"990201"}


def test_applications_lie_back_in_time_and_some_are_overdue(district: Outcome) -> None:
    open_ones = Application.objects.open()
    assert open_ones.filter(due_on__lt=TODAY).exists()
    assert open_ones.filter(due_on__gte=TODAY).exists()
    for application in Application.objects.exclude(state=ApplicationState.DRAFT):
        moments = [event.at for event in application.events.order_by("pk")]
        assert moments == sorted(moments)
        assert application.applied_on is not None
    approved = Application.objects.get(kind=ApplicationKind.NEW, state=ApplicationState.APPROVED)
    assert approved.permit is not None
    assert approved.permit.is_in_force(TODAY)


def counted() -> list[int]:
    return [model.objects.count() for model in (Organisation, Institution, Session, Course, Staff, Application, Inspection, Advertisement)]


def test_a_second_start_adds_no_institution(district: Outcome) -> None:
    before = counted()
    assert ensure_district().act == "unchanged"
    assert counted() == before


def test_a_later_start_goes_on_with_the_timetable_and_with_nothing_else(district: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    before, sessions = Institution.objects.count(), Session.objects.count()
    later = TODAY + datetime.timedelta(weeks=1)
    own = Institution.objects.get(organisation__name=INSTITUTION)
    ended = WeeklyPlan.objects.filter(course__institution=own).exclude(sessions__on_date__gt=later + AHEAD).order_by("-last_day", "pk")[0]
    ended.sessions.filter(on_date__gte=TODAY).update(state=SessionState.CANCELLED)
    standing = ended.sessions.count()
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: later)
    assert ensure_district().act == "topped_up"
    assert Institution.objects.count() == before
    assert Session.objects.count() > sessions
    horizon = monday_of(later) + AHEAD - datetime.timedelta(days=1)
    assert max(Session.objects.values_list("on_date", flat=True)) <= horizon
    assert Session.objects.filter(on_date__gt=horizon - datetime.timedelta(weeks=1)).exists()
    # A plan that its institution has ended does not come back.
    assert ended.sessions.count() == standing
    assert {finding.rule.id for judged in current_law().judge_all("training_session") for finding in judged.breaches} <= set(PLANTED)
    assert ensure_district().act == "unchanged"
