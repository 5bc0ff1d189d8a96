"""Doors of the schools app."""

from __future__ import annotations

from django.urls import path

from qingdan.schools.views import classes, joining, overview, registering, rollover, rolls

app_name = "schools"
urlpatterns = [
    path("", overview.school_list, name="list"),
    path("new/", registering.new_school, name="new"),
    path("<int:pk>/", overview.school, name="school"),
    path("undo/", overview.undo, name="undo"),
    path("leads/grades/", overview.add_grade_lead, name="add_grade_lead"),
    path("leads/grades/<int:pk>/remove/", overview.remove_grade_lead, name="remove_grade_lead"),
    path("leads/subjects/", overview.add_subject_lead, name="add_subject_lead"),
    path("leads/subjects/<int:pk>/remove/", overview.remove_subject_lead, name="remove_subject_lead"),
    path("identities/", overview.set_identity, name="set_identity"),
    path("identities/<int:pk>/remove/", overview.remove_identity, name="remove_identity"),
    path("classes/", overview.add_class, name="add_class"),
    path("classes/<int:pk>/", classes.school_class, name="class"),
    path("classes/<int:pk>/teacher/", classes.set_teacher, name="set_teacher"),
    path("classes/<int:pk>/assignments/", classes.assign, name="assign"),
    path("assignments/<int:pk>/end/", classes.end_assignment, name="end_assignment"),
    path("classes/<int:pk>/pupils/", classes.add_pupil, name="add_pupil"),
    path("classes/<int:class_pk>/pupils/<int:pk>/", classes.pupil, name="pupil"),
    path("classes/<int:class_pk>/pupils/<int:pk>/transfer/", classes.transfer, name="transfer"),
    path("classes/<int:class_pk>/pupils/<int:pk>/leave/", classes.leave, name="leave"),
    path("classes/<int:class_pk>/pupils/<int:pk>/correct/", classes.correct_pupil, name="correct_pupil"),
    path("rolls/", rolls.rolls, name="rolls"),
    path("rolls/<int:pk>/", rolls.roll, name="roll"),
    path("rolls/<int:pk>/options/", rolls.roll_options, name="roll_options"),
    path("rolls/<int:pk>/apply/", rolls.apply_roll, name="apply_roll"),
    path("rolls/<int:pk>/undo/", rolls.undo_roll, name="undo_roll"),
    path("rolls/<int:pk>/discard/", rolls.discard_roll, name="discard_roll"),
    path("rolls/<slug:kind>.xlsx", rolls.export, name="roll_export"),
    path("rolls/<slug:kind>/template.xlsx", rolls.template, name="roll_template"),
    path("codes/", joining.codes, name="codes"),
    path("codes/staff/", joining.issue_staff_codes, name="issue_staff_codes"),
    path("codes/<int:pk>/revoke/", joining.revoke_code, name="revoke_code"),
    path("codes/classes/<int:pk>/", joining.class_codes, name="class_codes"),
    path("codes/classes/<int:pk>/issue/", joining.issue_codes, name="issue_codes"),
    path("join/", joining.join, name="join"),
    path("rollover/", rollover.rollover, name="rollover"),
    path("rollover/<int:pk>/undo/", rollover.undo, name="undo_rollover"),
]
