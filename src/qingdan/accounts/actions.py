"""What touches organisations and users together."""

from __future__ import annotations

import datetime
import logging

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from qingdan.accounts.enums import FIRST_ROLE, CompetentDepartment, OrganisationKind, Role
from qingdan.accounts.models import IDEMPOTENCY_DAYS, IdempotentAnswer, Organisation, User

log = logging.getLogger(__name__)


#: The departments besides education, as a clerk types and reads them.
DEPARTMENTS_TEXT = "、".join(
    f"{each.value}（{each.label}）" for each in CompetentDepartment if each not in (CompetentDepartment.EDUCATION, CompetentDepartment.NONE)
)


def needs_department(role: str) -> bool:
    """Whether a new organisation of somebody in this role has to say which department it is."""
    return role == Role.DEPARTMENT


@transaction.atomic
def add_account(
    *, username: str, display_name: str, password: str, organisation: str, kind: str, layer_code: str, region_code: str = "",
    role: str = "", department: str = "",
) -> User:  # fmt: skip
    """Add a user, and the organisation when it is new; raise ValidationError, in Chinese, on anything that does not fit.

    ``department`` says of a new bureau which department it is; an officer of a department other than education needs one that has it.
    """
    found = Organisation.objects.filter(name=organisation).first()
    if found is None:
        if needs_department(role) and not department:
            raise ValidationError(f"“{Role.DEPARTMENT.label}”的单位要写明是哪个部门：{DEPARTMENTS_TEXT}")
        found = Organisation(name=organisation, kind=kind, layer_code=layer_code, region_code=region_code, department=department)
        if department and found.kind != OrganisationKind.BUREAU:
            raise ValidationError(f"只有{OrganisationKind.BUREAU.label}和其他主管部门才有部门，“{organisation}”不是")
        found.full_clean()
        found.save()
    elif department and found.department != department:
        known = found.get_department_display() or "没有写部门"
        raise ValidationError(f"“{organisation}”已经登记（{known}），与写的部门不同；请核对单位名称或部门")
    user = User(username=username, display_name=display_name, organisation=found, role=role or FIRST_ROLE[found.kind])
    user.set_password(password)
    user.full_clean()
    user.save()
    return user


def purge_answers() -> int:
    """Forget kept answers older than IDEMPOTENCY_DAYS; the number is returned. Their keys may then be used anew."""
    oldest = timezone.now() - datetime.timedelta(days=IDEMPOTENCY_DAYS)
    gone, _ = IdempotentAnswer.objects.filter(created_at__lt=oldest).delete()
    log.info("api.answers_purged count=%s", gone)
    return gone
