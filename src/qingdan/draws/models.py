"""A draw that anybody can repeat from what is recorded.

Each entry's lot is SHA-256 of ``<seed>|<entry>``; the smallest lots are drawn. Seed, entries and result are kept, so that nobody
can be favoured afterwards, and an outsider can check it with a few lines of any language.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from typing import ClassVar

from django.db import models
from django.db.models import Q

from qingdan.accounts.models import User


def lot(seed: str, entry: int) -> str:
    """The lot of an entry."""
    return hashlib.sha256(f"{seed}|{entry}".encode()).hexdigest()


def drawn(seed: str, entries: Collection[int], count: int) -> list[int]:
    """The entries with the smallest lots, in their order."""
    return sorted(set(entries), key=lambda entry: lot(seed, entry))[:count]


class Draw(models.Model):
    """One draw as it was held."""

    purpose = models.CharField("用途", max_length=100)
    seed = models.CharField("种子", max_length=64)
    entries = models.JSONField("全体")
    chosen = models.JSONField("抽中")
    drawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="抽取人")
    drawn_at = models.DateTimeField("抽取时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "抽取"
        ordering: ClassVar = ["-drawn_at"]
        constraints: ClassVar = [
            models.CheckConstraint(name="draw_has_a_seed", condition=~Q(seed=""), violation_error_message="抽取要有种子"),
        ]

    def __str__(self) -> str:
        return self.purpose

    @classmethod
    def hold(cls, purpose: str, entries: Collection[int], count: int, *, by: User | None = None, seed: str = "") -> Draw:
        """Draw and keep; without a seed a fresh one is made."""
        seed = seed or secrets.token_hex(16)
        return cls.objects.create(purpose=purpose, seed=seed, entries=sorted(set(entries)), chosen=drawn(seed, entries, count), drawn_by=by)

    def is_right(self) -> bool:
        """Whether the result follows from seed and entries."""
        return bool(self.chosen == drawn(self.seed, self.entries, len(self.chosen)))
