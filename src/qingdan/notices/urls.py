"""Doors of the notices app."""

from __future__ import annotations

from django.urls import path

from qingdan.notices import views

app_name = "notices"
urlpatterns = [
    path("", views.notice_list, name="list"),
    path("<int:pk>/open/", views.open_notice, name="open"),
    path("read/", views.read_all, name="read_all"),
]
