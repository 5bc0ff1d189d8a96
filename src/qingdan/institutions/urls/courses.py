"""Doors of the institutions app: courses."""

from __future__ import annotations

from django.urls import path

from qingdan.institutions.views import courses as views

urlpatterns = [
    path("courses/", views.courses, name="courses"),
    path("courses/new/", views.course_new, name="course_new"),
    path("courses/aid/", views.course_aid, name="course_aid"),
    path("courses/<int:pk>/", views.course, name="course"),
    path("courses/<int:pk>/edit/", views.course_edit, name="course_edit"),
    path("courses/<int:pk>/submit/", views.course_submit, name="course_submit"),
    path("courses/<int:pk>/withdraw/", views.course_withdraw, name="course_withdraw"),
    path("courses/<int:pk>/review/", views.course_review, name="course_review"),
    path("courses/<int:pk>/end/", views.course_end, name="course_end"),
    path("courses/<int:pk>/delete/", views.course_delete, name="course_delete"),
    path("courses/<int:pk>/files/<int:file_pk>/", views.course_file, name="course_file"),
    path("courses/<int:pk>/files/<int:file_pk>/delete/", views.course_file_delete, name="course_file_delete"),
]
