"""Doors of the findings app."""

from __future__ import annotations

from django.urls import path

from qingdan.findings.views import detail, listing, runs

app_name = "findings"
urlpatterns = [
    path("", listing.finding_list, name="list"),
    path("act/", listing.act_many, name="act_many"),
    path("summary/", listing.summary, name="summary"),
    path("export.xlsx", listing.export, {"form": "xlsx"}, name="export_xlsx"),
    path("export.csv", listing.export, {"form": "csv"}, name="export_csv"),
    path("<int:pk>/", detail.finding, name="finding"),
    path("<int:pk>/answer/", detail.answer, name="answer"),
    path("<int:pk>/decide/", detail.decide, name="decide"),
    path("runs/", runs.runs, name="runs"),
    path("runs/start/", runs.run_now, name="run_now"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("runs/<int:pk>/progress/", runs.progress, name="run_progress"),
]
