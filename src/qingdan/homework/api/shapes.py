"""What the homework operations take and give. The descriptions are read by people: they stand on the page of the API."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from pydantic import BaseModel, Field

from qingdan.accounts.api.pages import Page, Paging
from qingdan.accounts.api.problems import Cite, Objection, Problem, Strict, tells
from qingdan.accounts.api.problems import Limit as LimitShape
from qingdan.accounts.models import User
from qingdan.homework.actions.register import DayTotal, Refused
from qingdan.homework.enums import DoneBy, HomeworkForm, HomeworkPlace, HomeworkStatus, HomeworkTier, MarkedBy
from qingdan.homework.models import Disclosure, Homework
from qingdan.homework.models.register import MINUTES_MAX
from qingdan.schools.models import SchoolClass, Subject

#: As many items as one request may enter: every class of a grade in three tiers.
ITEMS_MAX = 60


@tells(Refused)
def _refused(error: Refused) -> Problem:
    objections = [
        Objection(
            rule=each.rule,
            title=each.title,
            where=each.school_class.name,
            sentence=each.sentence,
            remedy=each.remedy,
            limits=[LimitShape(label=label, text=text, layer=layer) for label, text, layer in each.limits],
            cites=[Cite(clause=clause, text=text) for clause, text in each.cites],
        )
        for each in error.objections
    ]
    return Problem(code="against_the_law", message=f"没有布置：{error}", objections=objections)


class SubjectShape(BaseModel):
    """学科"""

    code: str = Field(description="代码")
    name: str = Field(description="名称")

    @classmethod
    def of(cls, subject: Subject) -> SubjectShape:
        """A subject."""
        return cls(code=subject.code, name=subject.name)


class ClassShape(BaseModel):
    """班级"""

    id: int = Field(description="班级编号")
    name: str = Field(description="班名")
    grade: int = Field(description="年级，1 至 12")
    school_id: int = Field(description="学校编号")
    school: str = Field(description="学校名称")

    @classmethod
    def of(cls, school_class: SchoolClass) -> ClassShape:
        """A class, its school read with it."""
        return cls(
            id=school_class.pk,
            name=school_class.name,
            grade=school_class.grade,
            school_id=school_class.school_id,
            school=school_class.school.name,
        )


class TaughtClass(ClassShape):
    """看得到的班"""

    subjects_taught: list[SubjectShape] = Field(default_factory=list, description="今天由本账户任教的学科；可以为它们登记作业")


class ClassPage(Page):
    """班级列表"""

    items: list[TaughtClass] = Field(description="本页的班")


class HomeworkShape(BaseModel):
    """一项作业"""

    id: int = Field(description="作业编号")
    school_class: ClassShape = Field(description="班级")
    on_date: datetime.date = Field(description="布置日期")
    subject: SubjectShape = Field(description="学科")
    teacher: str | None = Field(None, description="任课教师；只有本校人员看得到")
    tier: HomeworkTier = Field(description="层次：basic 基础，extended 拓展，personal 个性化")
    unit: str = Field(description="单元")
    content: str = Field(description="内容")
    requirements: str = Field(description="完成要求")
    intent: str = Field(description="设计意图")
    form: HomeworkForm = Field(description="类型：written 书面，oral 口头，reading 阅读，practical 实践，inquiry 探究，electronic 电子")
    done_at: HomeworkPlace = Field(description="完成地点：home 家庭，school 校内")
    homework_minutes: int = Field(description="预计时长（分钟）")
    marked_by: MarkedBy = Field(description="批改方式")
    done_by: DoneBy = Field(description="完成人")
    needs_parent: bool = Field(description="没有家长做不成")
    is_optional: bool = Field(description="选做")
    is_assigned_in_class: bool = Field(description="当堂布置")
    status: HomeworkStatus = Field(description="状态：out 已布置，held 待统筹，returned 已退回，withdrawn 已撤回")
    objections: list[dict[str, Any]] = Field(description="待统筹时，政策为什么不允许直接布置")
    settlement: str = Field(description="年级组的统筹意见")
    sent_at: datetime.datetime | None = Field(description="布置时间")

    @classmethod
    def of(cls, item: Homework, user: User) -> HomeworkShape:
        """A piece of homework as a user may see it; class, school and subject read with it."""
        is_own_school = user.organisation_id == item.school_class.school_id
        return cls(
            id=item.pk,
            school_class=ClassShape.of(item.school_class),
            subject=SubjectShape.of(item.subject),
            teacher=item.teacher.display_name if is_own_school else None,
            settlement=item.settlement if is_own_school else "",
            objections=item.objections if is_own_school else [],
            **{
                name: getattr(item, name)
                for name in (
                    *("on_date", "tier", "unit", "content", "requirements", "intent", "form", "done_at", "homework_minutes"),
                    *("marked_by", "done_by", "needs_parent", "is_optional", "is_assigned_in_class", "status", "sent_at"),
                )
            },
        )


class HomeworkPage(Page):
    """作业列表"""

    items: list[HomeworkShape] = Field(description="本页的作业")


class HomeworkFilter(Paging):
    """作业的筛选"""

    class_id: int | None = Field(None, description="班级编号")
    school_id: int | None = Field(None, description="学校编号")
    grade: int | None = Field(None, ge=1, le=12, description="年级")
    since: datetime.date | None = Field(None, alias="from", description="布置日期从这一天起")
    until: datetime.date | None = Field(None, alias="to", description="布置日期到这一天止")
    status: HomeworkStatus | None = Field(None, description="状态；教育局只看得到 out")


class NewHomework(Strict):
    """要登记的一项作业"""

    class_id: int = Field(description="班级编号，见 GET /api/classes")
    on_date: datetime.date = Field(description="布置日期，今天或以后的上学日")
    subject: str = Field(max_length=30, description="学科代码或名称，如 mathematics 或 数学")
    content: str = Field(min_length=1, max_length=500, description="内容")
    homework_minutes: int = Field(ge=0, le=MINUTES_MAX, description="预计时长（分钟）")
    tier: HomeworkTier = Field(HomeworkTier.BASIC, description="层次")
    form: HomeworkForm = Field(HomeworkForm.WRITTEN, description="类型")
    done_at: HomeworkPlace = Field(HomeworkPlace.HOME, description="完成地点")
    unit: str = Field("", max_length=60, description="单元")
    requirements: str = Field("", max_length=300, description="完成要求")
    intent: str = Field("", max_length=300, description="设计意图")
    marked_by: MarkedBy = Field(MarkedBy.TEACHER, description="批改方式")
    done_by: DoneBy = Field(DoneBy.PUPIL, description="完成人")
    needs_parent: bool = Field(False, description="没有家长做不成")
    is_optional: bool = Field(False, description="选做")
    is_assigned_in_class: bool = Field(True, description="当堂布置")


class Entry(Strict):
    """一次登记"""

    items: list[NewHomework] = Field(min_length=1, max_length=ITEMS_MAX, description="各班各层次的作业；全部办成，或全部不办")
    hold: bool = Field(False, description="true：不直接布置，交年级组统筹")


class Entered(BaseModel):
    """登记好的作业"""

    items: list[HomeworkShape] = Field(description="逐项，次序同请求")


class Change(Strict):
    """要改的地方；没写的不变"""

    homework_minutes: int | None = Field(None, ge=0, le=MINUTES_MAX, description="预计时长（分钟）")
    content: str | None = Field(None, min_length=1, max_length=500, description="内容")
    on_date: datetime.date | None = Field(None, description="改到这一天")
    done_at: HomeworkPlace | None = Field(None, description="完成地点")
    note: str = Field("", max_length=200, description="统筹意见，改别人的作业时教师会看到")


class DayTotalShape(BaseModel):
    """一个班一天的家庭书面作业总量"""

    class_id: int = Field(description="班级编号")
    class_name: str = Field(description="班名")
    on_date: datetime.date = Field(description="日期")
    minutes: int = Field(description="已布置的家庭书面作业合计（分钟）")
    limit_minutes: int | None = Field(description="当地当日的上限（分钟）；没有数值时为空")
    is_none_allowed: bool = Field(description="是否不得布置家庭书面作业")
    minutes_left: int | None = Field(description="还可以布置多少分钟；没有上限时为空")
    is_over: bool = Field(description="是否超过上限")
    limit_text: str = Field(description="上限的出处")
    cites: list[Cite] = Field(description="所依据的条款")

    @classmethod
    def of(cls, total: DayTotal) -> DayTotalShape:
        """A day's total."""
        names = ("on_date", "minutes", "limit_minutes", "is_none_allowed", "minutes_left", "is_over", "limit_text")
        return cls(
            class_id=total.school_class.pk,
            class_name=total.school_class.name,
            cites=[Cite(clause=clause, text=text) for clause, text in total.cites],
            **{name: getattr(total, name) for name in names},
        )


