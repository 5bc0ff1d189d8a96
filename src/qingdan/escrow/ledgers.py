"""Which books of prepaid tuition a user may read."""

from __future__ import annotations

from django.db.models import QuerySet

from qingdan.accounts.models import User
from qingdan.escrow.models import CustodyAgreement
from qingdan.ledger.models import Book

#: What an act is called on the pages.
KINDS = {"payment": "家长缴入", "release": "消课", "refund": "退费核准", "booked": "银行付出", "reserve": "储备金存入"}


def books_of(user: User) -> QuerySet[Book]:
    """The books of the institutions that an officer watches over; nobody else reads a book as a whole."""
    if not user.is_officer:
        return Book.objects.none()
    institutions = CustodyAgreement.objects.visible_to(user).values("institution")
    return Book.objects.filter(code__startswith="escrow:", organisation__in=institutions)
