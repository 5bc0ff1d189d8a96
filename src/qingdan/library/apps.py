"""The library app."""

from __future__ import annotations

from django.apps import AppConfig


class LibraryConfig(AppConfig):
    """Public pages over the policy pack; keeps no rows of its own."""

    name = "qingdan.library"
    verbose_name = "政策库"
