"""Doors of the institutions app: staff."""

from __future__ import annotations

from django.urls import path

from qingdan.institutions.views import imports
from qingdan.institutions.views import staff as views

urlpatterns = [
    path("staff/", views.staff, name="staff"),
    path("staff/new/", views.staff_new, name="staff_new"),
    path("staff/sheet/", views.staff_sheet, name="staff_sheet"),
    path("staff/put-up/", views.staff_put_up, name="staff_put_up"),
    path("staff/matched/", views.matched, name="staff_matched"),
    path("staff/imports/", imports.staff_imports, name="staff_imports"),
    path("staff/imports/template.xlsx", imports.staff_template, name="staff_template"),
    path("staff/imports/<int:pk>/", imports.staff_import, name="staff_import"),
    path("staff/imports/<int:pk>/apply/", imports.staff_apply, name="staff_apply"),
    path("staff/imports/<int:pk>/undo/", imports.staff_undo, name="staff_undo"),
    path("staff/imports/<int:pk>/discard/", imports.staff_discard, name="staff_discard"),
    path("staff/<int:pk>/", views.staff_member, name="staff_member"),
    path("staff/<int:pk>/edit/", views.staff_edit, name="staff_edit"),
    path("staff/<int:pk>/leave/", views.staff_leave, name="staff_leave"),
    path("staff/<int:pk>/check/", views.staff_check, name="staff_check"),
]
