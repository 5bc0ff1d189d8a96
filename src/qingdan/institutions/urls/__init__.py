"""Doors of the institutions app for those who are signed in."""

from __future__ import annotations

from qingdan.institutions.urls import applications, courses, permits, registry, staff, timetable

app_name = "institutions"
urlpatterns = [
    *registry.urlpatterns,
    *applications.urlpatterns,
    *permits.urlpatterns,
    *courses.urlpatterns,
    *staff.urlpatterns,
    *timetable.urlpatterns,
]
