"""Doors of the charts of institutions."""

from __future__ import annotations

from django.urls import URLPattern, path

from qingdan.institutions.views import charts

urlpatterns: list[URLPattern] = [
    path("charts/", charts.charts, name="charts"),
    path("charts/<slug:name>.svg", charts.chart, name="chart"),
    path("charts/<slug:name>.xlsx", charts.chart_table, name="chart_table"),
]
