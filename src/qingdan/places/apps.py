"""The places app."""

from __future__ import annotations

from django.apps import AppConfig


class PlacesConfig(AppConfig):
    """Regions and calendars."""

    name = "qingdan.places"
    verbose_name = "地区与校历"
