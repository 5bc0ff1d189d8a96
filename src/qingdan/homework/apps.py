"""The homework app."""

from __future__ import annotations

from django.apps import AppConfig


class HomeworkConfig(AppConfig):
    """Homework."""

    name = "qingdan.homework"
    verbose_name = "作业管理"

    def ready(self) -> None:
        """Say where the facts about homework come from."""
        from qingdan.homework.facts import SOURCES
        from qingdan.judging.facts import register

        register(*SOURCES)
