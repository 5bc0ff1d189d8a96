"""What tests of applications have in common: departments, drafts with papers, and leading an application to a state."""

from __future__ import annotations

import datetime
from typing import Any

from qingdan.accounts.enums import OrganisationKind, Role
from qingdan.accounts.models import Organisation, User
from qingdan.institutions.actions import applications as acts
from qingdan.institutions.actions.permits import Grant
from qingdan.institutions.enums import ApplicationKind, ApplicationState
from qingdan.institutions.models import Application
from qingdan.institutions.routing import department_consulted, department_in_charge
from qingdan.places.models import Region
from qingdan.storage.files import PDF, ReadFile
from tests.district import make_user
from tests.institutions.making import credit_code

PAPER = ReadFile("章程.pdf", PDF, b"%PDF-1.4 fictional")
GRANT = Grant("教民990101000001号", "书画、舞蹈", datetime.date(2026, 12, 1), datetime.date(2029, 11, 30))


def make_department(region: Region, department: str) -> User:
    """An office of a department in a region, by its officer."""
    office = Organisation.objects.create(
        name=f"某区{department}局",
        kind=OrganisationKind.BUREAU,
        layer_code=region.layer_code,
        region_code=region.code,
        department=department,
    )
    return make_user(f"officer_{department}", Role.BUREAU if department == "education" else Role.DEPARTMENT, office)


def make_applicant(region: Region, name: str = "拟设艺术中心", layer_code: str = "") -> User:
    """Somebody who wants to found an institution: an organisation without a registry entry."""
    owner = Organisation.objects.create(
        name=name, kind=OrganisationKind.INSTITUTION, layer_code=layer_code or region.layer_code, region_code=region.code
    )
    return make_user(f"applicant{owner.pk}", Role.INSTITUTION, owner)


NEW: dict[str, Any] = {
    "legal_person": "王示例", "registration": "company", "premises_name": "本部", "premises_address": "示范路1号",
    "premises_street": "示范街道", "area_m2": 300, "contact": "王示例", "phone": "010-0000000",
}  # fmt: skip


def make_application(by: User, kind: str = "new", *, papers: bool = True, **values: Any) -> Application:
    """A draft with a paper."""
    given = {"category": "non_academic", "field": "culture", "audience": "compulsory"} | values
    details = given.pop("details", NEW | {"credit_code": credit_code(900 + by.pk)})
    application = Application.objects.create(
        applicant=by.employer, kind=kind, created_by=by, details=details, department=department_in_charge(given["field"]),
        second_department=department_consulted(kind, details.get("registration", "")), **given,
    )  # fmt: skip
    if papers:
        acts.add_files(application=application, by=by, label="章程", files=[PAPER])
    return application


def lead_to(application: Application, state: str, *, by: User, officer: User, second: User | None = None) -> Application:
    """Take the ordinary way until a state is reached; the bureau acts for whoever is not given."""
    second = second or officer
    states = ApplicationState
    steps: dict[str, Any] = {
        states.DRAFT: lambda: acts.submit(application=application, by=by),
        states.SUBMITTED: lambda: acts.accept(application=application, by=officer),
        states.ACCEPTED: lambda: _accepted(application, officer, second),
        states.TO_VISIT: lambda: acts.visit(
            application=application, by=officer, has_fit_premises=True, has_fit_staff=True, has_fit_teaching=True
        ),
        states.TO_NOTIFY: lambda: acts.start_notice(application=application, by=officer),
        states.ON_NOTICE: lambda: _over(application),
    }
    while application.state != state:
        steps[application.state]()
    return application


def _accepted(application: Application, officer: User, second: User) -> None:
    if application.second_department:
        acts.consult(application=application, by=second, is_agreed=True)
    acts.review(application=application, by=officer)


def _over(application: Application) -> None:
    """The notice was over yesterday."""
    Application.objects.filter(pk=application.pk).update(notice_from=datetime.date(2026, 11, 2), notice_until=datetime.date(2026, 11, 13))
    acts.end_notices()
    application.refresh_from_db()


def details_of(kind: str) -> dict[str, Any]:
    """What a kind's form leaves in the details."""
    premises = {name: NEW[name] for name in ("premises_name", "premises_address", "premises_street", "area_m2")}
    known: dict[str, dict[str, Any]] = {
        ApplicationKind.NEW: NEW | {"credit_code": credit_code(950)},
        ApplicationKind.REREGISTRATION: {"credit_code": credit_code(951), "registration": "non_profit"},
        ApplicationKind.FILING_TO_APPROVAL: {},
        ApplicationKind.PREMISES: premises | {"premises_name": "分部"},
        ApplicationKind.CHANGE: {"new_name": "新名艺术中心", "new_legal_person": "李示例"},
        ApplicationKind.CONVERSION: {"registration": "non_profit"},
        ApplicationKind.RENEWAL: {},
        ApplicationKind.CLOSURE: {"statement": "举办者决定"},
    }
    return known[kind]
