"""Doors of the public directory of institutions, open to everybody."""

from __future__ import annotations

from django.urls import path

from qingdan.institutions.views import exports, public

app_name = "directory"
urlpatterns = [
    path("", public.home, name="home"),
    path("lists/", public.lists, name="lists"),
    path("lists.xlsx", exports.lists_export, name="lists_export"),
    path("<int:pk>/", public.institution, name="institution"),
    path("<int:pk>/door/", public.door, name="door"),
    path("<int:pk>/qr.svg", public.qr, name="qr"),
]
