"""Schools and classes: who sees what, and who comes and goes."""

from __future__ import annotations

import datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.schools.models import GradeLead, Pupil, SchoolClass, SubjectLead, TeachingAssignment
from tests.district import FRIDAY, MONDAY, District, make_class, make_pupil, make_school, signed_in, subject

DAY_BEFORE_FRIDAY = FRIDAY - datetime.timedelta(days=1)


@pytest.fixture
def leader(district: District) -> Client:
    """The leader's browser."""
    return signed_in(district.first.leader)


def do(client: Client, name: str, /, *args: int, **data: object) -> str:
    """Press a button; what the page says then."""
    return client.post(reverse(f"schools:{name}", args=args), data, follow=True).content.decode()


def test_the_bureau_finds_schools_by_name_pinyin_and_kind(district: District) -> None:
    client = signed_in(district.bureau)
    for text in ("甲小", "jia xiao", "jxx"):
        page = client.get(reverse("schools:list"), {"q": text}).content.decode()
        assert "甲小学" in page
        assert "乙小学" not in page
    assert "没有符合条件的学校" in client.get(reverse("schools:list"), {"kind": "junior"}).content.decode()
    page = client.get(reverse("schools:list"), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in page
    assert "乙小学" in page


def test_names_of_pupils_are_for_the_leader_and_the_class_teacher(district: District) -> None:
    school = district.first
    address, name = reverse("schools:class", args=[school.class_32.pk]), school.pupils[0].name
    for user, sees in ((school.leader, True), (school.teacher, True), (school.other_teacher, False), (district.bureau, False)):
        page = signed_in(user).get(address).content.decode()
        assert (name in page) == sees, user
        assert "学生 6 人" in page


def test_a_pupil_changes_class_in_mid_term_and_back(district: District, leader: Client) -> None:
    school = district.first
    pupil = school.pupils[0]
    page = do(leader, "transfer", school.class_32.pk, pupil.pk, to=school.class_31.pk, from_day=FRIDAY.isoformat())
    assert "起转到三（1）班" in page
    old, new = pupil.enrolments.order_by("starts_on")
    assert (old.school_class, old.ends_on) == (school.class_32, DAY_BEFORE_FRIDAY)
    assert (new.school_class, new.starts_on) == (school.class_31, FRIDAY)
    assert "已撤销" in do(leader, "undo")
    assert [each.school_class for each in pupil.enrolments.all()] == [school.class_32]
    assert pupil.enrolments.get().ends_on is None


@pytest.mark.parametrize(
    ("room", "day", "words"),
    [
        ("class_32", MONDAY.isoformat(), "已经在三（2）班"),
        ("class_31", "2028-01-01", "转班日期要在"),
        ("class_31", "昨天", "日期请写成"),
        ("class_31", "", "请填写从哪天起"),
    ],
)
def test_an_impossible_transfer_is_refused(district: District, leader: Client, room: str, day: str, words: str) -> None:
    school = district.first
    assert words in do(leader, "transfer", school.class_32.pk, school.pupils[0].pk, to=getattr(school, room).pk, from_day=day)
    assert school.pupils[0].enrolments.count() == 1


def test_a_class_of_another_school_cannot_be_chosen(district: District, leader: Client) -> None:
    school = district.first
    page = do(leader, "transfer", school.class_32.pk, school.pupils[0].pk, to=district.second.class_31.pk, from_day=MONDAY.isoformat())
    assert "请从列表里选择" in page


def test_a_pupil_leaves_and_is_taken_back(district: District, leader: Client) -> None:
    school = district.first
    assert "离校" in do(leader, "leave", school.class_32.pk, school.pupils[0].pk, last_day=FRIDAY.isoformat())
    assert school.pupils[0].enrolments.get().ends_on == FRIDAY
    do(leader, "undo")
    assert school.pupils[0].enrolments.get().ends_on is None


def test_a_pupil_is_added_by_hand_and_a_known_number_is_refused(district: District, leader: Client) -> None:
    school = district.first
    data = {"number": "H-1", "name": "手工生", "from_day": MONDAY.isoformat()}
    assert "已在三（1）班添加一名学生" in do(leader, "add_pupil", school.class_31.pk, **data)
    assert "学号 H-1 已属于手工生" in do(leader, "add_pupil", school.class_31.pk, **data)
    assert Pupil.objects.filter(number="H-1").count() == 1
    added = Pupil.objects.get(number="H-1").pk
    do(leader, "correct_pupil", school.class_31.pk, added, number="H-2", name="更正后")
    assert Pupil.objects.get(number="H-2").name == "更正后"
    taken = school.pupils[0].number
    assert "本校已有学生用这个学号" in do(leader, "correct_pupil", school.class_31.pk, added, number=taken, name="x")


def test_duties_are_given_and_taken(district: District, leader: Client) -> None:
    school = district.first
    assert "已设置年级组长" in do(leader, "add_grade_lead", year=2026, grade=2, user=school.teacher.pk)
    assert "这位教师已是这个年级的组长" in do(leader, "add_grade_lead", year=2026, grade=2, user=school.teacher.pk)
    assert "请先请教育局填写校历" in do(leader, "add_grade_lead", year=2040, grade=2, user=school.teacher.pk)
    do(leader, "remove_grade_lead", GradeLead.objects.get(grade=2, school=school.school).pk)
    assert not GradeLead.objects.filter(grade=2).exists()
    do(leader, "undo")
    assert GradeLead.objects.filter(grade=2, user=school.teacher).exists()
    do(leader, "add_subject_lead", subject=subject("语文").pk, user=school.other_teacher.pk)
    assert "已是这门学科的教研组长" in do(leader, "add_subject_lead", subject=subject("语文").pk, user=school.other_teacher.pk)
    do(leader, "remove_subject_lead", SubjectLead.objects.get(subject__name="语文").pk)
    assert not SubjectLead.objects.filter(subject__name="语文").exists()
    assert "请从列表里选择" in do(leader, "add_subject_lead", subject=subject("语文").pk, user=district.second.teacher.pk)


def test_assignments_and_class_teachers_are_set_by_hand(district: District, leader: Client) -> None:
    school = district.first
    data = {"subject": subject("科学").pk, "teacher": school.other_teacher.pk, "from_day": MONDAY.isoformat()}
    assert "已安排三（1）班的任课" in do(leader, "assign", school.class_31.pk, **data)
    assert "已有同期的任课" in do(leader, "assign", school.class_31.pk, **data)
    assignment = TeachingAssignment.objects.get(subject__name="科学")
    do(leader, "end_assignment", assignment.pk)
    assignment.refresh_from_db()
    assert assignment.ends_on == MONDAY
    do(leader, "set_teacher", school.class_31.pk, teacher=school.other_teacher.pk)
    assert SchoolClass.objects.get(pk=school.class_31.pk).class_teacher == school.other_teacher
    do(leader, "set_teacher", school.class_31.pk, teacher="")
    assert SchoolClass.objects.get(pk=school.class_31.pk).class_teacher is None


def test_a_class_is_made_by_hand_and_the_undo_takes_it_away(district: District, leader: Client) -> None:
    assert "已新建班级" in do(leader, "add_class", year=2026, grade=5, number=1)
    assert "本学年这个年级已有同号的班" in do(leader, "add_class", year=2026, grade=5, number=1)
    assert do(leader, "undo")
    assert not SchoolClass.objects.filter(grade=5).exists()
    assert "没有可以撤销的操作" in do(leader, "undo")


def test_an_undo_does_not_take_away_what_something_hangs_on(district: District, leader: Client) -> None:
    do(leader, "add_class", year=2026, grade=5, number=1)
    make_pupil(SchoolClass.objects.get(grade=5))
    assert "不能撤销：班级“五（1）班”后来有了在班" in do(leader, "undo")
    assert SchoolClass.objects.filter(grade=5).exists()


def test_an_undo_returns_only_to_this_site(district: District, leader: Client) -> None:
    answer = leader.post(reverse("schools:undo"), {"next": "https://example.invalid/"})
    assert answer["Location"] == reverse("schools:school", args=[district.first.school.pk])
    answer = leader.post(reverse("schools:undo"), {"next": "//example.invalid/"})
    assert answer["Location"] == reverse("schools:school", args=[district.first.school.pk])


def cost(user: User, address: str) -> int:
    """How many queries a page takes for somebody who has been there before."""
    client = signed_in(user)
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_pages_ask_as_much_for_many_rows_as_for_few(district: District) -> None:
    school = district.first
    pages = [
        (district.bureau, reverse("schools:list")),
        (school.leader, reverse("schools:school", args=[school.school.pk])),
        (school.leader, reverse("schools:class", args=[school.class_32.pk])),
        (school.leader, reverse("schools:pupil", args=[school.class_32.pk, school.pupils[0].pk])),
        (school.leader, reverse("schools:codes")),
        (school.leader, reverse("schools:class_codes", args=[school.class_32.pk])),
    ]
    few = [cost(*page) for page in pages]
    make_school(district.region, "丙小学", "demo-school", prefix="third_")
    for number in range(3, 9):
        made = make_class(school.school, 3, number, class_teacher=school.other_teacher)
        TeachingAssignment.objects.create(teacher=school.other_teacher, school_class=made, subject=subject("语文"), starts_on=MONDAY)
        GradeLead.objects.create(school=school.school, school_year=school.year, grade=number - 2, user=school.other_teacher)
        make_pupil(made)
        make_pupil(school.class_32)
    assert [cost(*page) for page in pages] == few
    assert max(few) <= 24
