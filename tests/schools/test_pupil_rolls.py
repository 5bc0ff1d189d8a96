"""A roll of pupils: shown row by row, written only when confirmed, put back exactly."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qingdan.schools.enums import RollStatus
from qingdan.schools.models import Enrolment, Guardian, JoinCode, Pupil, RollImport, SchoolClass
from qingdan.schools.rolls import applying
from tests.district import MONDAY, District, make_pupil, make_user, signed_in
from tests.schools.workbooks import PUPIL_HEAD, acts, cells, post, send, send_rows, xlsx

SUNDAY_BEFORE = MONDAY - datetime.timedelta(days=1)


@pytest.fixture
def leader(district: District) -> Client:
    """The leader's browser."""
    return signed_in(district.first.leader)


def state() -> dict[str, Any]:
    """Everything that a roll of pupils may change."""
    return {model.__name__: sorted(model._base_manager.values_list()) for model in (Pupil, Enrolment, SchoolClass)}


def test_a_preview_says_what_each_row_does_and_writes_nothing(district: District, leader: Client) -> None:
    school = district.first
    known, moved, renamed = school.pupils[:3]
    before = state()
    roll = send_rows(
        leader,
        [
            ["三2班", known.number, known.name],
            ["三（1）班", moved.number, moved.name],
            ["3年级2班", renamed.number, "改了名"],
            ["三(1)班", "N-1", "新 学生"],
            ["五（9）班", "N-2", "没有班"],
            ["三（2）班", "", "没学号"],
        ],
    )
    assert acts(roll) == ["same", "change", "change", "add", "refuse", "refuse"]
    page = leader.get(reverse("schools:roll", args=[roll.pk])).content.decode()
    assert "转班：三（2）班 → 三（1）班（2026-11-16 起）" in page
    assert f"姓名 {renamed.name} → 改了名" in page
    assert "新生，编入三（1）班" in page
    assert "新学生" in page
    assert "没有五（9）班；请核对班级，或勾选“新建名册里的班级”" in page
    assert "缺学号；请补上校内学号" in page
    assert "第 6 行" in page
    assert state() == before
    only = leader.get(reverse("schools:roll", args=[roll.pk]), {"act": "refuse"}, headers={"HX-Request": "true"}).content.decode()
    assert "没班" not in only
    assert "N-2" in only
    assert "N-1" not in only


def test_confirming_writes_all_and_pressing_twice_does_nothing_more(district: District, leader: Client) -> None:
    school = district.first
    moved = school.pupils[1]
    roll = send_rows(leader, [["三（1）班", moved.number, moved.name], ["三（1）班", "N-1", "新学生"]])
    assert "已导入" in post(leader, "apply_roll", roll)
    old, new = moved.enrolments.order_by("starts_on")
    assert (old.school_class, old.ends_on) == (school.class_32, SUNDAY_BEFORE)
    assert (new.school_class, new.starts_on, new.ends_on) == (school.class_31, MONDAY, None)
    added = Pupil.objects.get(number="N-1")
    assert added.enrolments.get().school_class == school.class_31
    after = state()
    assert "没有重复导入" in post(leader, "apply_roll", roll)
    assert state() == after


def test_the_undo_puts_back_exactly_what_was(district: District, leader: Client) -> None:
    school = district.first
    before = state()
    roll = send_rows(
        leader,
        [["三（1）班", school.pupils[1].number, "改名转班"], ["三（1）班", "N-1", "新学生"], ["四（1）班", "N-2", "新班新生"]],
    )
    post(leader, "roll_options", roll, creates_classes="on", effective_on="2026-11-16")
    assert acts(roll) == ["change", "add", "add"]
    post(leader, "apply_roll", roll, leaving=[school.pupils[4].pk])
    assert SchoolClass.objects.filter(name="四（1）班").exists()
    assert state() != before
    assert "已撤销导入" in post(leader, "undo_roll", roll)
    assert state() == before
    assert "已经撤销过" in post(leader, "undo_roll", roll)


