"""Organisations, users, and the tokens with which programs act for them.

A user acts for one organisation, except a parent, who acts for himself. Whatever belongs to an organisation is reached only
through ``visible_to(user)``, so that a stranger finds nothing there.
"""

from __future__ import annotations

import datetime
import hashlib
import secrets
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Replace
from django.utils import timezone
from pypinyin import Style, lazy_pinyin

from qingdan.accounts.enums import KIND_OF_ROLE, OFFICERS, CompetentDepartment, OrganisationKind, Role, Scope
from qingdan.policy.packs import default_pack
from qingdan.policy.sources import nearest

#: How long an answer to a repeated request is kept.
IDEMPOTENCY_DAYS = 3
_USE_NOTED_EVERY = datetime.timedelta(minutes=1)


def validate_layer(code: str) -> None:
    """Refuse a layer code that the policy pack does not have."""
    layers = default_pack().layers
    if code not in layers:
        raise ValidationError(f"政策包里没有名为“{code}”的层{nearest(code, layers)}")


def pinyin_of(text: str) -> str:
    """How a Chinese name sounds, then its initials: ``shi fan xiao xue sfxx``. Sorts and finds names (the database knows no Chinese)."""
    return f"{' '.join(lazy_pinyin(text))} {''.join(lazy_pinyin(text, style=Style.FIRST_LETTER))}".lower()[:300]


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    """Questions about organisations."""

    def visible_to(self, user: User) -> OrganisationQuerySet:
        """One's own; for a bureau, all of its region."""
        if user.role == Role.BUREAU:
            return self.overseen_by(user.employer)
        return self.none() if user.organisation_id is None else self.filter(pk=user.organisation_id)

    def overseen_by(self, bureau: Organisation) -> OrganisationQuerySet:
        """Those of a bureau's region: a code that ends in 00 (city) or 0000 (province) stands for all below it."""
        if not bureau.region_code:
            return self.filter(pk=bureau.pk)
        return self.filter(region_code__startswith=bureau.region_prefix)

    def matching(self, text: str) -> OrganisationQuerySet:
        """Those with a word in the name, or with these sounds (written together or apart) or initials."""
        if not text:
            return self
        sounds = Replace("pinyin", Value(" "), Value(""))
        return self.alias(sounds=sounds).filter(Q(name__icontains=text) | Q(sounds__contains=text.lower().replace(" ", "")))


