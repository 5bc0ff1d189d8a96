"""The institutions app."""

from __future__ import annotations

from django.apps import AppConfig


class InstitutionsConfig(AppConfig):
    """Training institutions."""

    name = "qingdan.institutions"
    verbose_name = "校外培训机构"

    def ready(self) -> None:
        """Say where the facts about institutions come from."""
        from qingdan.institutions.facts import SOURCES
        from qingdan.judging.facts import register

        register(*SOURCES)
