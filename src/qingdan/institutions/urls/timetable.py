"""Doors of the institutions app: timetable."""

from __future__ import annotations

from django.urls import URLPattern, path

from qingdan.institutions.views import timetable, timetable_entry

urlpatterns: list[URLPattern] = [
    path("timetable/", timetable.timetable, name="timetable"),
    path("timetable/today/", timetable.timetable_today, name="timetable_today"),
    path("timetable/of/<int:pk>/", timetable.timetable_of, name="timetable_of"),
    path("timetable/of/<int:pk>/export/", timetable.timetable_export, name="timetable_export"),
    path("timetable/plans/", timetable.timetable_plans, name="timetable_plans"),
    path("timetable/plans/<int:pk>/end/", timetable_entry.timetable_plan_end, name="timetable_plan_end"),
    path("timetable/new/", timetable_entry.timetable_new, name="timetable_new"),
    path("timetable/new/trial/", timetable_entry.timetable_trial, name="timetable_trial"),
    path("timetable/copy/", timetable_entry.timetable_copy, name="timetable_copy"),
    path("timetable/import/", timetable_entry.timetable_import, name="timetable_import"),
    path("timetable/import/template/", timetable_entry.timetable_template, name="timetable_template"),
    path("timetable/undo/", timetable_entry.timetable_undo, name="timetable_undo"),
    path("timetable/sessions/<int:pk>/", timetable_entry.session, name="session"),
    path("timetable/sessions/<int:pk>/cancel/", timetable_entry.session_cancel, name="session_cancel"),
    path("timetable/sessions/<int:pk>/restore/", timetable_entry.session_restore, name="session_restore"),
    path("timetable/rooms/", timetable_entry.rooms, name="rooms"),
    path("timetable/rooms/<int:pk>/", timetable_entry.room, name="room"),
]
