"""Notices: told once, read by their owner, leading to pages of this house only."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.models import User
from qingdan.notices.models import Notice
from tests.district import District, signed_in

LIST = reverse("notices:list")


def tell(user: User, text: str = "三年级本周还没有公示", occasion: str = "", url: str = "/homework/") -> Notice:
    Notice.objects.send([user], occasion=occasion or text, text=text, url=url)
    return Notice.objects.get(user=user, occasion=occasion or text)


def test_the_same_occasion_is_told_once(district: District) -> None:
    tell(district.first.teacher)
    tell(district.first.teacher)
    assert Notice.objects.count() == 1


def test_unread_ones_come_first(district: District) -> None:
    user = district.first.teacher
    tell(user, "甲事").mark_read()
    tell(user, "乙事")
    tell(user, "丙事").mark_read()
    page = signed_in(user).get(LIST).content.decode()
    assert page.index("乙事") < page.index("丙事") < page.index("甲事")
    assert "1 条未读" in page
    unread = signed_in(user).get(LIST, {"only": "unread"}).content.decode()
    assert "乙事" in unread
    assert "丙事" not in unread


def test_opening_marks_as_read_and_leads_there(district: District) -> None:
    user = district.first.teacher
    notice = tell(user)
    response = signed_in(user).post(reverse("notices:open", args=[notice.pk]))
    assert response["Location"] == "/homework/"
    notice.refresh_from_db()
    first = notice.read_at
    assert first is not None
    signed_in(user).post(reverse("notices:open", args=[notice.pk]))
    notice.refresh_from_db()
    assert notice.read_at == first


@pytest.mark.parametrize("url", ["", "https://example.org/", "//example.org/", "javascript:alert(1)", "/\\example.org", "homework/"])
def test_a_notice_leads_to_no_other_site(district: District, url: str) -> None:
    notice = tell(district.first.teacher, url=url)
    response = signed_in(district.first.teacher).post(reverse("notices:open", args=[notice.pk]))
    assert response["Location"] == LIST


def test_a_notice_of_somebody_else_is_not_there(district: District) -> None:
    notice = tell(district.first.teacher)
    stranger = signed_in(district.first.other_teacher)
    assert stranger.post(reverse("notices:open", args=[notice.pk])).status_code == 404
    assert notice.text not in stranger.get(LIST).content.decode()
    stranger.post(reverse("notices:read_all"))
    notice.refresh_from_db()
    assert notice.read_at is None


def test_all_are_marked_as_read(district: District) -> None:
    user = district.first.teacher
    for number in range(3):
        tell(user, f"第 {number} 件")
    assert "3 条通知已标为已读" in signed_in(user).post(reverse("notices:read_all"), follow=True).content.decode()
    assert not Notice.objects.unread().exists()
    assert "没有未读的通知" in signed_in(user).post(reverse("notices:read_all"), follow=True).content.decode()


def test_an_empty_list_says_what_will_come(district: District) -> None:
    client = signed_in(district.first.teacher)
    assert "还没有通知" in client.get(LIST).content.decode()
    assert "没有未读的通知" in client.get(LIST, {"only": "unread"}).content.decode()


def test_the_list_comes_in_pages_and_asks_the_same_number_of_questions(district: District) -> None:
    user = district.first.teacher
    client = signed_in(user)

    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(LIST)
        return len(asked)

    tell(user)
    few = questions()
    for number in range(25):
        tell(user, f"第 {number} 件")
    assert questions() == few
    assert "第 1 / 2 页，共 26 条" in client.get(LIST).content.decode()


def test_the_bell_counts_unread_ones(district: District) -> None:
    user = district.first.teacher
    assert "badge" not in render_to_string("notices/includes/bell.html", {"user": user})
    tell(user)
    bell = render_to_string("notices/includes/bell.html", {"user": user})
    assert "1 条未读" in bell
    assert LIST in bell
    Notice.objects.bulk_create(Notice(user=user, occasion=f"{number}", text="x") for number in range(120))
    assert "99+" in render_to_string("notices/includes/bell.html", {"user": user})


def test_what_must_not_be_is_refused_by_the_database(district: District) -> None:
    user = district.first.teacher
    tell(user, occasion="一件事")
    for constraint, notice, words in (
        ("notice_once_per_occasion", Notice(user=user, occasion="一件事", text="x"), "已经通知过"),
        ("notice_has_text", Notice(user=user, occasion="另一件", text="", sent_at=timezone.now()), "要有内容"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            notice.save()
        with pytest.raises(ValidationError, match=words):
            notice.validate_constraints()
