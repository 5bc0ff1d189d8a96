"""Codes by which a family says to whom a contract may be offered.

An institution never looks a family up: there is no list of guardians, and no user name to try. The guardian makes a code for one
child, says it to the institution, and only then does the institution know whom it offers a contract, and for which child. The first
institution that uses a code keeps it; the guardian can take it back at any time.
"""

from __future__ import annotations

import datetime
import secrets
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from qingdan.accounts.models import Organisation, User, sha256_of
from qingdan.places.calendar import today
from qingdan.schools.models import Pupil

#: Easy to read aloud and to type: no 0/O, 1/I/L.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_LENGTH = 8
VALID_DAYS = 7


def tidy_code(text: str) -> str:
    """A code as typed, without blanks and dashes, in capitals."""
    return "".join(letter for letter in text.upper() if letter.isalnum())


class SigningCodeQuerySet(models.QuerySet["SigningCode"]):
    """Questions about codes."""

    def visible_to(self, user: User) -> SigningCodeQuerySet:
        """One's own."""
        return self.filter(guardian=user) if user.is_parent else self.none()

    def open(self) -> SigningCodeQuerySet:
        """Those by which a contract can still be drafted."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now(), guardian__is_active=True)

    def usable_by(self, institution: Organisation, typed: str) -> SigningCode | None:
        """The open code that was typed, unless another institution has it."""
        free = Q(institution=None) | Q(institution=institution)
        return self.open().filter(free, sha256=sha256_of(tidy_code(typed))).select_related("guardian", "pupil").first()


class SigningCode(models.Model):
    """One child's family lets one institution draft contracts for it, for a week. Only the code's fingerprint is kept."""

    guardian = models.ForeignKey(User, on_delete=models.CASCADE, related_name="signing_codes", verbose_name="家长")
    #: Empty for a child of no school here.
    pupil = models.ForeignKey(Pupil, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name="学生")
    learner_name = models.CharField("学员", max_length=50)
    learner_born_on = models.DateField("学员出生日期")
    sha256 = models.CharField("指纹", max_length=64, unique=True)
    created_at = models.DateTimeField("生成时间", auto_now_add=True)
    expires_at = models.DateTimeField("有效期至")
    revoked_at = models.DateTimeField("停用时间", null=True, blank=True)
    #: The first that used it.
    institution = models.ForeignKey(Organisation, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name="机构")

    objects = SigningCodeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "签约码"
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="signing_code_names_a_learner", condition=~Q(learner_name=""), violation_error_message="签约码要写明学员姓名"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.learner_name} {self.created_at:%Y-%m-%d}"

    def clean(self) -> None:
        """Refuse a child that is not born yet."""
        super().clean()
        born: datetime.date | None = self.learner_born_on
        if born is not None and born > today():
            raise ValidationError({"learner_born_on": "出生日期不能晚于今天"})

    @classmethod
    def issue(cls, *, guardian: User, pupil: Pupil | None, learner_name: str, learner_born_on: datetime.date) -> tuple[SigningCode, str]:
        """A new code and how it reads, which is shown once."""
        letters = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
        code = cls(
            guardian=guardian,
            pupil=pupil,
            learner_name=pupil.name if pupil is not None else learner_name,
            learner_born_on=learner_born_on,
            sha256=sha256_of(letters),
            expires_at=timezone.now() + datetime.timedelta(days=VALID_DAYS),
        )
        code.full_clean()
        code.save()
        return code, f"{letters[:4]}-{letters[4:]}"

    def revoke(self) -> None:
        """No contract can be drafted by it any longer; those that were stay."""
        self.revoked_at = self.revoked_at or timezone.now()
        self.save(update_fields=["revoked_at"])

    @property
    def is_open(self) -> bool:
        """Whether a contract can still be drafted by it."""
        return self.revoked_at is None and self.expires_at > timezone.now()
