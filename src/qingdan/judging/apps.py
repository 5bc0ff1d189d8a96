"""The judging app."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class JudgingConfig(AppConfig):
    """The policy engine inside PostgreSQL."""

    name = "qingdan.judging"
    verbose_name = "判定"

    def ready(self) -> None:
        """Keep the views of facts out of the migrations' way."""
        from qingdan.judging.facts import drop_views, make_views

        pre_migrate.connect(drop_views, sender=self, weak=False)
        post_migrate.connect(make_views, sender=self, weak=False)
