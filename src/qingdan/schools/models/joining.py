"""One-time codes with which guardians and staff make their own account, so that no password is ever handed out."""

from __future__ import annotations

import datetime
import secrets
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from qingdan.accounts.models import Organisation, User, sha256_of
from qingdan.schools.enums import JoinKind
from qingdan.schools.models.people import Pupil
from qingdan.schools.models.places import School

#: Easy to read aloud and to type on a phone: no 0/O, 1/I/L.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_LENGTH = 10
VALID_DAYS = 30


def tidy_code(text: str) -> str:
    """A code as typed, without spaces and dashes, in capitals."""
    return "".join(letter for letter in text.upper() if letter.isalnum())


class JoinCodeQuerySet(models.QuerySet["JoinCode"]):
    """Questions about codes."""

    def visible_to(self, user: User) -> JoinCodeQuerySet:
        """Leaders: the school's; class teachers: those for pupils of their classes."""
        if user.is_school_leader:
            return self.filter(school_id=user.organisation_id)
        if user.is_teacher:
            return self.filter(kind=JoinKind.GUARDIAN, pupil__in=Pupil.objects.visible_to(user))
        return self.none()

    def open(self) -> JoinCodeQuerySet:
        """Those that can still be used."""
        return self.filter(used_at=None, revoked_at=None, expires_at__gt=timezone.now())

    def of_code(self, code: str) -> JoinCode | None:
        """The open code that was typed."""
        return (
            self.open()
            .select_related("school__organisation", "pupil", "staff__organisation")
            .filter(sha256=sha256_of(tidy_code(code)))
            .first()
        )


class JoinCode(models.Model):
    """A code that one person may use once. Only its fingerprint is kept."""

    #: Empty where the account is of an organisation that is no school.
    school = models.ForeignKey(School, on_delete=models.CASCADE, null=True, blank=True, related_name="join_codes", verbose_name="学校")
    kind = models.CharField("给谁", max_length=10, choices=JoinKind.choices)
    pupil = models.ForeignKey(Pupil, on_delete=models.CASCADE, null=True, blank=True, related_name="join_codes", verbose_name="学生")
    #: The account waiting for its owner, made by an import or when a bureau registered the organisation.
    staff = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="join_codes", verbose_name="账户")
    sha256 = models.CharField("指纹", max_length=64, unique=True)
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="发放人")
    issued_at = models.DateTimeField("发放时间", auto_now_add=True)
    expires_at = models.DateTimeField("有效期至")
    used_at = models.DateTimeField("使用时间", null=True, blank=True)
    used_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="使用人")
    revoked_at = models.DateTimeField("作废时间", null=True, blank=True)

    objects = JoinCodeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "加入码"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="join_code_is_for_one",
                condition=Q(kind=JoinKind.GUARDIAN, pupil__isnull=False, staff=None, school__isnull=False)
                | Q(kind=JoinKind.STAFF, pupil=None, staff__isnull=False),
                violation_error_message="家长的加入码要写明学校和学生，单位人员的要写明账户",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}加入码 {self.pk}"

    @classmethod
    def issue(cls, *, school: School | None, by: User, pupil: Pupil | None = None, staff: User | None = None) -> tuple[JoinCode, str]:
        """A new code for a pupil's guardian or a member of staff, and the code itself, which is shown once: ``AB3CD-EF4GH``."""
        code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
        kind = JoinKind.GUARDIAN if pupil is not None else JoinKind.STAFF
        expires = timezone.now() + datetime.timedelta(days=VALID_DAYS)
        issued = cls.objects.create(
            school=school, kind=kind, pupil=pupil, staff=staff, sha256=sha256_of(code), issued_by=by, expires_at=expires
        )
        return issued, f"{code[:5]}-{code[5:]}"

    @property
    def organisation(self) -> Organisation:
        """Where the code lets somebody in."""
        if self.school is not None:
            return self.school.organisation
        assert self.staff is not None
        return self.staff.employer

    def use(self, user: User) -> None:
        """Mark it as used, once; raise ValidationError when somebody was quicker."""
        taken = JoinCode.objects.open().filter(pk=self.pk).update(used_at=timezone.now(), used_by=user)
        if not taken:
            raise ValidationError("这个加入码刚刚被用过或已过期，请向发码的单位要一个新的")

    def revoke(self) -> None:
        """End it; a code that was used stays used."""
        JoinCode.objects.filter(pk=self.pk, used_at=None, revoked_at=None).update(revoked_at=timezone.now())


#: Wrong codes from one address before it has to wait, and for how long. A code has 31^10 forms: nobody guesses one at this pace,
#: while a whole parents' meeting behind one school address may still mistype now and then.
TRIES_MAX = 30
TRIES_MINUTES = 15


class JoinAttempt(models.Model):
    """A wrong code that somebody typed. Counted by address in the database: a session is thrown away at will, and each process
    has a memory of its own. The address itself is not kept, only its keyed fingerprint, and not for longer than it counts.
    """

    address = models.CharField("地址指纹", max_length=64)
    at = models.DateTimeField("时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "错误的加入码"
        indexes: ClassVar = [models.Index(fields=["address", "at"], name="join_attempt_by_address")]

    def __str__(self) -> str:
        return f"{self.at}"

    @staticmethod
    def _fingerprint(address: str) -> str:
        return salted_hmac("qingdan.join", address, algorithm="sha256").hexdigest()

    @classmethod
    def note(cls, address: str) -> None:
        """Count a wrong code, and drop what counts no more."""
        cls.objects.filter(at__lt=timezone.now() - datetime.timedelta(minutes=TRIES_MINUTES)).delete()
        cls.objects.create(address=cls._fingerprint(address))

    @classmethod
    def must_wait(cls, address: str) -> bool:
        """Whether too many wrong codes came from an address lately."""
        since = timezone.now() - datetime.timedelta(minutes=TRIES_MINUTES)
        return cls.objects.filter(address=cls._fingerprint(address), at__gte=since).count() >= TRIES_MAX
