"""Doors of the homework app: register."""

from __future__ import annotations

from django.urls import URLPattern, path

from qingdan.homework.views import board, entry, register

urlpatterns: list[URLPattern] = [
    path("", register.today, name="today"),
    path("new/", entry.new, name="new"),
    path("new/total/", entry.total, name="total"),
    path("new/suggestions/", entry.suggestions, name="suggestions"),
    path("<int:pk>/", register.item, name="item"),
    path("<int:pk>/edit/", entry.edit, name="edit"),
    path("<int:pk>/withdraw/", register.withdraw, name="withdraw"),
    path("<int:pk>/settle/", board.settle, name="settle"),
    path("board/<int:grade>/", board.board, name="board"),
]
