"""The findings app."""

from __future__ import annotations

from django.apps import AppConfig


class FindingsConfig(AppConfig):
    """Findings."""

    name = "qingdan.findings"
    verbose_name = "问题清单"
