"""A small pack of its own for tests of the language and the engines: quick to load, easy to read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from qingdan.policy.pack import Pack

SMALL: dict[str, str] = {
    "capabilities.yaml": "T1: 试验\n",
    "facts/categories/common.yaml": """
categories:
  stage: {primary: [小学], junior: [初中]}
  day_kind: {workday: [工作日], rest_day: [休息日], holiday: [节假日]}
  season: {summer: [夏季], winter: [冬季]}
  mode: {offline: [线下], online: [线上]}
""",
    "facts/lesson.yaml": """
kind: lesson
label: 课
about: 试验用的一次课。
subject: "{name}"
date: on_date
key: [name, on_date]
recognise: [name, minutes]
columns:
  name: {label: 名称, type: text}
  on_date: {label: 日期, type: date}
  until_date: {label: 截止日期, type: date}
  grade: {label: 年级, type: grade}
  stage: {label: 学段, type: category, of: stage, compute: stage_of(grade)}
  mode: {label: 方式, type: category, of: mode}
  minutes: {label: 时长, type: integer, unit: minute}
  gap: {label: 间隔, type: integer, unit: minute}
  size: {label: 人数, type: integer, unit: person}
  fee_fen: {label: 费用, type: money}
  ends_at: {label: 结束, type: clock}
  is_free: {label: 是否免费, type: boolean}
  is_paid: {label: 是否付费, type: boolean}
  day_kind: {label: 日期类型, type: category, of: day_kind, compute: day_kind(on_date)}
  months: {label: 月数, type: integer, unit: month, compute: "months_covered(on_date, until_date)"}
""",
    "facts/lesson_day.yaml": """
kind: lesson_day
label: 一日
about: 试验用的一日合计。
subject: "{name}"
date: on_date
key: [name, on_date]
derived:
  from: lesson
  select: |
    SELECT name, on_date, grade, COUNT(*) AS lesson_count, TOTAL(minutes) AS minutes, COALESCE(SUM(minutes), 0) AS known_minutes
    FROM lesson GROUP BY name, on_date, grade
columns:
  name: {label: 名称, type: text}
  on_date: {label: 日期, type: date}
  grade: {label: 年级, type: grade}
  stage: {label: 学段, type: category, of: stage, compute: stage_of(grade)}
  lesson_count: {label: 次数, type: integer, unit: "1"}
  minutes: {label: 合计, type: integer, unit: minute}
  known_minutes: {label: 已知合计, type: integer, unit: minute}
""",
    "top/layer.yaml": """
code: top
name: 上层
kind: nation
grades: {stages: {primary: [1, 2, 3, 4, 5, 6], junior: [7, 8, 9]}}
""",
    "low/layer.yaml": """
code: low
name: 下层
parent: top
kind: province
grades: {stages: {primary: [1, 2, 3, 4, 5], junior: [6, 7, 8, 9]}}
""",
    "top/documents/law.yaml": """
id: law
title: 上层规定
short: 上规
issuer: 上层
status: in_force
in_force_from: 2022-01-01
dated_by: 试验
clauses:
  - {id: law.minutes, locator: 第1条, summary: 限时。, modality: must, addressee: [school], carried_out_by: [{planned: T1}]}
""",
    "low/documents/local.yaml": """
id: local
title: 下层规定
short: 下规
issuer: 下层
status: in_force
in_force_from: 2023-01-01
dated_by: 试验
clauses:
  - {id: local.minutes, locator: 第1条, summary: 限时更严。, modality: must, addressee: [school], carried_out_by: [{planned: T1}]}
""",
    "top/lessons/minutes.yaml": """
id: lessons.minutes
title: 时长
cites: [law.minutes]
facts: lesson
parameters:
  lessons.minutes: {label: 时长上限, unit: minute, by: [stage], tighter: lower,
    values: [{from: 2022-01-01, value: {primary: 60, junior: 90}}]}
rule: {require: minutes <= lessons.minutes}
says: "{name} {minutes}，超过 {lessons.minutes}"
remedy: 缩短
cases:
  - {what: 到上限, facts: {name: 甲, grade: 3, minutes: 60}, verdict: compliant}
  - {what: 过上限, facts: {name: 甲, grade: 3, minutes: 61}, verdict: breach}
""",
}

MakePack = Callable[..., Pack]


def write_pack(folder: Path, files: dict[str, str]) -> Path:
    """Write the files of a pack under a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"), encoding="utf-8")
    return folder


@pytest.fixture
def small_pack(tmp_path: Path) -> MakePack:
    """Builds the small pack; files given by path are added, or take the place of its own; ``None`` takes one out."""

    def make(changes: dict[str, str | None] | None = None) -> Pack:
        files = {name: text for name, text in {**SMALL, **(changes or {})}.items() if text is not None}
        return Pack.load(write_pack(tmp_path / "pack", files))

    return make
