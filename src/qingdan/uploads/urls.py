"""Doors of the uploads app."""

from __future__ import annotations

from django.urls import path

from qingdan.uploads import views

app_name = "uploads"
urlpatterns = [
    path("", views.upload_list, name="list"),
    path("new/", views.upload_new, name="new"),
    path("<int:pk>/", views.findings, name="findings"),
    path("<int:pk>/unread/", views.unread, name="unread"),
    path("<int:pk>/unjudged/", views.unjudged, name="unjudged"),
    path("<int:pk>/files/", views.files, name="files"),
    path("<int:pk>/files/<int:file_pk>/", views.file_download, name="file"),
    path("<int:pk>/progress/", views.progress, name="progress"),
    path("<int:pk>/report.xlsx", views.report, name="report"),
    path("<int:pk>/retry/", views.retry, name="retry"),
    path("<int:pk>/delete/", views.delete, name="delete"),
    path("<int:pk>/restore/", views.restore, name="restore"),
]
