"""The second factor: optional, for staff; a code after the password, recovery codes, and help when all is lost."""

from __future__ import annotations

import datetime
import io
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from qingdan.accounts.models import User
from tests.district import PASSWORD, District, signed_in

PAGE = reverse("accounts:second_factor")
LOGIN = reverse("accounts:login")
CODE = reverse("accounts:code")


def app_code(user: User, *, steps: int = 0) -> str:
    """What the user's app shows, some steps of 30 seconds from now; a step once used is forgotten, so that tests need not wait."""
    device = TOTPDevice.objects.get(user=user)
    TOTPDevice.objects.filter(pk=device.pk).update(last_t=-1, drift=0)
    return f"{totp(device.bin_key) if not steps else totp(device.bin_key, t0=-30 * steps):06}"


def wrong_code(user: User) -> str:
    return f"{(int(app_code(user)) + 1) % 1_000_000:06}"


def turn_on(user: User) -> list[str]:
    """Set it up through the pages; gives back the recovery codes."""
    client = signed_in(user)
    client.post(reverse("accounts:second_factor_begin"))
    page = client.post(reverse("accounts:second_factor_confirm"), {"code": app_code(user)})
    assert page.status_code == 200
    return re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", page.content.decode())


def give_password(user: User, client: Client | None = None, **more: str) -> Client:
    client = client or Client()
    response = client.post(LOGIN, {"username": user.username, "password": PASSWORD, **more})
    assert response["Location"] == CODE
    return client


def is_in(client: Client) -> bool:
    return client.get(reverse("accounts:password")).status_code == 200


def may_try_again(user: User) -> None:
    """Let the wait after wrong codes be over."""
    past = timezone.now() - datetime.timedelta(hours=1)
    for model in (TOTPDevice, StaticDevice):
        model.objects.filter(user=user).update(throttling_failure_timestamp=past)


def test_setting_it_up_shows_key_and_picture_and_then_ten_codes_once(district: District) -> None:
    user = district.first.teacher
    client = signed_in(user)
    assert "未启用" in client.get(PAGE).content.decode()
    client.post(reverse("accounts:second_factor_begin"))
    page = client.get(PAGE).content.decode()
    device = TOTPDevice.objects.get(user=user)
    assert not device.confirmed
    secret = parse_qs(urlsplit(device.config_url).query)["secret"][0]
    assert secret in page.replace(" ", "")
    picture = client.get(reverse("accounts:second_factor_qr"))
    assert picture["Content-Type"] == "image/svg+xml"
    assert picture.content.startswith(b"<?xml") or b"<svg" in picture.content[:200]
    shown = client.post(reverse("accounts:second_factor_confirm"), {"code": app_code(user)})
    codes = re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", shown.content.decode())
    assert len(set(codes)) == 10
    assert "no-store" in shown["Cache-Control"]
    again = client.get(PAGE).content.decode()
    assert "已启用" in again
    assert not any(code in again for code in codes)
    assert not StaticToken.objects.filter(token__in=[code.replace("-", "") for code in codes]).exists()
    assert client.get(reverse("accounts:second_factor_qr")).status_code == 404
    assert client.get(PAGE).wsgi_request.user.is_verified()  # type: ignore[union-attr]


def test_a_wrong_first_code_puts_nothing_in_force(district: District) -> None:
    user = district.first.teacher
    client = signed_in(user)
    client.post(reverse("accounts:second_factor_begin"))
    response = client.post(reverse("accounts:second_factor_confirm"), {"code": wrong_code(user)})
    assert response.status_code == 400
    assert "验证码不对" in response.content.decode()
    assert client.post(reverse("accounts:second_factor_confirm"), {"code": ""}).status_code == 400
    assert not TOTPDevice.objects.filter(confirmed=True).exists()
    assert Client().post(LOGIN, {"username": user.username, "password": PASSWORD})["Location"] == reverse("home")


def test_signing_in_asks_for_the_code_and_leads_to_the_page_asked_for(district: District) -> None:
    user = district.first.leader
    turn_on(user)
    wanted = reverse("uploads:new")
    client = give_password(user, next=wanted)
    assert not is_in(client)
    assert "六位数字" in client.get(CODE).content.decode()
    response = client.post(CODE, {"code": app_code(user)})
    assert response["Location"] == wanted
    assert is_in(client)


def test_the_session_gets_a_new_number_with_the_password_and_with_the_code(district: District) -> None:
    user = district.first.leader
    turn_on(user)
    client = Client()
    client.get(LOGIN)
    give_password(user, client)
    before = client.session.session_key
    client.post(CODE, {"code": app_code(user)})
    assert client.session.session_key != before


def test_the_code_leads_to_no_other_site(district: District) -> None:
    user = district.first.leader
    turn_on(user)
    client = give_password(user, next="https://example.org/")
    assert client.post(CODE, {"code": app_code(user)})["Location"] == reverse("home")


def test_others_sign_in_as_before(district: District) -> None:
    turn_on(district.first.leader)
    for user in (district.first.teacher, district.first.parent):
        assert Client().post(LOGIN, {"username": user.username, "password": PASSWORD})["Location"] == reverse("home")


def test_a_code_is_good_once(district: District) -> None:
    user = district.first.leader
    turn_on(user)
    code = app_code(user)
    give_password(user).post(CODE, {"code": code})
    second = give_password(user)
    assert second.post(CODE, {"code": code}).status_code == 200
    assert not is_in(second)


