"""The institutions app."""

from __future__ import annotations

from django.apps import AppConfig


class InstitutionsConfig(AppConfig):
    """Training institutions."""

    name = "qingdan.institutions"
    verbose_name = "校外培训机构"

    def ready(self) -> None:
        """Say where the facts about institutions come from, and answer changes of calendars."""
        from qingdan.institutions.actions.deadlines import answer_calendar
        from qingdan.institutions.facts import SOURCES
        from qingdan.judging.facts import register
        from qingdan.places.events import calendar_changed

        register(*SOURCES)
        calendar_changed.connect(answer_calendar, dispatch_uid="institutions.deadlines")
