"""Who somebody is, without keeping it: id and passport numbers become keyed digests, and are shown with their middle hidden.

The digest is HMAC-SHA256 of the normalised number. Its key is made of QINGDAN_IDENTITY_KEY, or else of SECRET_KEY; whoever changes the
key loses all matches between earlier and later digests. The number itself is never stored and never logged.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata

from django.conf import settings
from django.core.exceptions import ValidationError
from stdnum.cn import ric
from stdnum.exceptions import ValidationError as NumberError

_LABEL = b"qingdan identity digest 1"
_DIGITS_LENGTH = 18
_PASSPORT = re.compile(r"(?=.*[0-9])[A-Z0-9]{6,15}")
_NO_NUMBER = re.compile(r"[\s\-·]+")


def normalised(number: str) -> str:
    """A number in one spelling: half width, upper case, no blanks or dashes."""
    return _NO_NUMBER.sub("", unicodedata.normalize("NFKC", number)).upper()


def checked(number: str, *, is_foreign: bool = False) -> str:
    """The number in one spelling; raise ValidationError, without repeating it, when it cannot be one.

    Of a Chinese citizen 18 digits with a right check digit are wanted, of a foreigner a passport (or a residence permit of 15
    to 18 signs).
    """
    text = normalised(number)
    if is_foreign:
        if _PASSPORT.fullmatch(text) or (len(text) == _DIGITS_LENGTH and text.isalnum()):
            return text
        raise ValidationError("护照号应为 6 至 15 位字母和数字，请对照护照资料页逐位核对")
    try:
        return str(ric.validate(text))
    except NumberError:
        raise ValidationError("身份证号不对：应为 18 位，请对照证件逐位核对（末位是校验码，可以是 X）") from None


def _key() -> bytes:
    secret = getattr(settings, "QINGDAN_IDENTITY_KEY", "") or settings.SECRET_KEY
    return hmac.new(secret.encode(), _LABEL, hashlib.sha256).digest()


def digest(number: str, *, is_foreign: bool = False) -> str:
    """The keyed digest of a number, 64 hexadecimal digits; raise ValidationError as :func:`checked` does."""
    return hmac.new(_key(), checked(number, is_foreign=is_foreign).encode(), hashlib.sha256).hexdigest()


def masked(number: str) -> str:
    """What may be shown of a number: its first and last signs; fewer of a short one."""
    text = normalised(number)
    first, last = (3, 2) if len(text) >= _DIGITS_LENGTH else (1, 2)
    return text[:first] + "*" * max(len(text) - first - last, 0) + text[-last:]
