"""What everybody may know of how an institution's prepaid tuition is watched over: mode and bank, never an account or a score."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from django.urls import reverse

from qingdan.accounts.marks import Mark
from qingdan.escrow.models import CustodyAgreement


def custody_marks(organisation_id: int, day: datetime.date) -> Iterator[Mark]:
    """Whether the institution is in custody, and where."""
    agreement = CustodyAgreement.objects.in_force(day).filter(institution_id=organisation_id).first()
    url = reverse("escrow:public_fees", args=[organisation_id])
    if agreement is None:
        yield Mark("预收费监管", "没有监管协议，请不要预付学费。", False, url, "收费公示")
    else:
        text = f"{agreement.get_mode_display()}，{agreement.bank_name}。只按系统里的缴费单缴费，不要付给个人。"
        yield Mark("预收费监管", text, True, url, "收费公示")