def test_a_recovery_code_is_good_once_however_it_is_typed(district: District) -> None:
    user = district.first.leader
    code = turn_on(user)[0]
    client = give_password(user)
    assert client.post(CODE, {"code": f" {code.upper().replace('-', ' ')} "}).status_code == 302
    assert is_in(client)
    again = give_password(user)
    again.post(CODE, {"code": code})
    assert not is_in(again)


def test_few_codes_left_are_told(district: District) -> None:
    user = district.first.leader
    codes = turn_on(user)
    StaticToken.objects.filter(pk__in=StaticToken.objects.order_by("pk").values("pk")[1:8]).delete()
    client = give_password(user)
    page = client.post(CODE, {"code": codes[0]}, follow=True).content.decode()
    assert "恢复码还剩 2 个" in page


def test_a_wrong_code_makes_one_wait(district: District) -> None:
    user = district.first.leader
    turn_on(user)
    client = give_password(user)
    assert "验证码不对" in client.post(CODE, {"code": wrong_code(user)}).content.decode()
    page = client.post(CODE, {"code": app_code(user)}).content.decode()
    assert "连续输错 1 次，请过 1 秒再试" in page
    assert not is_in(client)
    may_try_again(user)
    client.post(CODE, {"code": app_code(user)})
    assert is_in(client)


def test_wrong_codes_lock_like_wrong_passwords(district: District) -> None:
    user = district.first.leader
    turn_on(user)
    client = give_password(user)
    for _ in range(4):
        assert client.post(CODE, {"code": wrong_code(user)}).status_code == 200
        may_try_again(user)
    locked = client.post(CODE, {"code": wrong_code(user)})
    assert locked.status_code == 429
    assert "暂停 15 分钟" in locked.content.decode()
    may_try_again(user)
    assert client.post(CODE, {"code": app_code(user)}).status_code == 429, "the right code does not help during the lock"
    assert Client().post(LOGIN, {"username": user.username, "password": PASSWORD}).status_code == 429


def test_a_right_password_does_not_wipe_out_wrong_codes(district: District) -> None:
    """Otherwise who knows the password could try codes for ever."""
    user = district.first.leader
    turn_on(user)
    for _ in range(4):
        give_password(user).post(CODE, {"code": wrong_code(user)})
        may_try_again(user)
    assert give_password(user).post(CODE, {"code": wrong_code(user)}).status_code == 429


def test_without_a_password_there_is_no_code_page(district: District) -> None:
    response = Client().get(CODE)
    assert response["Location"] == LOGIN
    assert signed_in(district.first.leader).get(CODE)["Location"] == reverse("home")


def test_a_password_given_does_not_wait_for_ever(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    user = district.first.leader
    turn_on(user)
    client = give_password(user)
    import time

    now = time.time()
    monkeypatch.setattr("qingdan.accounts.pending.time.time", lambda: now + 601)
    assert client.get(CODE)["Location"] == LOGIN


@pytest.mark.parametrize("change", ["password", "switched off"])
def test_a_password_given_is_worth_nothing_once_the_account_has_changed(district: District, change: str) -> None:
    user = district.first.leader
    turn_on(user)
    client = give_password(user)
    if change == "password":
        user.set_password("another-long-password")
    else:
        user.is_active = False
    user.save()
    assert client.post(CODE, {"code": app_code(user)})["Location"] == LOGIN
    assert not is_in(client)


def test_it_is_turned_off_with_a_code_only(district: District) -> None:
    user = district.first.leader
    turn_on(user)
    client = signed_in(user)
    off = reverse("accounts:second_factor_off")
    assert client.post(off, {"off-code": "abcde-fghij"}).status_code == 400
    assert TOTPDevice.objects.filter(user=user, confirmed=True).exists()
    page = client.post(off, {"off-code": app_code(user)}, follow=True).content.decode()
    assert "两步验证已停用" in page
    assert not StaticDevice.objects.filter(user=user).exists()
    assert Client().post(LOGIN, {"username": user.username, "password": PASSWORD})["Location"] == reverse("home")


def test_recovery_codes_are_renewed(district: District) -> None:
    user = district.first.leader
    old = turn_on(user)
    client = signed_in(user)
    page = client.post(reverse("accounts:recovery_codes"), {"code": app_code(user)}).content.decode()
    new = re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", page)
    assert len(new) == 10
    assert not set(new) & set(old)
    give_password(user).post(CODE, {"code": old[0]})
    may_try_again(user)
    client = give_password(user)
    client.post(CODE, {"code": new[0]})
    assert is_in(client)
    assert client.post(reverse("accounts:recovery_codes"), {"code": "000000"}).status_code == 400


def test_beginning_anew_does_not_touch_what_is_in_force(district: District) -> None:
    user = district.first.leader
    turn_on(user)
    page = signed_in(user).post(reverse("accounts:second_factor_begin"), follow=True).content.decode()
    assert "已经启用" in page
    assert TOTPDevice.objects.get(user=user).confirmed
    assert signed_in(user).post(reverse("accounts:second_factor_confirm"), {"code": "123456"}).status_code == 400


def test_the_administrator_removes_it(district: District) -> None:
    user = district.first.leader
    turn_on(user)
    out = io.StringIO()
    call_command("remove_second_factor", user.username, stdout=out)
    call_command("remove_second_factor", user.username, stdout=out)
    assert "已撤销" in out.getvalue()
    assert "不必撤销" in out.getvalue()
    assert Client().post(LOGIN, {"username": user.username, "password": PASSWORD})["Location"] == reverse("home")
    with pytest.raises(CommandError, match="没有用户名"):
        call_command("remove_second_factor", "nobody")
