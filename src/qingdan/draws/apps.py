"""The draws app."""

from __future__ import annotations

from django.apps import AppConfig


class DrawsConfig(AppConfig):
    """Draws with a recorded seed."""

    name = "qingdan.draws"
    verbose_name = "抽取"
