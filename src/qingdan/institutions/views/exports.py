"""Lists taken along as workbooks: what the filter of the page shows, in the columns of the page."""

from __future__ import annotations

import logging

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from qingdan.accounts.access import for_roles, open_to_all, user_of
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.charting.sheets import table_xlsx
from qingdan.institutions.enums import ListColour
from qingdan.institutions.forms.applications import QueueFilter
from qingdan.institutions.forms.courses import CourseFilter
from qingdan.institutions.forms.permits import PermitFilter
from qingdan.institutions.models import Application, Course, Listing, Permit
from qingdan.places.calendar import today
from qingdan.storage.downloads import saved

log = logging.getLogger(__name__)
_READERS = (Role.INSTITUTION, *OFFICERS)
_Rows = list[tuple[object, ...]]


def _answer(request: HttpRequest, name: str, columns: tuple[str, ...], rows: _Rows) -> HttpResponse:
    log.info("institutions.exported by=%s list=%s rows=%s", getattr(request.user, "pk", None), name, len(rows))
    return saved(table_xlsx(name, columns, rows), f"{name}_{today():%Y%m%d}.xlsx")


def _day(day: object) -> str:
    return str(day) if day else ""


@for_roles(*_READERS)
@require_safe
def permits_export(request: HttpRequest) -> HttpResponse:
    """The permits of the list, those that end soonest first."""
    found = PermitFilter(request.GET).apply(Permit.objects.visible_to(user_of(request)))
    rows: _Rows = [
        (
            each.number, each.institution.name, each.premises.name if each.premises else "线上", each.get_department_display(),
            each.get_category_display(), each.get_field_display(), each.scope, _day(each.starts_on), _day(each.ends_on),
            _day(each.revoked_on), each.revocation_reason,
        )
        for each in found.select_related("institution__organisation", "premises").order_by("ends_on", "pk")
    ]  # fmt: skip
    columns = ("许可证号", "机构", "教学点", "发证部门", "类别", "领域", "许可范围", "有效期起", "有效期止", "吊销或注销日期", "理由")
    return _answer(request, "办学许可", columns, rows)


@for_roles(*OFFICERS)
@require_safe
def queue_export(request: HttpRequest) -> HttpResponse:
    """The applications of the queue, the most urgent first."""
    found = QueueFilter(request.GET).apply(Application.objects.visible_to(user_of(request))).select_related("applicant")
    rows: _Rows = [
        (
            each.applicant.name, each.get_kind_display(), each.get_category_display(), each.get_field_display(),
            each.get_department_display(), each.get_second_department_display(), each.get_state_display(), _day(each.applied_on),
            _day(each.due_on), "是" if each.due_on and each.due_on < today() else "", _day(each.decided_on), each.decision_reason,
        )
        for each in found.order_by(F("due_on").asc(nulls_last=True), "applied_on", "pk")
    ]  # fmt: skip
    columns = (
        "申请单位", "事项", "类别", "领域", "主管部门", "会签部门", "状态", "申请日期", "本步期限", "已逾期", "决定日期", "决定理由",
    )  # fmt: skip
    return _answer(request, "审批申请", columns, rows)


@for_roles(*_READERS)
@require_safe
def courses_export(request: HttpRequest) -> HttpResponse:
    """The courses of the list."""
    found = CourseFilter(request.GET).apply(Course.objects.visible_to(user_of(request)))
    rows: _Rows = [
        (
            each.institution.name, each.name, each.get_category_display(), each.get_field_display(), each.subject,
            each.get_audience_display(), each.get_mode_display(), each.class_size, each.lesson_count, each.lesson_minutes,
            each.lesson_price_fen / 100, _day(each.starts_on), _day(each.ends_on), each.get_state_display(), each.review_note,
        )
        for each in found.select_related("institution__organisation").defer("syllabus", "evidence").order_by("institution_id", "name", "pk")
    ]  # fmt: skip
    columns = (
        "机构", "课程", "类别", "领域", "学科或项目", "招生对象", "方式", "班额", "课时数", "每课时分钟", "每课时价格（元）", "开课日期",
        "结课日期", "状态", "审核意见",
    )  # fmt: skip
    return _answer(request, "培训课程", columns, rows)


@open_to_all
def lists_export(request: HttpRequest) -> HttpResponse:
    """The white and the black list, those taken off too: public as the page is."""
    found = Listing.objects.select_related("institution__organisation").order_by("-colour", "-since", "-pk")
    rows: _Rows = [
        (
            ListColour(each.colour).label, each.institution.name, each.institution.credit_code, _day(each.since), each.reason,
            _day(each.until), each.removal_reason,
        )
        for each in found
    ]  # fmt: skip
    columns = ("名单", "机构", "统一社会信用代码", "列入日期", "列入理由", "移出日期", "移出理由")
    return _answer(request, "黑白名单", columns, rows)
