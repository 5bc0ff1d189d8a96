"""People come in with a one-time code: a parent makes an account tied to a child, a teacher sets the password of the own account."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from qingdan.accounts.enums import Role
from qingdan.accounts.models import Organisation, User
from qingdan.schools.actions.classes import lock_school
from qingdan.schools.enums import JoinKind
from qingdan.schools.models import Guardian, JoinCode, Pupil, School

log = logging.getLogger(__name__)

#: One sentence for every code that opens nothing: nobody learns which codes there ever were.
NO_SUCH_CODE = "加入码不对，或已经用过、作废、过期。请核对纸条上的十位字母和数字；还是不行，请向发码的人要一个新的"


@dataclass(frozen=True)
class Slip:
    """A code on its way to paper: the only time it is there in clear."""

    name: str
    #: The class, or the user name of a member of staff.
    detail: str
    code: str
    issued: JoinCode


def masked(name: str) -> str:
    """``张小明`` as 张**: enough to know one's own child by, too little for a stranger."""
    return name[:1] + "*" * max(len(name) - 1, 1)


def issue_for_pupils(school: School, pupils: Sequence[Pupil], *, class_name: str, by: User) -> list[Slip]:
    """A new code for each pupil; codes handed out before for the same pupil and not used end."""
    with transaction.atomic():
        lock_school(school)
        for each in JoinCode.objects.open().filter(kind=JoinKind.GUARDIAN, pupil__in=pupils):
            each.revoke()
        slips = []
        for pupil in pupils:
            issued, code = JoinCode.issue(school=school, by=by, pupil=pupil)
            slips.append(Slip(pupil.name, class_name, code, issued))
    log.info("join.issued kind=guardian codes=%s by=%s", len(slips), by.pk)
    return slips


def new_account(organisation: Organisation, *, username: str, display_name: str, role: str) -> User:
    """An account that waits for its owner to set a password with a one-time code; raise ValidationError on what does not fit."""
    user = User(username=username, display_name=display_name, role=role, organisation=organisation)
    user.set_unusable_password()
    user.full_clean(exclude=["password"])
    user.save()
    return user


def issue_for_staff(school: School | None, staff: Sequence[User], *, by: User) -> list[Slip]:
    """A new code for each account that has no password yet; raise ValidationError for one that has.

    ``school`` is the school whose accounts they are, None for accounts of other organisations.
    """
    if any(each.has_usable_password() for each in staff):
        raise ValidationError("只能给还没有设过密码的账户发码；忘记密码请联系系统管理员")
    with transaction.atomic():
        if school is not None:
            lock_school(school)
        for each in JoinCode.objects.open().filter(kind=JoinKind.STAFF, staff__in=staff):
            each.revoke()
        slips = []
        for user in staff:
            issued, code = JoinCode.issue(school=school, by=by, staff=user)
            slips.append(Slip(user.display_name, user.username, code, issued))
    log.info("join.issued kind=staff codes=%s by=%s", len(slips), by.pk)
    return slips


@transaction.atomic
def join_as_parent(code: JoinCode, *, username: str, display_name: str, password: str, relation: str) -> User:
    """A new parent's account, tied to the code's child; raise ValidationError on what does not fit, and nothing is made."""
    assert code.pupil is not None
    user = User(username=username, display_name=display_name, role=Role.PARENT)
    validate_password(password, user)
    user.set_password(password)
    user.full_clean()
    user.save()
    _tie(code, user, relation)
    return user


@transaction.atomic
def add_child(code: JoinCode, user: User, *, relation: str) -> Guardian:
    """Another child for a parent who has an account; raise ValidationError when it is tied already."""
    return _tie(code, user, relation)


def _tie(code: JoinCode, user: User, relation: str) -> Guardian:
    assert code.pupil is not None
    guardian = Guardian(user=user, pupil=code.pupil, relation=relation)
    guardian.full_clean()
    code.use(user)
    guardian.save()
    log.info("join.guardian user=%s pupil=%s code=%s", user.pk, code.pupil_id, code.pk)
    return guardian


@transaction.atomic
def join_as_staff(code: JoinCode, *, password: str) -> User:
    """The owner of an account that an import made sets its password."""
    user = code.staff
    assert user is not None
    validate_password(password, user)
    code.use(user)
    user.set_password(password)
    user.save(update_fields=["password"])
    log.info("join.staff user=%s code=%s", user.pk, code.pk)
    return user
