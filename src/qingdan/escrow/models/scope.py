"""Whose prepaid tuition a user may look into."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from qingdan.accounts.enums import Role
from qingdan.accounts.models import Organisation, User


def supervised(user: User, path: str = "") -> Q:
    """The records whose ``<path>institution`` a user watches over or acts for; of nobody else any."""
    field = f"{path}institution"
    if user.is_bureau:
        return Q(**{f"{field}__in": Organisation.objects.overseen_by(user.employer)})
    if user.is_officer:
        from qingdan.escrow.models.custody import CustodyAgreement

        own = CustodyAgreement.objects.filter(institution=OuterRef("pk"), department=user.employer.department)
        return Q(**{f"{field}__in": Organisation.objects.overseen_by(user.employer).filter(Exists(own))})
    if user.role == Role.INSTITUTION:
        return Q(**{f"{field}_id": user.organisation_id})
    return Q(pk__in=[])
