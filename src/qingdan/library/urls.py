"""Doors of the library: all public."""

from __future__ import annotations

from django.urls import path

from qingdan.library import views

app_name = "library"
urlpatterns = [
    path("", views.home, name="home"),
    path("documents/<str:document_id>/", views.document, name="document"),
    path("clauses/<str:clause_id>/", views.clause, name="clause"),
    path("parameters/", views.parameters, name="parameters"),
    path("rules/", views.rules, name="rules"),
    path("rules/<str:rule_id>/", views.rule, name="rule"),
    path("compare/", views.compare_layers, name="compare"),
    path("layers/<str:code>/", views.layer, name="layer"),
    path("facts/", views.facts, name="facts"),
    path("facts/<str:kind_name>.xlsx", views.facts_template, name="template"),
]
