"""The uploads app."""

from __future__ import annotations

from django.apps import AppConfig


class UploadsConfig(AppConfig):
    """Workbooks and findings."""

    name = "qingdan.uploads"
    verbose_name = "表格体检"
