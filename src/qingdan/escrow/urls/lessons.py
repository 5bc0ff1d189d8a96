"""Doors of prepaid tuition: lessons, the family's page and statements."""

from __future__ import annotations

from django.urls import path

from qingdan.escrow.views import disputes, mine, rolls

urlpatterns = [
    path("", mine.mine, name="mine"),
    path("waiting/", mine.lessons_waiting, name="lessons_waiting"),
    path("waiting/confirm/", mine.lessons_confirm, name="lessons_confirm"),
    path("lessons/<int:pk>/dispute/", mine.lesson_dispute, name="lesson_dispute"),
    path("lessons/<int:pk>/retract/", mine.lesson_retract, name="lesson_retract"),
    path("contracts/<int:pk>/lessons/", mine.lessons_of, name="lessons_of"),
    path("contracts/<int:pk>/statement/", mine.contract_statement, name="statement"),
    path("rolls/", rolls.rolls, name="rolls"),
    path("rolls/new/", rolls.roll_new, name="roll_new"),
    path("rolls/<int:number>/", rolls.roll, name="roll"),
    path("disputes/", disputes.lessons_disputed, name="lessons_disputed"),
    path("lessons/<int:pk>/reply/", disputes.lesson_reply, name="lesson_reply"),
    path("lessons/<int:pk>/strike/", disputes.lesson_strike, name="lesson_strike"),
    path("lessons/<int:pk>/settle/", disputes.lesson_settle, name="lesson_settle"),
]
