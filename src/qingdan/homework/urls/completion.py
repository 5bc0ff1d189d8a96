"""Doors of the homework app: completion."""

from __future__ import annotations

from django.urls import path

from qingdan.homework.views import completion, families, minutes

urlpatterns = [
    path("finish/", completion.finish, name="finish"),
    path("finish/<int:pk>/<str:day>/", completion.finish_save, name="finish_save"),
    path("markings/", completion.markings, name="markings"),
    path("markings/<int:pk>/undo/", completion.marking_undo, name="marking_undo"),
    path("family/", families.family, name="family"),
    path("family/<int:pk>/", families.family_answer, name="family_answer"),
    path("family/<int:pk>/undo/", families.family_undo, name="family_undo"),
    path("family/<int:pk>/subjects/", families.family_subjects, name="family_subjects"),
    path("minutes/", minutes.minutes, name="minutes"),
]
