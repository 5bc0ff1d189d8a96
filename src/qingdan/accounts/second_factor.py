"""The second factor: a code from an app on the phone, or one of ten recovery codes, each good once.

The devices are django-otp's, which also makes wrong codes wait longer each time. Recovery codes are kept as fingerprints only, as all
secrets of the house that need not be read again.
"""

from __future__ import annotations

import io
import logging
import math
import secrets
from base64 import b32encode
from typing import cast

import segno
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from qingdan.accounts.models import User, sha256_of

log = logging.getLogger(__name__)

RECOVERY_CODES = 10
#: From here on the user is told at sign-in.
FEW_CODES = 4
_NAME, _RECOVERY_NAME = "手机验证码", "恢复码"
#: Easy to copy from paper: no 0/o, 1/i/l.
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_LENGTH = 10
WRONG = "验证码不对。请看手机上正在显示的六位数字（手机时间要准），或输入一个没用过的恢复码"


def app_of(user: User) -> TOTPDevice | None:
    """The user's app on the phone, once it is confirmed."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def has_second_factor(user: User) -> bool:
    """Whether signing in asks for a code."""
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def recovery_codes_left(user: User) -> int:
    """How many recovery codes have not been used."""
    return int(StaticToken.objects.filter(device__user=user).count())


def begin(user: User) -> TOTPDevice:
    """A new key, not asked for until it is confirmed; an earlier unconfirmed one is forgotten. ValidationError when one is in force."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if has_second_factor(user):
            raise ValidationError("两步验证已经启用；要换手机，请先停用再重新启用")
        TOTPDevice.objects.filter(user=user).delete()
        device = TOTPDevice.objects.create(user=user, name=_NAME, confirmed=False)
    log.info("second_factor.begun user=%s", user.pk)
    return cast("TOTPDevice", device)


def waiting_app(user: User) -> TOTPDevice | None:
    """The key that waits for its first code."""
    return TOTPDevice.objects.filter(user=user, confirmed=False).first()


def key_text(device: TOTPDevice) -> str:
    """The key as it is typed into an app: ``ABCD EFGH …``."""
    key = b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(key[start : start + 4] for start in range(0, len(key), 4))


def qr_svg(device: TOTPDevice) -> bytes:
    """The key as a picture for the app's camera."""
    out = io.BytesIO()
    segno.make(device.config_url, error="m").save(out, kind="svg", scale=5, border=3, dark="#17302c", light="#ffffff")
    return out.getvalue()


def _checked(device: Device, token: str) -> bool:
    """Whether a device takes a token; ValidationError while it makes one wait. Call it with the device's row held."""
    is_allowed, why = device.verify_is_allowed()
    if not is_allowed:
        seconds = max(1, math.ceil((why["locked_until"] - timezone.now()).total_seconds()))
        wait = f"{seconds} 秒" if seconds < 120 else f"{math.ceil(seconds / 60)} 分钟"
        raise ValidationError(f"连续输错 {why['failure_count']} 次，请过 {wait}再试", code="wait")
    return bool(device.verify_token(token))


def tidy(code: str) -> str:
    """A code as typed, without spaces and dashes, in small letters."""
    return "".join(letter for letter in code.lower() if letter.isalnum())


def _fingerprint(device: StaticDevice, code: str) -> str:
    return sha256_of(f"{device.pk}:{code}")[:16]


def verify(user: User, code: str) -> Device | None:
    """The device that takes a code; None for a wrong one, which counts; ValidationError while the user has to wait."""
    code = tidy(code)
    is_recovery = not code.isdecimal()
    model = StaticDevice if is_recovery else TOTPDevice
    # The row is held, so that one code cannot be used twice at once; a wrong one must stay counted, so nothing is raised in here.
    with transaction.atomic():
        device = model.objects.select_for_update().filter(user=user, confirmed=True).first()
        if device is None:
            return None
        is_right = _checked(device, _fingerprint(device, code) if is_recovery else code)
    log.log(logging.INFO if is_right else logging.WARNING, "second_factor.%s user=%s", "right" if is_right else "wrong", user.pk)
    return device if is_right else None


def refuse_wrong(user: User, code: str) -> Device:
    """The device that takes a code; ValidationError otherwise."""
    device = verify(user, code)
    if device is None:
        raise ValidationError(WRONG)
    return device


def confirm(user: User, code: str) -> tuple[Device, list[str]]:
    """Put the waiting key in force with its first code; gives back the recovery codes, which are shown once."""
    with transaction.atomic():
        device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
        if device is None:
            raise ValidationError("没有等待确认的密钥，请重新开始")
        is_right = _checked(device, tidy(code))
        codes = []
        if is_right:
            device.confirmed = True
            device.save(update_fields=["confirmed"])
            codes = _new_codes(user)
    # Raised out here: what a wrong code counts for must stay.
    if not is_right:
        raise ValidationError("验证码不对。请看手机上正在显示的六位数字，并检查手机时间是否准确")
    log.info("second_factor.on user=%s", user.pk)
    return device, codes


def _new_codes(user: User) -> list[str]:
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name=_RECOVERY_NAME)
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create([StaticToken(device=device, token=_fingerprint(device, code)) for code in codes])
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _recovery_code() -> str:
    """Letters and digits, never digits alone: those are taken for the app's."""
    while (code := "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))).isdecimal():
        pass
    return code


def renew_codes(user: User, code: str) -> list[str]:
    """Ten new recovery codes in place of the old ones; ValidationError on a wrong code."""
    refuse_wrong(user, code)
    with transaction.atomic():
        codes = _new_codes(user)
    log.info("second_factor.codes_renewed user=%s", user.pk)
    return codes


def turn_off(user: User, code: str) -> None:
    """Ask for a code no longer; ValidationError on a wrong one."""
    refuse_wrong(user, code)
    remove(user)


def remove(user: User) -> bool:
    """Remove all devices of a user; whether there was one in force."""
    with transaction.atomic():
        was_on = has_second_factor(user)
        TOTPDevice.objects.filter(user=user).delete()
        StaticDevice.objects.filter(user=user).delete()
    log.info("second_factor.off user=%s", user.pk)
    return was_on
