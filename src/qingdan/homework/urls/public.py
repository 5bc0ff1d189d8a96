"""Doors of the public hall, open to everybody."""

from __future__ import annotations

from django.urls import path

from qingdan.homework.views import public

app_name = "public"
urlpatterns = [
    path("", public.home, name="home"),
    path("<int:pk>/", public.school, name="school"),
    path("<int:pk>/qr.svg", public.school_qr, name="school_qr"),
    path("<int:pk>/<int:grade>/", public.grade, name="grade"),
    path("<int:pk>/<int:grade>/<str:week>/", public.week, name="week"),
    path("<int:pk>/<int:grade>/<str:week>/qr.svg", public.week_qr, name="qr"),
    path("<int:pk>/<int:grade>/<str:week>/snapshot.json", public.snapshot, name="snapshot"),
]
