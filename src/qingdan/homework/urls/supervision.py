"""Doors of the homework app: supervision."""

from __future__ import annotations

from django.urls import URLPattern, path

from qingdan.homework.views import charts, reviews, supervision

urlpatterns: list[URLPattern] = [
    path("checks/", supervision.checks, name="checks"),
    path("checks/new/", supervision.check_new, name="check_new"),
    path("checks/eligible/", supervision.check_eligible, name="check_eligible"),
    path("checks/<int:pk>/", supervision.check, name="check"),
    path("checks/<int:pk>/verify/", supervision.check_verify, name="check_verify"),
    path("checks/<int:pk>/lots.csv", supervision.check_lots, name="check_lots"),
    path("checks/<int:pk>/results.xlsx", supervision.check_results, name="check_results"),
    path("checks/classes/<int:pk>/", supervision.check_class, name="check_class"),
    path("checks/classes/<int:pk>/item/", supervision.check_item, name="check_item"),
    path("checks/classes/<int:pk>/items/<int:item_pk>/remove/", supervision.check_extra_remove, name="check_extra_remove"),
    path("checks/classes/<int:pk>/rest/", supervision.check_rest, name="check_rest"),
    path("checks/classes/<int:pk>/complete/", supervision.check_complete, name="check_complete"),
    path("checks/classes/<int:pk>/reopen/", supervision.check_reopen, name="check_reopen"),
    path("reviews/", reviews.reviews, name="reviews"),
    path("reviews/export.xlsx", reviews.reviews_export, name="reviews_export"),
    path("reviews/<int:school_pk>/<int:year>-<int:number>/", reviews.review, name="review"),
    path("standing/", reviews.standing, name="standing"),
    path("standing/export.xlsx", reviews.standing_export, name="standing_export"),
    path("charts/", charts.charts, name="charts"),
    path("charts/<slug:name>.svg", charts.chart, name="chart"),
    path("charts/<slug:name>.xlsx", charts.chart_table, name="chart_table"),
]
