"""Who signs in for an institution: its first account, made by whoever registers it and opened with a one-time code."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.institutions.models import Institution
from qingdan.places.journal import Discardable
from qingdan.schools.actions.joining import Slip, issue_for_staff, new_account
from qingdan.storage.refusals import in_words

log = logging.getLogger(__name__)

#: Taking a registration back may delete accounts that nobody has opened.
UNOPENED_ACCOUNTS: Discardable = {User: Q(password__startswith=UNUSABLE_PASSWORD_PREFIX, last_login=None)}
_DISPLAY_NAME_MAX = 50


def accounts_of(institution: Institution) -> list[User]:
    """Who may sign in for an institution, the oldest account first."""
    return list(User.objects.filter(organisation_id=institution.pk, role=Role.INSTITUTION, is_active=True).order_by("pk"))


def open_account(institution: Institution, *, username: str, display_name: str, by: User) -> Slip:
    """A further account of an institution with its code; raise ValidationError on what does not fit.

    Without a user name it is the institution's credit code, which is known to both sides and unique.
    """
    with in_words(User):
        user = new_account(
            institution.organisation, role=Role.INSTITUTION, username=username.strip() or institution.credit_code,
            display_name=display_name.strip() or _clerk_of(institution),
        )  # fmt: skip
        (slip,) = issue_for_staff(None, [user], by=by)
    log.info("institution.account_opened institution=%s user=%s by=%s", institution.pk, user.pk, by.pk)
    return slip


def _clerk_of(institution: Institution) -> str:
    return f"{institution.name[: _DISPLAY_NAME_MAX - 3]}经办人"


@transaction.atomic
def issue_codes(institutions: Sequence[Institution], *, by: User) -> list[Slip]:
    """A code for each institution into which nobody has come yet; an account is made where there is none.

    A code handed out before ends. Raise ValidationError when everybody has come in.
    """
    slips = []
    for each in institutions:
        accounts = accounts_of(each)
        if any(user.has_usable_password() for user in accounts):
            continue
        if accounts:
            slips += issue_for_staff(None, accounts[:1], by=by)
        else:
            slips.append(open_account(each, username="", display_name="", by=by))
    if not slips:
        raise ValidationError("这些机构都已有人设好密码登录，不用再发加入码；忘记密码请联系系统管理员")
    return slips
