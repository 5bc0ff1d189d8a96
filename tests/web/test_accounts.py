"""Signing in, being locked out, passwords, and the accounts that commands make."""

from __future__ import annotations

import io

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from qingdan.accounts.actions import add_account
from qingdan.accounts.models import Organisation, User
from tests.web.conftest import PASSWORD, Cast, signed_in


def sign_in(client: Client, username: str, password: str) -> int:
    return client.post(reverse("accounts:login"), {"username": username, "password": password}).status_code


def test_signing_in_leads_back_to_the_page_asked_for(cast: Cast) -> None:
    client = Client()
    wanted = reverse("uploads:new")
    asked = client.get(wanted, follow=True)
    assert "这个页面要登录后才能看" in asked.content.decode()
    response = client.post(reverse("accounts:login"), {"username": "school", "password": PASSWORD, "next": wanted})
    assert response["Location"] == wanted
    page = client.get(wanted).content.decode()
    assert "甲小学" in page
    client.post(reverse("accounts:logout"))
    assert client.get(wanted).status_code == 302


def test_signing_in_leads_to_no_other_site(cast: Cast) -> None:
    data = {"username": "school", "password": PASSWORD, "next": "https://example.org/"}
    assert Client().post(reverse("accounts:login"), data)["Location"] == reverse("home")


def test_wrong_passwords_lock_the_account_here_for_a_while(cast: Cast) -> None:
    client = Client()
    for _ in range(4):
        assert sign_in(client, "school", "wrong") == 200
    response = client.post(reverse("accounts:login"), {"username": "school", "password": "wrong"})
    assert response.status_code == 429
    assert "登录已暂停 15 分钟" in response.content.decode()
    assert sign_in(client, "school", PASSWORD) == 429, "the right password does not help during the lock"
    assert sign_in(client, "bureau", PASSWORD) == 302, "others sign in from the same address"
    elsewhere = Client(REMOTE_ADDR="10.9.8.7")
    assert sign_in(elsewhere, "school", PASSWORD) == 302, "nobody can lock another out from elsewhere"


def test_a_wrong_password_is_told_without_saying_which_was_wrong(cast: Cast) -> None:
    texts = [
        Client().post(reverse("accounts:login"), {"username": name, "password": "wrong"}).content.decode() for name in ("school", "nobody")
    ]
    assert all("用户名或密码不对" in text for text in texts)


def test_a_user_who_was_switched_off_is_out_at_once(cast: Cast) -> None:
    client = signed_in(cast.school)
    User.objects.filter(pk=cast.school.pk).update(is_active=False)
    assert client.get(reverse("uploads:list")).status_code == 302


def test_changing_the_password_ends_other_sessions(cast: Cast) -> None:
    here, elsewhere = signed_in(cast.school), signed_in(cast.school)
    new = "an-even-longer-password"
    data = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert "密码已修改" in here.post(reverse("accounts:password"), data, follow=True).content.decode()
    assert here.get(reverse("uploads:list")).status_code == 200
    assert elsewhere.get(reverse("uploads:list")).status_code == 302


def test_a_weak_password_is_refused_in_chinese(cast: Cast) -> None:
    data = {"old_password": PASSWORD, "new_password1": "12345", "new_password2": "12345"}
    page = signed_in(cast.school).post(reverse("accounts:password"), data).content.decode()
    assert "密码" in page
    assert 'class="qd-error"' in page


def test_add_account_reads_the_password_from_the_terminal(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda: PASSWORD)
    out = io.StringIO()
    arguments = ["--name", "张三", "--organisation", "丙小学", "--kind", "school", "--layer", "cn-shanghai"]
    call_command("add_account", "zhangsan", *arguments, stdout=out)
    assert "zhangsan（丙小学）" in out.getvalue()
    assert sign_in(Client(), "zhangsan", PASSWORD) == 302
    with pytest.raises(CommandError):
        call_command("add_account", "zhangsan", *arguments)


def test_a_layer_that_the_pack_lacks_is_refused_with_the_nearest(db: None) -> None:
    with pytest.raises(ValidationError, match="cn-shanghai"):
        add_account(username="a", display_name="甲", password=PASSWORD, organisation="丁", kind="school", layer_code="cn-shanghia")
    assert not Organisation.objects.exists()
