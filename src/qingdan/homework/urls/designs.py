"""Doors of the homework app: designs."""

from __future__ import annotations

from django.urls import path

from qingdan.homework.views import designs as views

urlpatterns = [
    path("designs/", views.designs, name="designs"),
    path("designs/new/", views.design_new, name="design_new"),
    path("designs/<int:pk>/", views.design, name="design"),
    path("designs/<int:pk>/edit/", views.design_edit, name="design_edit"),
    path("designs/<int:pk>/submit/", views.design_submit, name="design_submit"),
    path("designs/<int:pk>/review/", views.design_review, name="design_review"),
    path("designs/<int:pk>/withdraw/", views.design_withdraw, name="design_withdraw"),
    path("designs/<int:pk>/delete/", views.design_delete, name="design_delete"),
    path("designs/<int:pk>/rate/", views.design_rate, name="design_rate"),
    path("designs/<int:pk>/files/<int:file_pk>/", views.design_file, name="design_file"),
    path("designs/<int:pk>/files/<int:file_pk>/delete/", views.design_file_delete, name="design_file_delete"),
]
