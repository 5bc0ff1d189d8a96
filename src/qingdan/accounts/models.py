"""Organisations and users.

A user acts for exactly one organisation and has the role that follows from its kind. Whatever belongs to an
organisation is reached only through ``visible_to(user)``, so that a stranger finds nothing there.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from qingdan.accounts.enums import OrganisationKind
from qingdan.policy.packs import default_pack
from qingdan.policy.sources import nearest


def validate_layer(code: str) -> None:
    """Refuse a layer code that the policy pack does not have."""
    layers = default_pack().layers
    if code not in layers:
        raise ValidationError(f"政策包里没有名为“{code}”的层{nearest(code, layers)}")


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    """Questions about organisations."""

    def visible_to(self, user: User) -> OrganisationQuerySet:
        """The organisations whose records a user may read: for now, one's own."""
        return self.filter(pk=user.organisation_id)


class Organisation(models.Model):
    """A bureau, a school or a training institution."""

    name = models.CharField("名称", max_length=100, unique=True, error_messages={"unique": "已有同名的单位"})
    kind = models.CharField("性质", max_length=20, choices=OrganisationKind.choices)
    layer_code = models.CharField("适用政策的层", max_length=60, validators=[validate_layer])
    is_fictional = models.BooleanField("虚构", default=False)
    created_at = models.DateTimeField("建立时间", auto_now_add=True)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "单位"
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
        ]

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """Someone who acts for an organisation."""

    # One name is enough, and Chinese names are not split.
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    display_name = models.CharField("姓名", max_length=50)
    # PROTECT: what a user did must stay attributable to the organisation.
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="users", verbose_name="单位")

    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name", "organisation"]

    class Meta:
        verbose_name = verbose_name_plural = "用户"

    def __str__(self) -> str:
        return self.display_name or self.username

    def get_full_name(self) -> str:
        """The name people call the user by."""
        return str(self)

    def get_short_name(self) -> str:
        """The same: there is only one name."""
        return str(self)

    @property
    def role(self) -> OrganisationKind:
        """The role, which follows from the organisation."""
        return OrganisationKind(self.organisation.kind)
