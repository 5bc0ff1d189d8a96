"""Courses with their materials: honest ones, and some under a name that hides what is taught, read by the aid as the product reads them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qingdan.demo.calendar import at
from qingdan.demo.institutions.plan import Plant
from qingdan.demo.institutions.registry import Loaded
from qingdan.demo.institutions.staff import SUBJECTS, audience_ages
from qingdan.demo.plan import INSTITUTION, INSTITUTION_SHANGHAI, INSTITUTION_XINJIANG, seeded
from qingdan.institutions.classifying import classify_course
from qingdan.institutions.enums import CourseState, TrainingAudience, TrainingCategory, TrainingField, TrainingMode
from qingdan.institutions.models import Course, CourseFile, Permit
from qingdan.places.calendar import current_pack

_DAY = datetime.timedelta(days=1)
#: How a lesson goes: on site, and online where the law wants short ones with a rest between.
_ON_SITE, _ONLINE = (40, 10), (30, 10)
_AHEAD = 130 * _DAY
_LEVELS = ("入门", "基础", "提高")
_SYLLABUS = {
    TrainingField.ACADEMIC: "按学校进度，每周一个主题：讲一个方法，练一组题，讲评当堂完成，不留课外作业。",
    TrainingField.CULTURE: "第1—4讲 观察与基本功；第5—10讲 作品练习；第11—16讲 创作与展示。",
    TrainingField.SPORTS: "第1—4讲 热身与动作要领；第5—10讲 分组练习；第11—16讲 游戏与友谊赛。",
    TrainingField.SCIENCE: "第1—4讲 认识器材；第5—10讲 动手搭建；第11—16讲 自选项目与分享。",
    TrainingField.OTHER: "第1—4讲 规则与礼仪；第5—10讲 基本手法；第11—16讲 对局与复盘。",
}


@dataclass(frozen=True)
class Guise:
    """A course that is not what it is called (S4 六（一）3)."""

    name: str
    subject: str
    goal: str
    syllabus: str
    state: CourseState


#: For older children; those of preschool age come after.
_GUISES = (
    Guise("大语文思维素养营", "人文素养", "提升人文素养", "课文精讲、阅读理解、作文训练，同步辅导校内语文", CourseState.SUBMITTED),
    Guise("众筹私教拼班", "思维拓展", "小班拼课，思维拓展", "应用题与几何专题，每周刷题，期末复习提分", CourseState.RETURNED),
    Guise("住家教师成长陪伴", "家政服务", "家政服务上门陪读", "每晚作业辅导，讲解数学应用题和英语单词", CourseState.SUBMITTED),
    Guise("课后托管", "托管", "放学后看护", "作业辅导，口算练习，单元测验讲评", CourseState.FILED),
    Guise("探索研学冬令营", "研学", "走进自然的研学", "上午英语语法与音标，下午游览", CourseState.SUBMITTED),
    Guise("升学咨询与学业规划", "学业规划", "升学咨询", "小升初真题讲解，考点梳理，冲刺班安排", CourseState.RETURNED),
)
_PRESCHOOL_GUISES = (
    Guise("幼小衔接思维训练", "思维训练", "顺利入学", "拼音、识字、口算，提前学一年级数学", CourseState.RETURNED),
    Guise("快乐绘本馆", "人文素养", "爱上阅读", "自然拼读、少儿英语单词、识字", CourseState.SUBMITTED),
)


def write_courses(loaded: Sequence[Loaded], day: datetime.date) -> None:
    """Every teaching institution's courses with one material each."""
    pack = current_pack()
    older = preschool = 0
    for each in loaded:
        if not each.plan.teaches or not _permits(each):
            continue
        each.courses = list(_ordinary(each, day))
        if each.plan.has(Plant.DISGUISED):
            if each.plan.audience == TrainingAudience.PRESCHOOL:
                guise, preschool = _PRESCHOOL_GUISES[preschool % len(_PRESCHOOL_GUISES)], preschool + 1
            else:
                guise, older = _GUISES[older % len(_GUISES)], older + 1
            each.courses.append(_disguised(each, guise, day))
        for course in each.courses:
            if course.state != CourseState.DRAFT:
                course.evidence = classify_course(course, pack).evidence
    courses = [course for each in loaded for course in each.courses]
    Course.objects.bulk_create(courses)
    CourseFile.objects.bulk_create(_materials(courses))


def _permits(each: Loaded) -> list[Permit]:
    return [permit for permit in each.permits if permit.revoked_on is None]


def _ordinary(each: Loaded, day: datetime.date) -> Iterator[Course]:
    """Three or four; of some institutions one that waits, was returned, is a draft or has ended."""
    plan, chance = each.plan, seeded("courses", each.plan.number)
    subjects = SUBJECTS[plan.field]
    count = 3 + int(chance.random() * 2)
    for place in range(count):
        subject = subjects[(plan.number + place) % len(subjects)]
        is_online = plan.is_online and (plan.premises == 0 or place == 1)
        course = _course(
            each, f"{subject}{_LEVELS[place % len(_LEVELS)]}{'班' if place < len(_LEVELS) else '新班'}", day, is_online=is_online
        )
        course.subject, course.goal = subject, f"学会{subject}的基本方法，保持兴趣"
        yield course
    if plan.has(Plant.LONG_LESSON):
        yield _planted(each, "长课时连讲班", day, lesson_minutes=45, is_online=True)
    if plan.has(Plant.UNDER_SIX):
        yield _planted(each, "小小数学家", day, youngest_age=5, first_grade=1, last_grade=1, is_online=True)
    if plan.has(Plant.EXAM_COURSE):
        course = _planted(each, "编程等级冲刺班", day, is_exam_oriented=True, is_online=plan.is_online)
        course.syllabus = "历年真题，模拟卷，等级考试通过率保障"
        yield course
    if plan.name in (INSTITUTION, INSTITUTION_SHANGHAI, INSTITUTION_XINJIANG) or plan.number % 6 == 0:
        yield from _waiting(each, day)


