"""Schools, their classes of each school year, and their people."""

from qingdan.schools.models.identity import StaffIdentity
from qingdan.schools.models.joining import JoinAttempt, JoinCode
from qingdan.schools.models.people import Enrolment, GradeLead, Guardian, Pupil, SubjectLead, TeachingAssignment
from qingdan.schools.models.places import School, SchoolClass, Subject
from qingdan.schools.models.rollovers import YearRollover
from qingdan.schools.models.rolls import RollImport, RollRow

__all__ = [
    "Enrolment",
    "GradeLead",
    "Guardian",
    "JoinAttempt",
    "JoinCode",
    "Pupil",
    "RollImport",
    "RollRow",
    "School",
    "SchoolClass",
    "StaffIdentity",
    "Subject",
    "SubjectLead",
    "TeachingAssignment",
    "YearRollover",
]
