"""Doors of the homework app: disclosure."""

from __future__ import annotations

from django.urls import URLPattern, path

from qingdan.homework.views import disclosure

urlpatterns: list[URLPattern] = [
    path("disclosures/", disclosure.disclosures, name="disclosures"),
    path("disclosures/<int:grade>/<str:week>/", disclosure.disclosure_publish, name="publish"),
]
