"""Parents and teachers come in with a one-time code; nobody else does."""

from __future__ import annotations

import datetime
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.schools.models import Guardian, JoinAttempt, JoinCode
from qingdan.schools.models.joining import TRIES_MAX
from tests.district import District, make_pupil, make_user, signed_in
from tests.schools.workbooks import post, send_rows

GOOD = {
    "relation": "mother",
    "display_name": "张妈妈",
    "username": "zhangmama",
    "password": "spring-blossom-26",
    "again": "spring-blossom-26",
}


def issue(district: District) -> str:
    """A code for a pupil of 三（2）班."""
    school = district.first
    return JoinCode.issue(school=school.school, by=school.teacher, pupil=school.pupils[1])[1]


def enter(client: Client, code: str, **data: str) -> tuple[int, str]:
    """Send the form of the joining page."""
    step = {"step": "join"} if data else {}
    answer = client.post(reverse("schools:join"), {"code": code, **step, **data}, follow=True)
    return answer.status_code, answer.content.decode()


def test_a_class_teacher_prints_slips_for_the_own_class(district: District) -> None:
    school = district.first
    client = signed_in(school.teacher)
    page = client.post(reverse("schools:issue_codes", args=[school.class_32.pk]), {"all": "1"})
    text = page.content.decode()
    found = re.findall(r'schools-code">([2-9A-Z]{5}-[2-9A-Z]{5})<', text)
    assert len(found) == len(set(found)) == 5  # one of the six families has joined already
    assert text.count("data:image/svg+xml") == 5
    assert page["Cache-Control"] == "no-store"
    kept = list(JoinCode.objects.values_list("sha256", flat=True))
    assert not any(code.replace("-", "") in str(kept) for code in found)
    again = client.post(reverse("schools:issue_codes", args=[school.class_32.pk]), {"all": "1"}, follow=True).content.decode()
    assert "请先勾选学生" in again


def test_a_parent_joins_with_a_code_and_is_signed_in(district: District) -> None:
    code, client, pupil = issue(district), Client(), district.first.pupils[1]
    _, text = enter(client, code.lower().replace("-", " "))
    assert "甲小学" in text
    assert "三（2）班" in text
    assert pupil.name not in text
    assert f"{pupil.name[0]}*" in text
    _, text = enter(client, code, **GOOD)
    assert "欢迎，张妈妈" in text
    user = User.objects.get(username="zhangmama")
    assert (user.role, user.organisation, user.check_password(GOOD["password"])) == (Role.PARENT, None, True)
    assert Guardian.objects.get(user=user).pupil == pupil
    assert client.session["_auth_user_id"] == str(user.pk)
    status, text = enter(Client(), code)
    assert status == 400
    assert "已经用过、作废、过期" in text


def test_a_parent_adds_another_child(district: District) -> None:
    code, client = issue(district), signed_in(district.first.parent)
    _, text = enter(client, code)
    assert "关联孩子" in text
    _, text = enter(client, code, relation="father")
    assert "已关联这个孩子" in text
    assert district.first.parent.children.count() == 2


def test_a_child_that_is_tied_already_is_told_and_the_code_stays(district: District) -> None:
    school = district.first
    code = JoinCode.issue(school=school.school, by=school.leader, pupil=school.pupils[0])[1]
    status, text = enter(signed_in(school.parent), code, relation="father")
    assert status == 400
    assert "您已经关联了这个孩子" in text
    assert JoinCode.objects.open().count() == 1


@pytest.mark.parametrize("spoil", ["used_at", "revoked_at", "expires_at"])
def test_a_code_that_opens_nothing_always_says_the_same(district: District, spoil: str) -> None:
    code = issue(district)
    JoinCode.objects.update(**{spoil: timezone.now() - datetime.timedelta(minutes=1)})
    for typed in (code, "ABCDE-FGHJK", "x"):
        status, text = enter(Client(), typed)
        assert status == 400
        assert "加入码不对，或已经用过、作废、过期" in text


