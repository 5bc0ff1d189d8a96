"""Doors of the institutions app: applications."""

from __future__ import annotations

from django.urls import URLPattern, path

from qingdan.institutions.views import applications, deciding

urlpatterns: list[URLPattern] = [
    path("applications/", applications.applications, name="applications"),
    path("applications/new/", applications.application_new, name="application_new"),
    path("applications/new/<slug:kind>/", applications.application_apply, name="application_apply"),
    path("applications/<int:pk>/", applications.application, name="application"),
    path("applications/<int:pk>/edit/", applications.application_edit, name="application_edit"),
    path("applications/<int:pk>/delete/", applications.application_delete, name="application_delete"),
    path("applications/<int:pk>/submit/", applications.application_submit, name="application_submit"),
    path("applications/<int:pk>/withdraw/", applications.application_withdraw, name="application_withdraw"),
    path("applications/<int:pk>/files/add/", applications.application_file_add, name="application_file_add"),
    path("applications/<int:pk>/files/<int:file_pk>/", applications.application_file, name="application_file"),
    path("applications/<int:pk>/files/<int:file_pk>/delete/", applications.application_file_delete, name="application_file_delete"),
    path("applications/<int:pk>/visit/", deciding.application_visit, name="application_visit"),
    path("applications/<int:pk>/approve/", deciding.application_approve, name="application_approve"),
    path("applications/<int:pk>/act/<slug:act>/", deciding.application_act, name="application_act"),
    path("applications/queue/", deciding.queue, name="queue"),
    path("applications/deadlines/", deciding.deadlines, name="deadlines"),
    path("applications/notices/", deciding.applications_public, name="applications_public"),
]
