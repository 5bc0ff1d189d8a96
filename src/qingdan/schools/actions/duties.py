"""Heads of year groups and of teaching-research groups."""

from __future__ import annotations

import logging

from django.core.exceptions import ValidationError
from django.db import transaction

from qingdan.accounts.models import User
from qingdan.places.journal import Journal
from qingdan.places.models import SchoolYear
from qingdan.schools.models import GradeLead, School, Subject, SubjectLead

log = logging.getLogger(__name__)


@transaction.atomic
def set_grade_lead(school: School, year: SchoolYear, grade: int, user: User, *, by: User) -> Journal:
    """Make somebody head of a year group in a school year; a grade may have several."""
    if grade not in school.grades:
        raise ValidationError("学校没有这个年级，请重新选择")
    return _add(GradeLead(school=school, school_year=year, grade=grade, user=user), by)


@transaction.atomic
def set_subject_lead(school: School, subject: Subject, user: User, *, by: User) -> Journal:
    """Make somebody head of a subject's teaching-research group."""
    return _add(SubjectLead(school=school, subject=subject, user=user), by)


def _add(lead: GradeLead | SubjectLead, by: User) -> Journal:
    lead.full_clean()
    journal = Journal()
    journal.create(lead)
    log.info("duty.given %s=%s user=%s by=%s", lead._meta.model_name, lead.pk, lead.user_id, by.pk)
    return journal


@transaction.atomic
def remove_lead(lead: GradeLead | SubjectLead, *, by: User) -> Journal:
    """End a duty."""
    journal = Journal()
    journal.delete(lead)
    log.info("duty.ended %s user=%s by=%s", lead._meta.model_name, lead.user_id, by.pk)
    return journal
