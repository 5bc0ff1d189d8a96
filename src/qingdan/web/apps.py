"""The web app."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Base templates, theme and home page."""

    name = "qingdan.web"
    verbose_name = "首页"

    def ready(self) -> None:
        """Register the checks of what a server needs."""
        from qingdan.web import checks  # noqa: F401 - registers itself
