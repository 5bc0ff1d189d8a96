"""Who works in a school, as a keyed digest only: enough to recognise a teacher who also works for a training institution."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from qingdan.accounts.models import User


class StaffIdentity(models.Model):
    """The digest of a member of staff's id number (``accounts.identity``); the number itself is never kept."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="identity", verbose_name="教职工")
    identity_digest = models.CharField("身份指纹", max_length=64)
    masked_identity = models.CharField("证件号（掩码）", max_length=30)

    class Meta:
        verbose_name = verbose_name_plural = "教职工身份"
        indexes: ClassVar = [models.Index(fields=["identity_digest"], name="school_staff_by_identity")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="staff_identity_once", fields=["identity_digest"], violation_error_message="这个证件号已属于另一位教职工，请核对"
            ),
        ]

    def __str__(self) -> str:
        return self.masked_identity
