"""Doors of the places app."""

from __future__ import annotations

from django.urls import path

from qingdan.places import views

app_name = "places"
urlpatterns = [
    path("", views.calendar, name="calendar"),
    path("edit/", views.edit, name="edit"),
    path("start/", views.start, name="start"),
    path("undo/", views.undo, name="undo"),
    path("years/<int:first_year>/", views.save_year, name="save_year"),
    path("years/<int:first_year>/days/", views.add_days, name="add_days"),
    path("years/<int:first_year>/days/fill/", views.fill_days, name="fill_days"),
    path("years/<int:first_year>/days/remove/", views.remove_days, name="remove_days"),
]