def test_after_too_many_wrong_codes_an_address_has_to_wait(district: District) -> None:
    code = issue(district)
    for _ in range(TRIES_MAX):
        enter(Client(), "ABCDE-FGHJK")
    status, text = enter(Client(), code)
    assert status == 429
    assert "15 分钟" in text
    assert Client(REMOTE_ADDR="10.9.8.7").post(reverse("schools:join"), {"code": code}).status_code == 200
    JoinAttempt.objects.update(at=timezone.now() - datetime.timedelta(minutes=16))
    assert enter(Client(), code)[0] == 200


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"again": "another-long-word"}, "两次输入的密码不一样"),
        ({"password": "12345678901", "again": "12345678901"}, "密码"),
        ({"password": "short", "again": "short"}, "密码"),
        ({"username": "leader"}, "用户名"),
        ({"username": "a b"}, "用户名"),
        ({"username": ""}, "请设置用户名"),
        ({"display_name": ""}, "请填写姓名"),
        ({"relation": "neighbour"}, "neighbour"),
    ],
)
def test_a_faulty_form_makes_no_account_and_leaves_the_code_open(district: District, changes: dict[str, str], words: str) -> None:
    code, before = issue(district), User.objects.count()
    status, text = enter(Client(), code, **(GOOD | changes))
    assert status == 400
    assert words in text
    assert User.objects.count() == before
    assert JoinCode.objects.open().count() == 1


def test_a_new_code_ends_the_old_one_and_a_revoked_one_opens_nothing(district: District) -> None:
    school, client = district.first, signed_in(district.first.leader)
    old = issue(district)
    client.post(reverse("schools:issue_codes", args=[school.class_32.pk]), {"pupil": [school.pupils[1].pk]})
    assert enter(Client(), old)[0] == 400
    open_code = JoinCode.objects.open().get()
    page = client.post(reverse("schools:revoke_code", args=[open_code.pk]), follow=True).content.decode()
    assert "已作废" in page
    assert not JoinCode.objects.open().exists()


def test_a_teacher_sets_the_password_of_the_account_an_import_made(district: District) -> None:
    leader = signed_in(district.first.leader)
    post(leader, "apply_roll", send_rows(leader, [["新老师", "xin", "语文", "三（1）班", "", "", ""]], "staff"))
    user = User.objects.get(username="xin")
    assert "新老师" in leader.get(reverse("schools:codes")).content.decode()
    text = leader.post(reverse("schools:issue_staff_codes"), {"staff": [user.pk]}).content.decode()
    code = re.findall(r'schools-code">([2-9A-Z-]+)<', text)[0]
    status, wrong = enter(signed_in(district.first.parent), code)
    assert status == 400
    assert "请先退出登录" in wrong
    client = Client()
    _, shown = enter(client, code)
    assert "新**" in shown
    _, done = enter(client, code, password="autumn-leaves-26", again="autumn-leaves-26")
    assert "欢迎，新老师" in done
    user.refresh_from_db()
    assert user.check_password("autumn-leaves-26")
    assert (
        "只能给还没有设过密码的账户发码"
        in leader.post(reverse("schools:issue_staff_codes"), {"staff": [user.pk]}, follow=True).content.decode()
    )


def test_a_class_teacher_has_no_codes_of_other_classes(district: District) -> None:
    school = district.first
    code = JoinCode.issue(school=school.school, by=school.leader, pupil=make_pupil(school.class_31))[0]
    client = signed_in(school.teacher)
    assert client.get(reverse("schools:class_codes", args=[school.class_31.pk])).status_code == 404
    assert client.post(reverse("schools:revoke_code", args=[code.pk])).status_code == 404
    assert "您不是班主任" in signed_in(school.other_teacher).get(reverse("schools:codes")).content.decode()


def test_two_who_use_one_code_at_once_make_one_guardian(district: District) -> None:
    from django.core.exceptions import ValidationError

    from qingdan.schools.actions.joining import add_child

    issue(district)
    first, second = JoinCode.objects.get(), JoinCode.objects.get()
    add_child(first, make_user("one", Role.PARENT), relation="mother")
    with pytest.raises(ValidationError, match="刚刚被用过"):
        add_child(second, make_user("two", Role.PARENT), relation="father")
    assert Guardian.objects.filter(pupil=district.first.pupils[1]).count() == 1
