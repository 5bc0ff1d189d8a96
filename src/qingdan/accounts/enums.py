"""Closed sets of the accounts app."""

from __future__ import annotations

from django.db.models import TextChoices


class OrganisationKind(TextChoices):
    """What an organisation is."""

    BUREAU = "bureau", "教育行政部门"
    SCHOOL = "school", "学校"
    INSTITUTION = "institution", "校外培训机构"


class CompetentDepartment(TextChoices):
    """Which department of the government an organisation of kind bureau is; the pack's ``competent_department``."""

    EDUCATION = "education", "教育部门"
    SPORTS = "sports", "体育部门"
    CULTURE = "culture", "文化和旅游部门"
    SCIENCE = "science", "科技部门"
    MARKET = "market", "市场监管部门"
    CIVIL_AFFAIRS = "civil_affairs", "民政部门"
    HEALTH = "health", "卫健部门"
    LABOUR = "labour", "人社部门"
    NONE = "none", "未明确"


class Role(TextChoices):
    """As what a user signs in.

    Year-group head, class teacher and subject lead are no roles but duties of a school year, which a teacher may have several
    of; they stand in the schools app.
    """

    BUREAU = "bureau", "教育行政人员"
    #: Of another department of the district's government: sees training institutions that are its own, nothing of schools.
    DEPARTMENT = "department", "主管部门人员"
    SCHOOL_LEADER = "school_leader", "学校管理者"
    TEACHER = "teacher", "教师"
    PARENT = "parent", "家长"
    INSTITUTION = "institution", "机构经办人"


#: The kind of organisation for which each role acts; parents act for themselves.
KIND_OF_ROLE: dict[str, OrganisationKind] = {
    Role.BUREAU: OrganisationKind.BUREAU,
    Role.DEPARTMENT: OrganisationKind.BUREAU,
    Role.SCHOOL_LEADER: OrganisationKind.SCHOOL,
    Role.TEACHER: OrganisationKind.SCHOOL,
    Role.INSTITUTION: OrganisationKind.INSTITUTION,
}
#: Those who act for an authority over training institutions.
OFFICERS: tuple[str, ...] = (Role.BUREAU, Role.DEPARTMENT)
#: Everybody who acts for an organisation.
STAFF: tuple[str, ...] = tuple(KIND_OF_ROLE)
#: Who signs in for an organisation when nothing else is said.
FIRST_ROLE: dict[str, Role] = {
    OrganisationKind.BUREAU: Role.BUREAU,
    OrganisationKind.SCHOOL: Role.SCHOOL_LEADER,
    OrganisationKind.INSTITUTION: Role.INSTITUTION,
}


class Scope(TextChoices):
    """What a program with a token may do for its user."""

    HOMEWORK_READ = "homework:read", "读取作业"
    HOMEWORK_WRITE = "homework:write", "登记、修改作业"
    DISCLOSURE_READ = "disclosure:read", "读取公示"
    DISCLOSURE_WRITE = "disclosure:write", "发布公示"
    FINDINGS_READ = "findings:read", "读取问题清单"
    FINDINGS_WRITE = "findings:write", "答复、确认问题"


_DISCLOSURE = (Scope.DISCLOSURE_READ, Scope.DISCLOSURE_WRITE)
_FINDINGS = (Scope.FINDINGS_READ, Scope.FINDINGS_WRITE)
#: What a token of each role may be given; a token never opens more, whatever it was issued with.
SCOPES_OF_ROLE: dict[str, tuple[Scope, ...]] = {
    Role.BUREAU: (Scope.HOMEWORK_READ, Scope.DISCLOSURE_READ, *_FINDINGS),
    Role.SCHOOL_LEADER: (Scope.HOMEWORK_READ, Scope.HOMEWORK_WRITE, *_DISCLOSURE, *_FINDINGS),
    Role.TEACHER: (Scope.HOMEWORK_READ, Scope.HOMEWORK_WRITE, *_DISCLOSURE),
    Role.INSTITUTION: _FINDINGS,
    Role.DEPARTMENT: (),
}
