"""A draw that anybody can repeat from what is recorded.

Each entry's lot is SHA-256 of ``<seed>|<entry>``; the smallest lots are drawn. Where no group may have more than so many (classes of
one school, say), an entry whose group is full is passed over. Seed, entries, groups and result are kept, so that nobody can be
favoured afterwards, and an outsider can check it with a few lines of any language.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Collection, Mapping
from typing import ClassVar

from django.db import models
from django.db.models import Q

from qingdan.accounts.models import User


def lot(seed: str, entry: int) -> str:
    """The lot of an entry."""
    return hashlib.sha256(f"{seed}|{entry}".encode()).hexdigest()


def drawn(
    seed: str, entries: Collection[int], count: int, *, groups: Mapping[int, int] | None = None, per_group: int | None = None
) -> list[int]:
    """The entries with the smallest lots, in their order; with ``per_group`` no group (entry -> group) has more than that many."""
    in_order = sorted(set(entries), key=lambda entry: lot(seed, entry))
    if groups is None or per_group is None:
        return in_order[:count]
    taken: Counter[int] = Counter()
    chosen: list[int] = []
    for entry in in_order:
        if len(chosen) < count and taken[groups[entry]] < per_group:
            taken[groups[entry]] += 1
            chosen.append(entry)
    return chosen


class Draw(models.Model):
    """One draw as it was held."""

    purpose = models.CharField("用途", max_length=100)
    seed = models.CharField("种子", max_length=64)
    entries = models.JSONField("全体")
    chosen = models.JSONField("抽中")
    #: What the entries are, in words: ``小学，三至六年级``.
    scope = models.CharField("范围", max_length=200, blank=True)
    #: ``{entry: group}`` where ``per_group`` limits how many of a group are drawn; else empty.
    groups = models.JSONField("分组", default=dict, blank=True)
    per_group = models.PositiveSmallIntegerField("每组至多", null=True, blank=True)
    drawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="抽取人")
    drawn_at = models.DateTimeField("抽取时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "抽取"
        ordering: ClassVar = ["-drawn_at"]
        constraints: ClassVar = [
            models.CheckConstraint(name="draw_has_a_seed", condition=~Q(seed=""), violation_error_message="抽取要有种子"),
            models.CheckConstraint(
                name="draw_group_takes_one_or_more",
                condition=Q(per_group=None) | Q(per_group__gte=1),
                violation_error_message="每组至少要能抽一个",
            ),
        ]

    def __str__(self) -> str:
        return self.purpose

    @classmethod
    def hold(
        cls,
        purpose: str,
        entries: Collection[int],
        count: int,
        *,
        by: User | None = None,
        seed: str = "",
        scope: str = "",
        groups: Mapping[int, int] | None = None,
        per_group: int | None = None,
    ) -> Draw:
        """Draw and keep; without a seed a fresh one is made."""
        seed = seed or secrets.token_hex(16)
        kept = {str(entry): groups[entry] for entry in entries} if groups is not None and per_group is not None else {}
        return cls.objects.create(
            purpose=purpose,
            seed=seed,
            entries=sorted(set(entries)),
            chosen=drawn(seed, entries, count, groups=groups, per_group=per_group),
            drawn_by=by,
            scope=scope,
            groups=kept,
            per_group=per_group,
        )

    def drawn_again(self) -> list[int]:
        """What seed, entries and groups give now."""
        groups = {int(entry): group for entry, group in self.groups.items()}
        return drawn(self.seed, self.entries, len(self.chosen), groups=groups or None, per_group=self.per_group)

    def is_right(self) -> bool:
        """Whether the result follows from seed and entries."""
        return bool(self.chosen == self.drawn_again())