class DisclosureShape(BaseModel):
    """一个年级一周的公示（一版）"""

    id: int = Field(description="公示编号")
    school_id: int = Field(description="学校编号")
    school: str = Field(description="学校名称")
    grade: int = Field(description="年级")
    week_from: datetime.date = Field(description="这一周的周一")
    version: int = Field(description="版次；更正后加一，旧版保留")
    sha256: str = Field(description="指纹：前一版的指纹（没有则为空）接上内容的规范 JSON，取 SHA-256")
    correction: str = Field(description="更正说明")
    published_at: datetime.datetime = Field(description="发布时间")

    @classmethod
    def values(cls, disclosure: Disclosure) -> dict[str, Any]:
        """The values of a version."""
        names = ("school_id", "grade", "week_from", "version", "sha256", "correction", "published_at")
        return {"id": disclosure.pk, "school": disclosure.school.name, **{name: getattr(disclosure, name) for name in names}}


class DisclosureWhole(DisclosureShape):
    """公示及其内容"""

    snapshot: dict[str, Any] = Field(description="发布时的内容，一字不改")
    versions: list[DisclosureShape] = Field(description="这一周的各版，新的在前")


class DisclosurePage(Page):
    """公示列表"""

    items: list[DisclosureShape] = Field(description="本页的公示")


