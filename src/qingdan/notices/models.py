"""Notices to one user each. Sending the same twice (same occasion, same user) is one notice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.db import models
from django.db.models import ExpressionWrapper, Q
from django.utils import timezone

from qingdan.accounts.models import User


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Questions about notices."""

    def visible_to(self, user: User) -> NoticeQuerySet:
        """One's own."""
        return self.filter(user=user)

    def unread(self) -> NoticeQuerySet:
        """Those not yet read."""
        return self.filter(read_at=None)

    def unread_first(self) -> NoticeQuerySet:
        """Those not yet read, then the others; the newest first in both."""
        return self.order_by(ExpressionWrapper(Q(read_at=None), output_field=models.BooleanField()).desc(), "-sent_at", "-pk")

    def send(self, users: Iterable[User], *, occasion: str, text: str, url: str = "") -> int:
        """Tell users something once per occasion; the number of users is returned."""
        notices = [Notice(user=user, occasion=occasion, text=text, url=url) for user in {user.pk: user for user in users}.values()]
        self.bulk_create(notices, ignore_conflicts=True)
        return len(notices)


class Notice(models.Model):
    """One thing told to one user."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices", verbose_name="用户")
    #: What makes it one: ``disclosure-due:<school>:<grade>:<week>``.
    occasion = models.CharField("事由", max_length=120)
    text = models.CharField("内容", max_length=300)
    url = models.CharField("链接", max_length=200, blank=True)
    sent_at = models.DateTimeField("时间", auto_now_add=True)
    read_at = models.DateTimeField("阅读时间", null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "通知"
        ordering: ClassVar = ["-sent_at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["user", "read_at"], name="notice_unread_of_user")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="notice_once_per_occasion", fields=["user", "occasion"], violation_error_message="这件事已经通知过"
            ),
            models.CheckConstraint(name="notice_has_text", condition=~Q(text=""), violation_error_message="通知要有内容"),
        ]

    def __str__(self) -> str:
        return self.text

    def mark_read(self) -> None:
        """Keep when it was read first."""
        if self.read_at is None:
            self.read_at = timezone.now()
            self.save(update_fields=["read_at"])
