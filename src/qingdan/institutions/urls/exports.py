"""Doors to lists as workbooks."""

from __future__ import annotations

from django.urls import URLPattern, path

from qingdan.institutions.views import exports

urlpatterns: list[URLPattern] = [
    path("permits/export.xlsx", exports.permits_export, name="permits_export"),
    path("applications/queue/export.xlsx", exports.queue_export, name="queue_export"),
    path("courses/export.xlsx", exports.courses_export, name="courses_export"),
]
