"""Doors of the homework app: disclosure."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