class Organisation(models.Model):
    """A bureau, a school or a training institution."""

    name = models.CharField("名称", max_length=100, unique=True, error_messages={"unique": "已有同名的单位"})
    pinyin = models.CharField("拼音", max_length=300, editable=False, default="")
    kind = models.CharField("性质", max_length=20, choices=OrganisationKind.choices)
    layer_code = models.CharField("适用政策的层", max_length=60, validators=[validate_layer])
    #: GB/T 2260, the key of ``places.Region``.
    region_code = models.CharField(
        "行政区划代码", max_length=6, blank=True, default="", validators=[RegexValidator(r"^\d{6}$", "行政区划代码是六位数字")]
    )
    #: Of a bureau: which department of the government it is. Empty for the education bureau and for whoever is no bureau.
    department = models.CharField("部门", max_length=20, choices=CompetentDepartment.choices, blank=True, default="")
    is_fictional = models.BooleanField("虚构", default=False)
    created_at = models.DateTimeField("建立时间", auto_now_add=True)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "单位"
        ordering: ClassVar = ["pinyin", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="organisation_kind_is_known",
                condition=Q(kind__in=OrganisationKind.values),
                violation_error_message="单位性质只能是教育行政部门、学校或校外培训机构",
            ),
            models.CheckConstraint(
                name="organisation_has_a_name_and_a_layer",
                condition=~Q(name="") & ~Q(layer_code=""),
                violation_error_message="单位要有名称，也要有适用政策的层",
            ),
            models.CheckConstraint(
                name="organisation_region_is_a_code",
                condition=Q(region_code="") | Q(region_code__regex=r"^\d{6}$"),
                violation_error_message="行政区划代码是六位数字（GB/T 2260）",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep how the name sounds beside it."""
        self.pinyin = pinyin_of(self.name)
        if (fields := kwargs.get("update_fields")) is not None and "name" in fields:
            kwargs["update_fields"] = {*fields, "pinyin"}
        super().save(*args, **kwargs)

    @property
    def region_prefix(self) -> str:
        """The digits that all codes of its region begin with."""
        code = self.region_code
        return code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code


class User(AbstractUser):
    """Someone who acts for an organisation, or a parent."""

    # One name is enough, and Chinese names are not split.
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    display_name = models.CharField("姓名", max_length=50)
    role = models.CharField("身份", max_length=20, choices=Role.choices)
    # PROTECT: what a user did must stay attributable to the organisation.
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="users", verbose_name="单位", null=True, blank=True
    )

    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name", "role"]

    class Meta:
        verbose_name = verbose_name_plural = "用户"
        constraints: ClassVar = [
            models.CheckConstraint(name="user_role_is_known", condition=Q(role__in=Role.values), violation_error_message="没有这种身份"),
            models.CheckConstraint(
                name="user_has_an_organisation_unless_parent",
                condition=Q(role=Role.PARENT, organisation=None) | (~Q(role=Role.PARENT) & Q(organisation__isnull=False)),
                violation_error_message="家长账户不属于任何单位，其他账户都要有单位",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.username

    def clean(self) -> None:
        """Refuse a role that does not fit the organisation."""
        super().clean()
        wanted = KIND_OF_ROLE.get(self.role)
        if self.organisation is not None and wanted is not None and self.organisation.kind != wanted:
            raise ValidationError({"role": f"“{Role(self.role).label}”只能属于{wanted.label}"})
        if self.organisation is not None and self.is_officer:
            is_of_education = self.organisation.department in ("", CompetentDepartment.EDUCATION)
            if is_of_education != self.is_bureau:
                raise ValidationError({"role": "教育部门的人员是“教育行政人员”，其他部门的是“主管部门人员”"})

    def get_full_name(self) -> str:
        """The name people call the user by."""
        return str(self)

    def get_short_name(self) -> str:
        """The same: there is only one name."""
        return str(self)

    @property
    def employer(self) -> Organisation:
        """The organisation of someone who has one; ask the role first."""
        assert self.organisation is not None, "parents have no organisation"
        return self.organisation

    @property
    def is_bureau(self) -> bool:
        """Whether the user works for the bureau."""
        return self.role == Role.BUREAU

    @property
    def is_officer(self) -> bool:
        """Whether the user works for an authority over training institutions: the education bureau or another department."""
        return self.role in OFFICERS

    @property
    def is_school_leader(self) -> bool:
        """Whether the user leads a school (head, dean)."""
        return self.role == Role.SCHOOL_LEADER

    @property
    def is_teacher(self) -> bool:
        """Whether the user teaches."""
        return self.role == Role.TEACHER

    @property
    def is_parent(self) -> bool:
        """Whether the user is a parent."""
        return self.role == Role.PARENT

    @property
    def is_of_school(self) -> bool:
        """Whether the user works in a school."""
        return self.role in (Role.SCHOOL_LEADER, Role.TEACHER)


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Questions about tokens."""

    def visible_to(self, user: User) -> ApiTokenQuerySet:
        """One's own."""
        return self.filter(user=user)

    def in_force(self) -> ApiTokenQuerySet:
        """Those that open something now."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now(), user__is_active=True)

    def of_secret(self, secret: str) -> ApiToken | None:
        """The token in force with this secret."""
        return self.in_force().select_related("user__organisation").filter(sha256=sha256_of(secret)).first()


def sha256_of(secret: str) -> str:
    """A long random secret's fingerprint; secrets themselves are never kept."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiToken(models.Model):
    """Lets a program act for a user, within scopes, until a day."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens", verbose_name="用户")
    name = models.CharField("用途", max_length=60)
    sha256 = models.CharField("密钥指纹", max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=40, choices=Scope.choices), verbose_name="权限")
    created_at = models.DateTimeField("建立时间", auto_now_add=True)
    expires_at = models.DateTimeField("有效期至")
    last_used_at = models.DateTimeField("最近使用", null=True, blank=True)
    revoked_at = models.DateTimeField("停用时间", null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "接口密钥"
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="token_has_a_scope", condition=Q(scopes__len__gt=0), violation_error_message="接口密钥至少要有一项权限"
            ),
            models.CheckConstraint(name="token_name_is_not_empty", condition=~Q(name=""), violation_error_message="请写明这把密钥的用途"),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def issue(cls, user: User, *, name: str, scopes: list[str], days: int) -> tuple[ApiToken, str]:
        """A new token and its secret, which is shown once."""
        secret = f"qd_{secrets.token_urlsafe(32)}"
        expires = timezone.now() + datetime.timedelta(days=days)
        token = cls(user=user, name=name, sha256=sha256_of(secret), scopes=scopes, expires_at=expires)
        token.full_clean()
        token.save()
        return token, secret

    def revoke(self) -> None:
        """End it now; nothing once revoked comes back."""
        self.revoked_at = self.revoked_at or timezone.now()
        self.save(update_fields=["revoked_at"])

    def note_use(self) -> None:
        """Keep when it was used last, at most once a minute: a busy program must not write with every question."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at > _USE_NOTED_EVERY:
            self.last_used_at = now
            self.save(update_fields=["last_used_at"])

    @property
    def is_in_force(self) -> bool:
        """Whether it opens something now."""
        return self.revoked_at is None and self.expires_at > timezone.now()


class IdempotentAnswer(models.Model):
    """What a writing request with an idempotency key was answered; the same request again gets the same answer and does nothing."""

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="answers", verbose_name="接口密钥")
    key = models.CharField("幂等键", max_length=100)
    #: Of method, address and body: the same key with another request is an error.
    request_sha256 = models.CharField("请求指纹", max_length=64)
    status = models.PositiveSmallIntegerField("状态码", null=True)
    body = models.JSONField("应答", null=True)
    created_at = models.DateTimeField("时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "接口应答"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="idempotency_key_once_per_token", fields=["token", "key"], violation_error_message="这个幂等键已经用过"
            ),
        ]

    def __str__(self) -> str:
        return self.key
