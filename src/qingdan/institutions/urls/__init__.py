"""Doors of the institutions app for those who are signed in."""

from __future__ import annotations

from qingdan.institutions.urls import advertising, applications, charts, courses, exports, inspections, permits, registry, staff, timetable

app_name = "institutions"
urlpatterns = [
    *registry.urlpatterns,
    *charts.urlpatterns,
    *exports.urlpatterns,
    *applications.urlpatterns,
    *permits.urlpatterns,
    *courses.urlpatterns,
    *staff.urlpatterns,
    *timetable.urlpatterns,
    *inspections.urlpatterns,
    *advertising.urlpatterns,
]