def _waiting(each: Loaded, day: datetime.date) -> Iterator[Course]:
    """A draft, and in turn one that waits for the review, was returned, or is over."""
    draft = _course(each, "下学期新课（草稿）", day, is_online=each.plan.premises == 0)
    draft.state, draft.submitted_at, draft.reviewed_by, draft.reviewed_at = CourseState.DRAFT, None, None, None
    draft.starts_on = min(day + 40 * _DAY, draft.ends_on)
    yield draft
    returned = _course(each, "分级提高班", day, is_online=each.plan.premises == 0)
    returned.state, returned.review_note = CourseState.RETURNED, "进度安排只写了前四讲，请补全后重新提交"
    ended = _course(each, "开学体验班", day, is_online=each.plan.premises == 0)
    ended.state, ended.ends_on = CourseState.ENDED, max(ended.starts_on, day - 10 * _DAY)
    waiting = _course(each, "短期提高班", day, is_online=each.plan.premises == 0)
    waiting.state, waiting.starts_on = CourseState.SUBMITTED, min(day + 14 * _DAY, waiting.ends_on)
    waiting.submitted_at, waiting.reviewed_by, waiting.reviewed_at = at(day - 3 * _DAY, 15), None, None
    if each.plan.number == 1:
        yield from (returned, ended, waiting)
    else:
        yield (returned, ended, waiting)[each.plan.number // 6 % 3]


def _course(each: Loaded, name: str, day: datetime.date, *, is_online: bool) -> Course:
    plan, chance = each.plan, seeded("course", each.plan.number, name)
    permits = _permits(each)
    permit = next(permit for permit in permits if (permit.premises_id is None) == is_online)
    first, last, age = audience_ages(plan.audience)
    minutes, gap = _ONLINE if is_online else _ON_SITE
    starts = max(day - (60 + int(chance.random() * 15)) * _DAY, permit.starts_on)
    return Course(
        institution=each.institution, permit=permit, name=name, category=plan.category, field=plan.field, subject=SUBJECTS[plan.field][0],
        audience=plan.audience, first_grade=first, last_grade=last, youngest_age=age,
        mode=TrainingMode.ONLINE if is_online else TrainingMode.OFFLINE, class_size=16, lesson_count=32,
        lesson_minutes=minutes, gap_minutes=gap, lesson_price_fen=_price(each, chance.random()),
        goal="打好基础，培养兴趣", syllabus=_SYLLABUS[plan.field], starts_on=starts, ends_on=min(day + _AHEAD, permit.ends_on),
        state=CourseState.FILED, submitted_at=at(starts - 20 * _DAY, 10), reviewed_by=each.officer, reviewed_at=at(starts - 15 * _DAY, 16),
    )  # fmt: skip


def _price(each: Loaded, draw: float) -> int:
    """Of a lesson in fen: what is academic costs what the government says, the rest what the market gives."""
    is_academic = each.plan.category == TrainingCategory.ACADEMIC
    return 2_000 + 500 * int(draw * 5) if is_academic else 6_000 + 1_000 * int(draw * 8)


def _planted(each: Loaded, name: str, day: datetime.date, *, is_online: bool, **values: object) -> Course:
    course = _course(each, name, day, is_online=is_online)
    for field, value in values.items():
        setattr(course, field, value)
    return course


def _disguised(each: Loaded, guise: Guise, day: datetime.date) -> Course:
    course = _course(each, guise.name, day, is_online=each.plan.premises == 0)
    course.subject, course.goal, course.syllabus, course.state = guise.subject, guise.goal, guise.syllabus, guise.state
    course.is_collective_preschool = each.plan.audience == TrainingAudience.PRESCHOOL and "幼小衔接" in guise.name
    if guise.state == CourseState.SUBMITTED:
        course.starts_on = min(day + 10 * _DAY, course.ends_on)
        course.submitted_at, course.reviewed_by, course.reviewed_at = at(day - 4 * _DAY, 11), None, None
    elif guise.state == CourseState.RETURNED:
        course.review_note = "内容是学科知识，与非学科许可不符；请删去学科内容或改报"
    return course


def _materials(courses: Sequence[Course]) -> Iterator[CourseFile]:
    """A plan of lessons for each, as small as a PDF can be."""
    for course in courses:
        if course.state != CourseState.DRAFT:
            content = b"%PDF-1.4\n% fictional\n%%EOF\n"
            yield CourseFile(
                course=course,
                label="教学计划",
                name="教学计划.pdf",
                content_type="application/pdf",
                size_bytes=len(content),
                content=content,
            )
