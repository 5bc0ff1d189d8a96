"""Doors of the homework app: designs."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