class DisclosureFilter(Paging):
    """公示的筛选"""

    school_id: int | None = Field(None, description="学校编号")
    grade: int | None = Field(None, ge=1, le=12, description="年级")
    since: datetime.date | None = Field(None, alias="from", description="周一不早于这一天")
    until: datetime.date | None = Field(None, alias="to", description="周一不晚于这一天")
    every_version: bool = Field(False, description="true：旧版也列出；否则每周只列最新一版")


class Publication(Strict):
    """发布一个年级的一周"""

    grade: int = Field(ge=1, le=12, description="年级")
    week_from: datetime.date = Field(description="这一周的周一")
    intent: str = Field(min_length=1, max_length=1000, description="设计意图")
    requirements: str = Field(min_length=1, max_length=1000, description="完成要求")
    correction: str = Field("", max_length=300, description="更正说明；这一周已公示过时必填")


def fresh_batches(items: list[Homework]) -> list[Homework]:
    """Give items of one subject and day a batch in common, as the form does; the same class and tier twice go into another."""
    batches: dict[tuple[int, datetime.date, int], uuid.UUID] = {}
    seen: dict[tuple[int, datetime.date, int, str], int] = {}
    for item in items:
        key = (item.subject_id, item.on_date, item.school_class_id, item.tier)
        nth = seen[key] = seen.get(key, 0) + 1
        item.batch = batches.setdefault((item.subject_id, item.on_date, nth), uuid.uuid4())
    return items
