"""Doors of the institutions app: permits."""

from __future__ import annotations

from django.urls import URLPattern, path

from qingdan.institutions.views import permits

urlpatterns: list[URLPattern] = [
    path("permits/", permits.permits, name="permits"),
    path("permits/<int:pk>/", permits.permit, name="permit"),
    path("permits/<int:pk>/qr.svg", permits.permit_qr, name="permit_qr"),
    path("permits/<int:pk>/check/", permits.permit_check, name="permit_check"),
    path("permits/<int:pk>/revoke/", permits.permit_revoke, name="permit_revoke"),
]
