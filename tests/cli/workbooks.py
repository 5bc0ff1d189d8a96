"""Workbooks as schools and institutions send them, written anew for each test: titles, merged cells, units in cells, totals, signatures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook

Rows = Sequence[Sequence[object]]


def write(path: Path, rows: Rows, *, sheet: str = "Sheet1", merged: Sequence[str] = ()) -> Path:
    """Write one sheet."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(list(row))
    for area in merged:
        page.merge_cells(area)
    book.save(path)
    return path


HOMEWORK: Rows = [
    ["试验小学第10周作业公示表（2026.11.16—2026.11.20）"],
    ["学校：试验小学    填报日期：2026年11月20日"],
    ["日期", "班级", "学科", "作业内容", "作业类型", "完成地点", "预计时长（分钟）", "批改方式", "完成人"],
    ["11月16日", "一（1）班", "语文", "朗读", "口头", "家里", 10, "教师批改", "学生"],
    [None, "三（2）班", "语文", "练习", "书面", "家里", 25, "教师批改", "学生"],
    [None, "三（2）班", "数学", "练习", "书面", "家里", "35分钟", "教师批改", "学生"],
    ["11月17日", "一（1）班", "数学", "口算", "书面", "家里", 10, "教师批改", "学生"],
    [None, "三（2）班", "语文", "习作", "书面", "家里", "３１分钟", "教师批改", "学生"],
    [None, "三（2）班", "数学", "练习", "书面", "家里", "半小时", "教师批改", "学生"],
    [None, "三（2）班", "科学", "观察", "实践", "家里", "约20分", "教师批改", "学生"],
    ["11月18日", "四（1）班", "数学", "口算", "书面", "家里", 20, "家长检查签字", "学生"],
    [None, "四（1）班", "语文", "生字", "书面", "学校", 20, "学生自批", "学生"],
    ["合计"],
    [],
    ["填报人：        审核人：        （盖章）"],
]
HOMEWORK_MERGED = ("A1:I1", "A2:I2", "A4:A6", "A7:A10", "A11:A12")
HOMEWORK_BREACHES = {
    ("homework.no-written-at-home", 7),
    ("homework.daily-total", 8),
    ("homework.no-parent-checking", 11),
    ("homework.no-self-marking", 12),
}

SESSIONS: Rows = [
    ["十一月课程安排（2026年11月）"],
    ["培训机构名称", "培训类别", "授课方式", "课程", "日期", "上课时间", "每课时长（分钟）", "课程间隔（分钟）", "学员年龄"],
    ["甲培训", "学科类", "面授", "初三数学", "11月18日", "18:30-20:30", 45, 10, 14],
    ["甲培训", "学科", "线下", "初三数学", "11月19日", "下午7:00-下午8:45", 45, 10, 14],
    ["甲培训", "学科类", "线下", "初三英语", "11月21日", "9:00-10:30", 45, 10, 14],
    ["乙网校", "学科类", "直播", "四年级英语", "2026/11/18", "20：00-21：00", "30分钟", 10, 9],
    ["乙网校", "学科类", "线上", "四年级英语", "2026.11.19", "20:30-21:30", 40, 5, 9],
    ["丙画室", "非学科类", "线下", "素描", "11月21日", "14:00-15:30", 45, 10, 8],
]
SESSION_BREACHES = {
    ("training.end-time", 4),
    ("training.no-holiday-academic", 5),
    ("training.lesson-length", 7),
    ("training.lesson-gap", 7),
}

PREPAYMENTS: Rows = [
    ["预收费台账"],
    ["机构", "合同编号", "缴费日期", "课程起", "课程止", "课时数", "金额（元）", "是否进入监管账户", "是否使用示范文本", "贷款支付"],
    ["甲培训", "HT-1", "2026-09-01", "2026-09-01", "2026-11-30", 36, "2,880.00", "是", "是", "否"],
    ["甲培训", "HT-2", "2026-09-01", "2026-09-01", "2026-12-01", 48, "0.384万元", "√", "√", "×"],
    ["丙画室", "HT-3", "2026-09-05", "2026-09-10", "2026-11-20", 20, "2000元", "否", "是", "否"],
    ["丙画室", "HT-4", "2026-09-06", "2026-09-10", "2026-11-20", 20, "２０００", "是", "否", "是"],
]
PREPAYMENT_BREACHES = {("prepaid.three-months", 4), ("prepaid.custody", 5), ("prepaid.model-contract", 6), ("prepaid.no-loans", 6)}