def test_the_undo_is_refused_when_a_parent_has_come_meanwhile(district: District, leader: Client) -> None:
    roll = send_rows(leader, [["三（1）班", "N-1", "新学生"]])
    post(leader, "apply_roll", roll)
    pupil = Pupil.objects.get(number="N-1")
    JoinCode.issue(school=district.first.school, by=district.first.leader, pupil=pupil)
    guardian = Guardian.objects.create(user=make_user("new-parent", "parent"), pupil=pupil)  # type: ignore[arg-type]
    assert "不能撤销：学生“新学生”后来有了监护人（1 条）" in post(leader, "undo_roll", roll)
    assert Pupil.objects.filter(pk=pupil.pk).exists()
    guardian.delete()
    assert "已撤销导入" in post(leader, "undo_roll", roll)
    assert not JoinCode.objects.exists()


def test_the_undo_is_refused_when_a_pupil_was_changed_meanwhile(district: District, leader: Client) -> None:
    pupil = district.first.pupils[0]
    roll = send_rows(leader, [["三（2）班", pupil.number, "第一次改"]])
    post(leader, "apply_roll", roll)
    Pupil.objects.filter(pk=pupil.pk).update(name="第二次改")
    assert "姓名后来又有改动" in post(leader, "undo_roll", roll)


def test_two_pupils_of_one_number_are_both_refused_and_told(district: District, leader: Client) -> None:
    roll = send_rows(leader, [["三（1）班", "N-1", "张一"], ["三（1）班", "N-2", "李二"], ["三（2）班", "N-1", "王三"]])
    assert acts(roll) == ["refuse", "add", "refuse"]
    assert "学号 N-1 在名册里出现 2 次（“名册”第 2 行、“名册”第 4 行）" in roll.rows.all()[0].what
    post(leader, "apply_roll", roll)
    assert not Pupil.objects.filter(number="N-1").exists()


def test_who_is_missing_from_a_roll_leaves_only_when_ticked(district: District, leader: Client) -> None:
    school = district.first
    stays, *missing = school.pupils
    roll = send_rows(leader, [["三（2）班", stays.number, stays.name]])
    page = leader.get(reverse("schools:roll", args=[roll.pk])).content.decode()
    assert "名册里没有的学生（5）" in page
    assert "没有要导入的内容" in post(leader, "apply_roll", roll)
    post(leader, "apply_roll", roll, leaving=[missing[0].pk, district.second.pupils[0].pk])
    assert missing[0].enrolments.get().ends_on == SUNDAY_BEFORE
    assert missing[1].enrolments.get().ends_on is None
    assert district.second.pupils[0].enrolments.get().ends_on is None


def test_a_preview_that_time_has_overtaken_is_made_anew(district: District, leader: Client) -> None:
    roll = send_rows(leader, [["三（1）班", "N-1", "新学生"]])
    Pupil.objects.create(school=district.first.school, number="N-1", name="抢先")
    assert "预览之后学校的数据有了变化" in post(leader, "apply_roll", roll)
    assert acts(roll) == ["change"]
    assert RollImport.objects.get(pk=roll.pk).status == RollStatus.PREVIEWED
    assert "已导入" in post(leader, "apply_roll", roll)


def test_a_preview_can_be_thrown_away_and_an_import_cannot(district: District, leader: Client) -> None:
    roll = send_rows(leader, [["三（1）班", "N-1", "新学生"]])
    assert "已放弃" in post(leader, "discard_roll", roll)
    assert not RollImport.objects.exists()
    roll = send_rows(leader, [["三（1）班", "N-1", "新学生"]])
    post(leader, "apply_roll", roll)
    assert "不能放弃" in post(leader, "discard_roll", roll)


