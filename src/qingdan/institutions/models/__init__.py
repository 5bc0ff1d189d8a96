"""What is kept of training institutions."""

from qingdan.institutions.models.applications import Application, ApplicationEvent, ApplicationFile, StepDeadline
from qingdan.institutions.models.courses import Course, CourseFile
from qingdan.institutions.models.imports import RegisterImport, RegisterRow, StaffImport, StaffRow
from qingdan.institutions.models.permits import Permit
from qingdan.institutions.models.registry import CapitalChange, Evaluation, Institution, Listing, Owner, Pledge, Premises
from qingdan.institutions.models.staff import Staff
from qingdan.institutions.models.supervision import (
    Activity,
    Advertisement,
    Inspection,
    InspectionCampaign,
    InspectionEvidence,
    InspectionItem,
)
from qingdan.institutions.models.timetable import Room, Session, WeeklyPlan

__all__ = [
    "Activity",
    "Advertisement",
    "Application",
    "ApplicationEvent",
    "ApplicationFile",
    "CapitalChange",
    "Course",
    "CourseFile",
    "Evaluation",
    "Inspection",
    "InspectionCampaign",
    "InspectionEvidence",
    "InspectionItem",
    "Institution",
    "Listing",
    "Owner",
    "Permit",
    "Pledge",
    "Premises",
    "RegisterImport",
    "RegisterRow",
    "Room",
    "Session",
    "Staff",
    "StaffImport",
    "StaffRow",
    "StepDeadline",
    "WeeklyPlan",
]
