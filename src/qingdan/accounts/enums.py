"""Closed sets of the accounts app."""

from __future__ import annotations

from django.db.models import TextChoices


class OrganisationKind(TextChoices):
    """What an organisation is; its people's role follows from it."""

    BUREAU = "bureau", "教育行政部门"
    SCHOOL = "school", "学校"
    INSTITUTION = "institution", "校外培训机构"
