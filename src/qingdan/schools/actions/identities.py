"""Identities of a school's staff, so that whoever also works for a training institution is recognised. Numbers are never kept."""

from __future__ import annotations

import logging

from django.core.exceptions import ValidationError
from django.db import transaction

from qingdan.accounts.identity import digest, masked
from qingdan.accounts.models import User
from qingdan.places.journal import Journal
from qingdan.schools.actions.classes import lock_school
from qingdan.schools.models import School, StaffIdentity
from qingdan.storage.refusals import in_words

log = logging.getLogger(__name__)


@transaction.atomic
def set_identity(school: School, person: User, number: str, *, is_foreign: bool, by: User) -> Journal:
    """Keep digest and mask of a member of staff's number; raise ValidationError for a wrong number or one that is another's."""
    lock_school(school)
    own, mask = digest(number, is_foreign=is_foreign), masked(number)
    if StaffIdentity.objects.filter(identity_digest=own).exclude(user=person).exists():
        raise ValidationError("这个证件号已属于另一位教职工，请核对")
    journal = Journal()
    present = StaffIdentity.objects.filter(user=person).first()
    with in_words(StaffIdentity):
        if present is None:
            journal.create(StaffIdentity(user=person, identity_digest=own, masked_identity=mask))
        else:
            journal.change(present, identity_digest=own, masked_identity=mask)
    log.info("identity.entered user=%s by=%s changes=%s", person.pk, by.pk, len(journal.entries))
    return journal


@transaction.atomic
def remove_identity(identity: StaffIdentity, *, by: User) -> Journal:
    """Forget whose number it was."""
    journal = Journal()
    log.info("identity.removed user=%s by=%s", identity.pk, by.pk)
    journal.delete(identity)
    return journal
