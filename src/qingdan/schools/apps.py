"""The schools app."""

from __future__ import annotations

from django.apps import AppConfig


class SchoolsConfig(AppConfig):
    """Schools and their people."""

    name = "qingdan.schools"
    verbose_name = "学校"
