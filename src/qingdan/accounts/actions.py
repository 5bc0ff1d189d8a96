"""What touches organisations and users together."""

from __future__ import annotations

import datetime
import logging

from django.db import transaction
from django.utils import timezone

from qingdan.accounts.enums import FIRST_ROLE
from qingdan.accounts.models import IDEMPOTENCY_DAYS, IdempotentAnswer, Organisation, User

log = logging.getLogger(__name__)


@transaction.atomic
def add_account(
    *, username: str, display_name: str, password: str, organisation: str, kind: str, layer_code: str, region_code: str = "", role: str = ""
) -> User:
    """Add a user, and the organisation when it is new; raise ValidationError, in Chinese, on anything that does not fit."""
    found = Organisation.objects.filter(name=organisation).first()
    if found is None:
        found = Organisation(name=organisation, kind=kind, layer_code=layer_code, region_code=region_code)
        found.full_clean()
        found.save()
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
