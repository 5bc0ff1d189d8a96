"""Tokens: issued, shown once, revoked."""

from __future__ import annotations

import datetime
import re

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.enums import SCOPES_OF_ROLE, Scope
from qingdan.accounts.models import ApiToken, IdempotentAnswer, sha256_of
from tests.district import District, signed_in

PAGE = reverse("accounts:tokens")
GOOD = {"name": "每晚同步", "scopes": [Scope.HOMEWORK_READ.value], "days": "30"}


def test_a_token_is_issued_and_its_secret_shown_once(district: District) -> None:
    client = signed_in(district.first.teacher)
    assert "还没有在用的密钥" in client.get(PAGE).content.decode()
    response = client.post(PAGE, GOOD)
    secret = re.findall(r"<code>(qd_[\w-]+)</code>", response.content.decode())[0]
    token = ApiToken.objects.get()
    assert token.sha256 == sha256_of(secret)
    assert ApiToken.objects.of_secret(secret) == token
    assert datetime.timedelta(days=29) < token.expires_at - timezone.now() < datetime.timedelta(days=31)
    assert "no-store" in response["Cache-Control"]
    assert secret not in client.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "用途"),
        ({"scopes": []}, "至少勾选一项"),
        ({"scopes": [Scope.FINDINGS_WRITE.value]}, "不能选这项权限"),
        ({"days": "0"}, "至少 1 天"),
        ({"days": "366"}, "最多 365 天"),
        ({"days": "soon"}, "整数"),
    ],
)
def test_a_token_that_does_not_fit_is_refused(district: District, changes: dict[str, object], words: str) -> None:
    response = signed_in(district.first.teacher).post(PAGE, GOOD | changes)
    assert response.status_code == 400
    assert words in response.content.decode()
    assert not ApiToken.objects.exists()


def test_sending_the_form_twice_issues_one(district: District) -> None:
    client = signed_in(district.first.teacher)
    client.post(PAGE, GOOD)
    assert "已有同名的密钥" in client.post(PAGE, GOOD).content.decode()
    assert ApiToken.objects.count() == 1


def test_each_role_is_offered_what_it_may_do(district: District) -> None:
    for user in (district.bureau, district.first.leader, district.first.teacher):
        page = signed_in(user).get(PAGE).content.decode()
        offered = set(re.findall(r'name="scopes" value="([\w:]+)"', page))
        assert offered == {scope.value for scope in SCOPES_OF_ROLE[user.role]}


def test_a_token_is_revoked_for_good_by_its_owner_only(district: District) -> None:
    token, secret = ApiToken.issue(district.first.teacher, name="同步", scopes=["homework:read"], days=5)
    revoke = reverse("accounts:token_revoke", args=[token.pk])
    assert signed_in(district.first.other_teacher).post(revoke).status_code == 404
    assert ApiToken.objects.of_secret(secret) == token
    page = signed_in(district.first.teacher).post(revoke, follow=True).content.decode()
    assert "已停用" in page
    assert "已停用或过期的（1）" in page
    assert ApiToken.objects.of_secret(secret) is None


def test_the_page_asks_the_same_number_of_questions_for_one_and_for_many(district: District) -> None:
    client = signed_in(district.first.teacher)

    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(PAGE)
        return len(asked)

    ApiToken.issue(district.first.teacher, name="零", scopes=["homework:read"], days=5)
    few = questions()
    for number in range(9):
        ApiToken.issue(district.first.teacher, name=f"第 {number} 把", scopes=["homework:read"], days=5)
    assert questions() == few


@pytest.mark.parametrize(
    ("constraint", "changes", "words"),
    [("token_has_a_scope", {"scopes": []}, "至少要有一项权限"), ("token_name_is_not_empty", {"name": ""}, "用途")],
)
def test_a_token_that_must_not_be_is_refused_by_the_database(
    district: District, constraint: str, changes: dict[str, object], words: str
) -> None:
    values = {"name": "x", "scopes": ["homework:read"], "sha256": "0" * 64, "expires_at": timezone.now()} | changes
    token = ApiToken(user=district.first.teacher, **values)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        token.save()
    with pytest.raises(ValidationError, match=words):
        token.validate_constraints()


def test_a_key_is_kept_once_per_token(district: District) -> None:
    token, _ = ApiToken.issue(district.first.teacher, name="同步", scopes=["homework:read"], days=5)
    IdempotentAnswer.objects.create(token=token, key="k", request_sha256="0" * 64)
    twin = IdempotentAnswer(token=token, key="k", request_sha256="1" * 64)
    with pytest.raises(IntegrityError, match="idempotency_key_once_per_token"), transaction.atomic():
        twin.save()
    with pytest.raises(ValidationError, match="已经用过"):
        twin.validate_constraints()