def test_an_exported_roll_imported_again_changes_nothing(district: District, leader: Client) -> None:
    make_pupil(district.first.class_31, "欧阳 小兰")
    content = leader.get(reverse("schools:roll_export", args=["pupils"])).content
    assert cells(content)[0] == PUPIL_HEAD
    before = state()
    send(leader, content)
    roll = RollImport.objects.latest("pk")
    assert set(acts(roll)) == {"same"}
    assert not applying.compare(roll).missing
    assert "没有要导入的内容" in post(leader, "apply_roll", roll)
    assert state() == before


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["三（1）班", "三（2）班", "二（1）班"]),
            st.text("0123456789AZ-", min_size=1, max_size=8).filter(lambda text: text.strip("-")),
            st.text("赵钱孙李周吴郑王·", min_size=1, max_size=4).filter(lambda text: text.strip("·")),
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda row: row[1],
    )
)
def test_what_was_imported_comes_out_as_it_went_in(district: District, leader: Client, rows: list[tuple[str, str, str]]) -> None:
    Enrolment.objects.all().delete()
    Guardian.objects.all().delete()
    Pupil.objects.all().delete()
    post(leader, "apply_roll", send_rows(leader, rows))
    content = leader.get(reverse("schools:roll_export", args=["pupils"])).content
    assert sorted(cells(content)[1:]) == sorted(list(row) for row in rows)
    send(leader, content)
    assert set(acts(RollImport.objects.latest("pk"))) == {"same"}


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"hello", "a.docx", "不是表格文件"),
        (b"hello", "a.xlsx", "不是真正的 .xlsx 文件"),
        (b"", "a.xlsx", "文件是空的（0 字节）"),
        (xlsx(("表", [])), "a.xlsx", "表格里没有内容"),
        (xlsx(("表", [PUPIL_HEAD])), "a.xlsx", "表头下面没有一行内容"),
        (xlsx(("表", [["姓名", "电话"], ["张三", "123"]])), "a.xlsx", "缺少列：班级、学号"),
        ("班级,学号,姓名\n三（1）班,1,张三\n".encode("utf-16-le")[1:], "a.csv", "a.csv"),
    ],
)
def test_a_wrong_file_gets_one_clear_sentence(district: District, leader: Client, content: bytes, name: str, words: str) -> None:
    assert words in send(leader, content, name=name)
    assert not RollImport.objects.exists()


def test_a_workbook_with_a_password_says_how_to_take_it_off(district: District, leader: Client) -> None:
    from pathlib import Path

    content = (Path(__file__).parents[1] / "workbooks" / "fixtures" / "加密.xlsx").read_bytes()
    assert "去掉密码" in send(leader, content)


def test_rolls_as_schools_write_them_are_read(district: District, leader: Client) -> None:
    content = xlsx(
        (
            "三2班",
            [
                ["甲小学三（2）班学生名单"],
                ["序号", "学籍号", "校内学号", "学生姓名", "联系电话"],
                [1, "G110", 20260301, "张 三", "138"],
                [2, "G111", "００２", "李四", "139"],
                ["合计", None, None, "2人"],
            ],
        ),
        ("填写示例", [PUPIL_HEAD, ["三（1）班", "1", "示例"]]),
    )
    page = send(leader, content)
    roll = RollImport.objects.latest("pk")
    assert [(each.values["class"], each.values["number"], each.values["name"]) for each in roll.rows.all()] == [
        ("三（2）班", "20260301", "张三"),
        ("三（2）班", "002", "李四"),
    ]
    assert "没有读入的列：学籍号、联系电话" in page
    send(leader, "年级,班级,学号,姓名\n三年级,1班,A1,王五\n三年级,(2)班,A2,赵六\n".encode("gb18030"), name="名册.csv")
    assert [each.values["class"] for each in RollImport.objects.latest("pk").rows.all()] == ["三（1）班", "三（2）班"]


def test_a_day_outside_every_school_year_is_refused(district: District, leader: Client) -> None:
    assert "校历里没有包含 2029-01-01 的学年" in send(leader, xlsx(("表", [PUPIL_HEAD, ["三（1）班", "1", "张三"]])), day="2029-01-01")


def test_the_template_is_itself_an_empty_roll(district: District, leader: Client) -> None:
    content = leader.get(reverse("schools:roll_template", args=["pupils"])).content
    assert cells(content) == [PUPIL_HEAD]
    assert "表头下面没有一行内容" in send(leader, content)
