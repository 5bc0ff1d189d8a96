"""Spot checks: drawn so that anybody can repeat it, recorded item by item, signed, seen by the school afterwards, judged by the law."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.draws.models import Draw, drawn
from qingdan.homework.actions.disclosure import publish
from qingdan.homework.actions.register import enter, return_to_teacher
from qingdan.homework.actions.supervision import complete, draw_spot_check, save_item
from qingdan.homework.comparing import class_week
from qingdan.homework.models import CheckedClass, CheckedHomework, Homework, SpotCheck
from qingdan.judging.law import current_law
from qingdan.schools.models import SchoolClass
from tests.district import MONDAY, NEXT_MONDAY, WEDNESDAY, District, homework, make_class, make_user, signed_in

HTMX = {"HX-Request": "true"}


def page(client: Client, name: str, *args: object, **query: Any) -> str:
    response = client.get(reverse(f"homework:{name}", args=args), query)
    assert response.status_code == 200
    return response.content.decode()


def only(district: District, school_class: SchoolClass, by: User | None = None) -> CheckedClass:
    """A round that could draw one class only."""
    check = draw_spot_check(by=by or district.bureau, title="抽查", week_from=MONDAY, classes=[school_class], count=1)
    return check.classes.get()


@pytest.fixture
def checked(district: District) -> CheckedClass:
    """三（2）班, drawn, with two pieces of homework of which one was published."""
    school = district.first
    enter([homework(school.class_32, school.teacher, minutes=20)], by=school.teacher)
    publish(school=school.school, grade=3, week_from=MONDAY, by=school.leader, intent="巩固", requirements="独立完成")
    enter([homework(school.class_32, school.other_teacher, "语文", 10, on_date=WEDNESDAY)], by=school.other_teacher)
    return only(district, school.class_32)


def look_at_all(checked: CheckedClass, by: User) -> None:
    """Note of every item that it is as published."""
    for item in items_of(checked):
        if not checked.items.filter(homework=item).exists():
            save_item(checked=checked, key=f"h{item.pk}", token="new", by=by, values={"is_as_published": True})


def say(client: Client, checked: CheckedClass, key: str, token: str = "new", **values: Any) -> Any:
    data = {"key": key, "token": token, **{f"{key}-{name}": value for name, value in values.items()}}
    return client.post(reverse("homework:check_item", args=[checked.pk]), data, headers=HTMX)


def token_of(response: HttpResponse) -> str:
    found = re.search(r'name="token" value="(\w+)"', response.content.decode())
    assert found
    return found[1]


def items_of(checked: CheckedClass) -> list[Homework]:
    return [line.homework for line in class_week(checked.school_class, MONDAY).lines]


class TestDrawing:
    def test_a_draw_is_repeated_from_its_record(self, district: District) -> None:
        client = signed_in(district.bureau)
        data = {"title": "第十二周抽查", "week_from": f"{MONDAY}", "count": 4, "seed": "福彩 3D 2026310 期 5 8 2"}
        response = client.post(reverse("homework:check_new"), data)
        check = SpotCheck.objects.get()
        assert response["Location"] == reverse("homework:check", args=[check.pk])
        draw = check.draw
        assert draw.seed == "福彩3D2026310期582"
        by_hand = sorted(draw.entries, key=lambda entry: hashlib.sha256(f"{draw.seed}|{entry}".encode()).hexdigest())[:4]
        assert draw.chosen == by_hand
        assert sorted(check.classes.values_list("school_class_id", flat=True)) == sorted(by_hand)
        told = client.get(reverse("homework:check_verify", args=[check.pk]), headers=HTMX).content.decode()
        assert "完全一致" in told

    def test_a_tampered_result_is_noticed(self, district: District) -> None:
        checked = only(district, district.first.class_32)
        draw = checked.spot_check.draw
        draw.entries = [*draw.entries, district.first.class_31.pk, district.first.class_21.pk]
        draw.chosen = [entry for entry in draw.entries if entry not in drawn(draw.seed, draw.entries, 1)][:1]
        draw.save()
        assert not draw.is_right()
        client = signed_in(district.bureau)
        response = client.get(reverse("homework:check_verify", args=[checked.spot_check_id]), headers=HTMX)
        assert "不一致" in response.content.decode()
        assert "不一致" in client.get(reverse("homework:check_verify", args=[checked.spot_check_id]), follow=True).content.decode()

    def test_a_fresh_seed_differs_each_time(self, district: District) -> None:
        first, second = (only(district, district.first.class_32).spot_check.draw.seed for _ in range(2))
        assert first != second

    def test_no_school_gives_more_than_its_share(self, district: District) -> None:
        for number in range(4, 12):
            make_class(district.first.school, 3, number)
        classes = list(SchoolClass.objects.order_by("pk"))
        for seed in ("a", "b", "c"):
            check = draw_spot_check(by=district.bureau, title=seed, week_from=MONDAY, classes=classes, count=3, per_school=2, seed=seed)
            schools = [each.school_class.school_id for each in check.classes.select_related("school_class")]
            assert sorted(map(schools.count, set(schools))) == [1, 2]
            assert Draw.objects.get(pk=check.draw_id).is_right()

    def test_too_many_are_refused_with_how_many_there_are(self, district: District) -> None:
        client = signed_in(district.bureau)
        data = {"title": "x", "week_from": f"{MONDAY}", "count": 5, "per_school": 2}
        response = client.post(reverse("homework:check_new"), data)
        assert response.status_code == 400
        assert "最多能抽 4 个班" in response.content.decode()
        assert not SpotCheck.objects.exists()
        assert not Draw.objects.exists()
        with pytest.raises(ValidationError, match="没有符合条件的班级"):
            draw_spot_check(by=district.bureau, title="x", week_from=MONDAY, classes=[], count=1)

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"title": ""}, "请给这次抽查起个名称"),
            ({"week_from": "2026-11-17"}, "2026-11-17"),
            ({"count": 0}, "1 至 200 之间"),
            ({"grades": ["77"]}, "77"),
            ({"schools": ["999999"]}, "999999"),
        ],
    )
    def test_nonsense_is_refused(self, district: District, changes: dict[str, Any], words: str) -> None:
        data = {"title": "x", "week_from": f"{MONDAY}", "count": 1} | changes
        response = signed_in(district.bureau).post(reverse("homework:check_new"), data)
        assert response.status_code == 400
        assert words in response.content.decode()
        assert not SpotCheck.objects.exists()

    def test_the_form_tells_how_many_classes_can_be_drawn(self, district: District) -> None:
        client = signed_in(district.bureau)
        assert "<b>6</b> 个班" in page(client, "check_eligible", count=3)
        told = page(client, "check_eligible", count=5, grades=["3"], per_school=1, schools=[str(district.first.school.pk)])
        assert "<b>2</b> 个班" in told
        assert "最多能抽 <b>1</b> 个" in told
        assert "不够抽 5 个" in told
        assert "没有符合条件" in page(client, "check_eligible", kind="junior")

    def test_scope_stays_with_the_draw(self, district: District) -> None:
        data = {"title": "x", "week_from": f"{MONDAY}", "count": 1, "grades": ["3"], "kind": "primary", "per_school": 1}
        signed_in(district.bureau).post(reverse("homework:check_new"), data)
        assert Draw.objects.get().scope == "小学；三年级；每校至多 1 个班"

    def test_the_list_of_lots_lets_outsiders_check(self, district: District) -> None:
        classes = list(SchoolClass.objects.all())
        check = draw_spot_check(by=district.bureau, title="x", week_from=MONDAY, classes=classes, count=2, seed="s")
        response = signed_in(district.bureau).get(reverse("homework:check_lots", args=[check.pk]))
        rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
        assert len(rows) == 6
        assert [int(row["班级编号"]) for row in rows if row["抽中"]] == check.draw.chosen
        assert all(row["签号 SHA-256(种子|班级编号)"] == hashlib.sha256(f"s|{row['班级编号']}".encode()).hexdigest() for row in rows)


class TestOnThePhone:
    def test_the_list_says_what_was_published(self, checked: CheckedClass, district: District) -> None:
        week = class_week(checked.school_class, MONDAY)
        assert [line.is_published for line in week.lines] == [True, False]
        text = page(signed_in(district.bureau), "check_class", checked.pk)
        assert "公示里没有</span>" in text
        assert "数学练习" in text

    def test_changed_minutes_and_withdrawn_homework_are_told(self, checked: CheckedClass, district: District) -> None:
        item = items_of(checked)[0]
        Homework.objects.filter(pk=item.pk).update(homework_minutes=35)
        assert "公示的是 20 分钟" in page(signed_in(district.bureau), "check_class", checked.pk)
        return_to_teacher(Homework.objects.get(pk=item.pk), by=district.first.leader, reason="重复")
        week = class_week(checked.school_class, MONDAY)
        assert [each.content for each in week.published_only] == ["数学练习"]
        assert "公示过、现在登记里没有的 1 项" in page(signed_in(district.bureau), "check_class", checked.pk)

    def test_each_item_is_saved_as_it_is_answered(self, checked: CheckedClass, district: District) -> None:
        client, (first, second) = signed_in(district.bureau), items_of(checked)
        response = say(client, checked, f"h{first.pk}", is_as_published="true")
        assert "已保存" in response.content.decode()
        assert "<b>1</b> / 2" in response.content.decode()
        values: dict[str, Any] = {
            "is_as_published": "false",
            "faults": ["mechanical", "punitive"],
            "seen_minutes": 45,
            "is_careless": "true",
        }
        say(client, checked, f"h{second.pk}", **values, has_feedback="false", note="抄写十遍")
        saved = CheckedHomework.objects.get(homework=second)
        assert (saved.faults, saved.seen_minutes, saved.is_careless, saved.has_feedback) == (["mechanical", "punitive"], 45, True, False)
        again = say(client, checked, f"h{first.pk}", token_of(response), is_as_published="true", note="好")
        assert again.status_code == 200
        assert CheckedHomework.objects.get(homework=first).note == "好"
        text = page(client, "check_class", checked.pk)
        assert "抄写十遍" in text
        assert "已看 <b>2</b> / 2" in text

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"faults": ["mechanical"]}, "请先点"),
            ({"is_as_published": "true", "seen_minutes": "601"}, "0 至 600 之间"),
            ({"is_as_published": "true", "seen_minutes": "-1"}, "0 至 600 之间"),
            ({"is_as_published": "true", "faults": ["nonsense"]}, "nonsense"),
            ({"is_as_published": "true", "note": "长" * 301}, "300"),
        ],
    )
    def test_what_cannot_be_is_told_and_not_saved(
        self, checked: CheckedClass, district: District, values: dict[str, Any], words: str
    ) -> None:
        response = say(signed_in(district.bureau), checked, f"h{items_of(checked)[0].pk}", **values)
        assert response.status_code == 400
        assert words in response.content.decode()
        assert not CheckedHomework.objects.exists()

    def test_homework_of_another_class_or_week_is_not_found(self, checked: CheckedClass, district: District) -> None:
        school = district.first
        (other,) = enter([homework(school.class_31, school.teacher)], by=school.teacher)
        (later,) = enter([homework(school.class_32, school.teacher, on_date=NEXT_MONDAY)], by=school.teacher)
        client = signed_in(district.bureau)
        for key in (f"h{other.pk}", f"h{later.pk}", "h", "i999", "x1", ""):
            assert say(client, checked, key, is_as_published="true").status_code == 404

    def test_unpublished_homework_is_added_once_and_can_be_taken_away(self, checked: CheckedClass, district: District) -> None:
        client = signed_in(district.bureau)
        for _ in range(2):  # the answer was lost and the phone tries again
            response = say(client, checked, "new", content="英语抄写五遍", faults=["mechanical"])
            assert "英语抄写五遍" in response.content.decode()
        extra = CheckedHomework.objects.get()
        assert (extra.is_as_published, extra.homework, extra.faults) == (False, None, ["mechanical"])
        say(client, checked, extra.key, extra.token, content="英语抄写六遍")
        extra.refresh_from_db()
        assert extra.content == "英语抄写六遍"
        assert "请写明是什么作业" in say(client, checked, "new", content="").content.decode()
        client.post(reverse("homework:check_extra_remove", args=[checked.pk, extra.pk]))
        assert not CheckedHomework.objects.exists()

    def test_without_a_script_the_form_works_too(self, checked: CheckedClass, district: District) -> None:
        key = f"h{items_of(checked)[0].pk}"
        data = {"key": key, "token": "new", f"{key}-is_as_published": "true"}
        response = signed_in(district.bureau).post(reverse("homework:check_item", args=[checked.pk]), data, follow=True)
        assert "已保存" in response.content.decode()

    def test_a_second_inspector_does_not_overwrite_in_silence(self, checked: CheckedClass, district: District) -> None:
        colleague = make_user("colleague", Role.BUREAU, district.bureau.employer)
        key = f"h{items_of(checked)[0].pk}"
        say(signed_in(district.bureau), checked, key, is_as_published="false", note="没有布置")
        response = say(signed_in(colleague), checked, key, is_as_published="true")
        assert response.status_code == 409
        assert "刚刚改过这一项" in response.content.decode()
        assert "没有布置" in response.content.decode()
        assert response["HX-Retarget"] == f"#item-{key}"
        assert CheckedHomework.objects.get().note == "没有布置"
        # The same answer by both is no quarrel.
        assert say(signed_in(colleague), checked, key, is_as_published="false", note="没有布置").status_code == 200


class TestCompletion:
    def test_it_is_signed_when_everything_has_been_seen(self, checked: CheckedClass, district: District) -> None:
        client = signed_in(district.bureau)
        response = client.post(reverse("homework:check_complete", args=[checked.pk]), follow=True)
        assert "还有 2 项没有看" in response.content.decode()
        # What the published list does not have is not waved through with the rest.
        told = client.post(reverse("homework:check_rest", args=[checked.pk]), follow=True).content.decode()
        assert "已把 1 项记为与公示一致。还有 1 项公示里没有" in told
        say(client, checked, f"h{items_of(checked)[1].pk}", is_as_published="false")
        client.post(reverse("homework:check_complete", args=[checked.pk]), {"note": "总体尚可"})
        checked.refresh_from_db()
        assert (checked.checked_by, checked.checked_on, checked.is_as_published) == (district.bureau, MONDAY, False)
        assert "总体尚可" in page(client, "check_class", checked.pk)
        assert "与公示不一致" in page(client, "check", checked.spot_check_id)

    def test_whoever_comes_second_is_told_who_was_first(self, checked: CheckedClass, district: District) -> None:
        colleague = make_user("colleague", Role.BUREAU, district.bureau.employer, name="李检查")
        look_at_all(checked=checked, by=colleague)
        complete(checked=checked, by=colleague)
        client, key = signed_in(district.bureau), f"h{items_of(checked)[0].pk}"
        response = say(client, checked, key, is_as_published="false")
        assert response.status_code == 409
        assert "李检查已在" in response.content.decode()
        for name in ("check_complete", "check_rest"):
            assert "李检查已在" in client.post(reverse(f"homework:{name}", args=[checked.pk]), follow=True).content.decode()
        checked.refresh_from_db()
        assert checked.checked_by == colleague
        assert checked.is_as_published

    def test_the_signer_takes_back_on_the_same_day_only(
        self, checked: CheckedClass, district: District, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        look_at_all(checked=checked, by=district.bureau)
        complete(checked=checked, by=district.bureau)
        colleague = make_user("colleague", Role.BUREAU, district.bureau.employer)
        address = reverse("homework:check_reopen", args=[checked.pk])
        assert "只有检查人本人" in signed_in(colleague).post(address, follow=True).content.decode()
        signed_in(district.bureau).post(address)
        checked.refresh_from_db()
        assert checked.checked_at is None
        complete(checked=checked, by=district.bureau)
        monkeypatch.setattr("qingdan.places.calendar.clock", lambda: WEDNESDAY)
        assert "只有检查人本人" in signed_in(district.bureau).post(address, follow=True).content.decode()

    def test_the_school_sees_the_result_only_afterwards(self, checked: CheckedClass, district: District) -> None:
        leader = signed_in(district.first.leader)
        key = f"h{items_of(checked)[0].pk}"
        say(signed_in(district.bureau), checked, key, is_as_published="false", faults=["too_hard"], note="超纲题")
        assert "还没有抽查结果" in page(leader, "checks")
        assert leader.get(reverse("homework:check_class", args=[checked.pk])).status_code == 404
        look_at_all(checked=checked, by=district.bureau)
        complete(checked=checked, by=district.bureau)
        assert "三（2）班" in page(leader, "checks")
        text = page(leader, "check_class", checked.pk)
        assert "难度过大" in text
        assert "超纲题" in text
        assert "check_item" not in text
        assert "<form" not in text.partition("<main")[2].partition("</main")[0]
        stranger = signed_in(district.second.leader)
        assert stranger.get(reverse("homework:check_class", args=[checked.pk])).status_code == 404

    def test_results_are_exported_once_signed(self, checked: CheckedClass, district: District) -> None:
        from openpyxl import load_workbook

        save_item(checked=checked, key="new", token="new", by=district.bureau, values={"content": "=1+1", "faults": ["punitive"]})
        look_at_all(checked=checked, by=district.bureau)
        client, address = signed_in(district.bureau), reverse("homework:check_results", args=[checked.spot_check_id])
        sheet = load_workbook(io.BytesIO(client.get(address).content)).active
        assert sheet is not None
        assert sheet.max_row == 1
        complete(checked=checked, by=district.bureau)
        sheet = load_workbook(io.BytesIO(client.get(address).content)).active
        assert sheet is not None
        found = {row[7]: row for row in sheet.iter_rows(values_only=True)}
        assert found["=1+1"][9] == "惩罚性"
        assert found["数学练习"][11] == 20


def breaches(kind: str, checked: CheckedClass) -> set[str]:
    judged = current_law().judge_touched(kind, class_id=checked.school_class_id)
    return {finding.rule.id for each in judged for finding in each.breaches}


def test_faults_become_breaches_once_signed(checked: CheckedClass, district: District) -> None:
    client, (first, second) = signed_in(district.bureau), items_of(checked)
    say(client, checked, f"h{first.pk}", is_as_published="true", faults=["mechanical"], is_careless="true", has_feedback="false")
    say(client, checked, f"h{second.pk}", is_as_published="true", faults=["punitive"])
    assert breaches("homework_item", checked) == set()
    assert breaches("homework_check", checked) == set()
    complete(checked=checked, by=district.bureau)
    assert breaches("homework_item", checked) == {"homework.no-mechanical", "homework.no-punitive"}
    assert breaches("homework_check", checked) == {"homework.feedback-given", "homework.no-careless-marking-district"}


def test_lists_cost_the_same_however_long(checked: CheckedClass, district: District) -> None:
    bureau, leader = signed_in(district.bureau), signed_in(district.first.leader)
    look_at_all(checked=checked, by=district.bureau)
    complete(checked=checked, by=district.bureau)

    def costs() -> list[int]:
        found = []
        for client, name, args in (
            (bureau, "checks", []),
            (bureau, "check", [SpotCheck.objects.latest("pk").pk]),
            (bureau, "check_class", [CheckedClass.objects.latest("pk").pk]),
            (bureau, "check_lots", [SpotCheck.objects.latest("pk").pk]),
            (bureau, "check_results", [checked.spot_check_id]),
            (leader, "checks", []),
        ):
            page_of = reverse(f"homework:{name}", args=args)
            client.get(page_of)
            with CaptureQueriesContext(connection) as captured:
                assert client.get(page_of).status_code == 200
            found.append(len(captured))
        return found

    few = costs()
    school = district.first
    for number in range(5):
        enter([homework(school.class_32, school.teacher, minutes=1, content=f"第{number}题")], by=school.teacher)
    checks = [only(district, school.class_32) for _ in range(6)]
    for each in checks[:-1]:
        look_at_all(checked=each, by=district.bureau)
        complete(checked=each, by=district.bureau)
    draw_spot_check(by=district.bureau, title="x", week_from=MONDAY, classes=list(SchoolClass.objects.all()), count=5)
    CheckedClass.objects.filter(pk__gt=checks[-1].pk).exclude(school_class=school.class_32).count()
    assert costs() == few
    assert max(few) <= 14
