"""The standing cast: two schools, a bureau and an institution, each with one user, and workbooks like those they send."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook

from qingdan.accounts.enums import FIRST_ROLE, OrganisationKind
from qingdan.accounts.models import Organisation, User
from qingdan.uploads.actions import judge_upload, submit_upload
from qingdan.uploads.models import Upload

PASSWORD = "a-long-test-password"


@dataclass
class Cast:
    """Everybody who appears in the tests."""

    school: User
    other_school: User
    bureau: User
    institution: User


def make_user(username: str, organisation: str, kind: OrganisationKind, layer_code: str) -> User:
    """A user with an organisation of their own."""
    owner = Organisation.objects.create(name=organisation, kind=kind, layer_code=layer_code)
    return User.objects.create_user(
        username=username, password=PASSWORD, display_name=f"{organisation}经办人", organisation=owner, role=FIRST_ROLE[kind]
    )


@pytest.fixture
def cast(db: None) -> Cast:
    """The users, in the database."""
    return Cast(
        school=make_user("school", "甲小学", OrganisationKind.SCHOOL, "demo-school"),
        other_school=make_user("other", "乙小学", OrganisationKind.SCHOOL, "demo-district"),
        bureau=make_user("bureau", "某区教育局", OrganisationKind.BUREAU, "demo-district"),
        institution=make_user("institution", "某培训机构", OrganisationKind.INSTITUTION, "cn-shanghai"),
    )


def signed_in(user: User) -> Client:
    """A browser in which a user has signed in."""
    client = Client()
    client.force_login(user, backend="qingdan.accounts.backends.OrganisationBackend")
    return client


def xlsx(rows: Iterable[Iterable[object]], title: str = "Sheet1") -> bytes:
    """A workbook with one sheet."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@cache
def homework(minutes: tuple[object, ...] = (20, 20, 25), *, grade: str = "三（2）班") -> bytes:
    """A school's homework notice with a title row, as schools send it; the same bytes each time, though xlsx files hold a time."""
    rows: list[list[object]] = [
        ["示范小学作业公示（2026年第12周）"],
        ["班级", "日期", "学科", "作业内容", "作业类型", "完成地点", "预计时长"],
    ]
    for subject, each in zip(("语文", "数学", "英语", "科学", "道法"), minutes, strict=False):
        rows.append([grade, "11月17日", subject, f"{subject}练习", "书面", "家庭", each])
    return xlsx(rows, "作业公示")


def courses() -> bytes:
    """An institution's timetable: one class ends too late, one is as it should be."""
    return xlsx(
        [
            ["机构名称", "课程名称", "类别", "方式", "上课日期", "开始时间", "结束时间"],
            ["启明培训", "初二数学", "学科类", "线下", datetime.date(2026, 11, 19), "19:00", "20:45"],
            ["启明培训", "初二物理", "学科类", "线下", datetime.date(2026, 11, 18), "18:30", "20:30"],
        ],
        "课程表",
    )


def prepayments() -> bytes:
    """An institution's book of prepaid tuition: one payment covers four months."""
    head = ["机构名称", "合同编号", "收费日期", "金额", "课程开始日期", "课程结束日期", "是否进入监管账户", "是否使用示范文本", "贷款支付"]
    return xlsx(
        [
            head,
            ["启明培训", "HT-001", "2026-09-01", "2,880.00", "2026-09-05", "2026-11-30", "是", "是", "否"],
            ["启明培训", "HT-002", "2026-09-01", "3,600.00", "2026-09-05", "2027-01-04", "是", "是", "否"],
        ],
        "台账",
    )


Submit = Callable[..., Upload]


@pytest.fixture
def submit() -> Submit:
    """Hands in workbooks for a user and, unless told not to, judges them at once."""

    def act(user: User, *contents: bytes, names: Iterable[str] = (), layer: str = "", judge: bool = True) -> Upload:
        contents = contents or (homework(),)
        given = list(names) or [f"表{number}.xlsx" for number in range(1, len(contents) + 1)]
        files = [SimpleUploadedFile(name, content) for name, content in zip(given, contents, strict=True)]
        upload = submit_upload(user=user, files=files, layer_code=layer or user.employer.layer_code)
        if judge:
            judge_upload(upload.pk)
            upload.refresh_from_db()
        return upload

    return act
