"""The registry: organisations, institutions, premises with rooms, permits, owners and deals, lists, evaluations, pledges."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.apps import apps
from django.contrib.auth.hashers import make_password
from stdnum.cn import uscc

from qingdan.accounts.enums import OrganisationKind, Role
from qingdan.accounts.models import Organisation, User, pinyin_of
from qingdan.demo.calendar import at
from qingdan.demo.institutions.plan import InstitutionPlan, Plant
from qingdan.demo.plan import REGION_CODE, seeded
from qingdan.institutions.enums import (
    ApprovalBasis,
    CapitalDeal,
    CompetentDepartment,
    InstitutionState,
    ListColour,
    RegistrationKind,
    TrainingCategory,
    TrainingField,
)
from qingdan.institutions.models import (
    CapitalChange,
    Course,
    Evaluation,
    Institution,
    Listing,
    Owner,
    Permit,
    Pledge,
    Premises,
    Room,
    Staff,
)
from qingdan.places.models import Region

_DAY, _YEAR = datetime.timedelta(days=1), datetime.timedelta(days=365)
_CODE_PREFIX = {RegistrationKind.COMPANY: "91", RegistrationKind.NON_PROFIT: "52", RegistrationKind.PUBLIC: "12"}
_REFUNDS = "开课前全额退费；开课后按未消课时退费，10 个工作日内原路退回（虚构）。"
_SCOPES = {
    TrainingField.ACADEMIC: "学科类培训", TrainingField.CULTURE: "文化艺术类培训", TrainingField.SPORTS: "体育类培训",
    TrainingField.SCIENCE: "科技类培训", TrainingField.OTHER: "其他非学科类培训",
}  # fmt: skip

#: (region, department) -> who acts for it; the education bureau where a department has no office.
Officers = Mapping[tuple[str, str], User]


@dataclass
class Loaded:
    """An institution that stands in the database, with what later records need."""

    plan: InstitutionPlan
    institution: Institution
    clerk: User
    officer: User
    premises: list[Premises] = field(default_factory=list)
    rooms: list[Room] = field(default_factory=list)
    #: Those of today: on site first, then online. Of an institution that is no more, the last ones.
    permits: list[Permit] = field(default_factory=list)
    teachers: list[Staff] = field(default_factory=list)
    courses: list[Course] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The organisation's."""
        return self.plan.name


def credit_code(number: int, registration: str) -> str:
    """A fictional unified social credit code with its right check digit."""
    base = f"{_CODE_PREFIX[RegistrationKind(registration)]}990101{number:09}"
    return base + uscc.calc_check_digit(base)


def officers_of(users: Mapping[str, User]) -> Officers:
    """Who acts where, among the accounts of the demonstration."""
    found = {}
    for user in users.values():
        if user.is_officer:
            owner = user.employer
            found[owner.region_code, owner.department or CompetentDepartment.EDUCATION.value] = user
    return found


def write_registry(
    plans: Sequence[InstitutionPlan], regions: Mapping[str, Region], officers: Officers, accounts: Mapping[str, User], day: datetime.date
) -> list[Loaded]:
    """All institutions with what the registry knows of them."""
    owners = _organisations(plans, regions)
    clerks = _clerks(owners, accounts)
    loaded = []
    for plan, owner in zip(plans, owners, strict=True):
        officer = officers.get((plan.region_code, plan.department)) or officers[plan.region_code, CompetentDepartment.EDUCATION]
        loaded.append(Loaded(plan, _institution(plan, owner, regions[plan.region_code]), clerks[owner.pk], officer))
    Institution.objects.bulk_create(each.institution for each in loaded)
    _change(loaded)
    _premises(loaded, day)
    _permits(loaded, day)
    _owners(loaded, day)
    _lists(loaded, day)
    _pledges(loaded, day)
    return loaded


def _organisations(plans: Sequence[InstitutionPlan], regions: Mapping[str, Region]) -> list[Organisation]:
    """Those with an account are there already."""
    known = {each.name: each for each in Organisation.objects.filter(name__in=[plan.name for plan in plans])}
    new = [
        Organisation(
            name=plan.name, pinyin=pinyin_of(plan.name), kind=OrganisationKind.INSTITUTION, is_fictional=True,
            region_code=plan.region_code, layer_code=regions[plan.region_code].layer_code,
        )
        for plan in plans if plan.name not in known
    ]  # fmt: skip
    known |= {each.name: each for each in Organisation.objects.bulk_create(new)}
    return [known[plan.name] for plan in plans]


def _clerks(owners: Sequence[Organisation], accounts: Mapping[str, User]) -> dict[int, User]:
    """Organisation -> who acts for it: an account of the demonstration, or somebody who never signs in."""
    found = {user.organisation_id: user for user in accounts.values() if user.role == Role.INSTITUTION and user.organisation_id}
    new = [
        User(
            username=f"demo-i{number:03}", display_name=f"示范经办人{number:03}", role=Role.INSTITUTION, organisation=owner,
            password=make_password(None),
        )
        for number, owner in enumerate(owners, start=1) if owner.pk not in found
    ]  # fmt: skip
    return found | {each.organisation_id or 0: each for each in User.objects.bulk_create(new)}


def _institution(plan: InstitutionPlan, owner: Organisation, region: Region) -> Institution:
    chance = seeded("registry", plan.number)
    state, reason = InstitutionState.ACTIVE, ""
    if plan.has(Plant.REVOKED):
        state, reason = InstitutionState.SUSPENDED, "办学许可证已吊销，停业清退学员"
    was_academic = plan.category == TrainingCategory.ACADEMIC or plan.converted_on is not None
    category, field, department = plan.category, plan.field, plan.department
    if plan.converted_on is not None:
        category, field, department = TrainingCategory.ACADEMIC, TrainingField.ACADEMIC, CompetentDepartment.EDUCATION
    first, span = (2016, 5 * 365) if was_academic else (2018, 6 * 365)
    return Institution(
        organisation=owner, region=region, credit_code=credit_code(plan.number, plan.registration),
        legal_person=f"示例负责人{plan.number:03}", registration=plan.registration, category=category, field=field,
        audience=plan.audience, department=department, runs_online=plan.is_online, has_icp=plan.is_online,
        approval_basis=_basis(plan),
        is_dually_managed=category == TrainingCategory.ACADEMIC, is_real_name_registered=not plan.has(Plant.NO_REAL_NAME),
        website=f"https://jg{plan.number:03}.example" if plan.is_online or chance.random() < 0.2 else "",
        street=plan.street, refund_terms=_REFUNDS, registered_on=datetime.date(first, 1, 4) + int(chance.random() * span) * _DAY,
        state=state, state_reason=reason,
    )  # fmt: skip


def _change(loaded: Sequence[Loaded]) -> None:
    """What an institution was before it closed or changed over stands in its history, as of that day."""
    changed = []
    for each in loaded:
        plan, institution = each.plan, each.institution
        if plan.closed_on is not None:
            institution.state, institution.state_reason = InstitutionState.CLOSED, f"{plan.closed_on:%Y-%m-%d} 经批准终止办学"
            changed.append((institution, plan.closed_on))
        elif plan.converted_on is not None:
            institution.category, institution.field, institution.department = plan.category, plan.field, plan.department
            institution.is_dually_managed = False
            changed.append((institution, plan.converted_on))
    fields = ("state", "state_reason", "category", "field", "department", "is_dually_managed")
    Institution.objects.bulk_update([institution for institution, _ in changed], fields)
    events = apps.get_model("institutions", "InstitutionEvent")
    for institution, day in changed:
        events._base_manager.filter(pgh_obj_id=institution.pk).update(pgh_created_at=at(day, 16))


def _basis(plan: InstitutionPlan) -> ApprovalBasis:
    if plan.has(Plant.UNLICENSED):
        return ApprovalBasis.NONE
    return ApprovalBasis.FILING if plan.has(Plant.FILED_ONLY) else ApprovalBasis.APPROVAL


def _premises(loaded: Sequence[Loaded], day: datetime.date) -> None:
    """A head office, perhaps a branch; the one of an institution that is no more closed with it."""
    rooms = []
    for each in loaded:
        plan, chance = each.plan, seeded("premises", each.plan.number)
        for place in range(plan.premises):
            opened = each.institution.registered_on + (place * 300) * _DAY
            is_closed = plan.has(Plant.CLOSED_PREMISES) and place > 0
            each.premises.append(
                Premises(
                    institution=each.institution, name=("总部", "分部")[place], opened_on=min(opened, day - 200 * _DAY),
                    address=f"{plan.street}示例路{10 + plan.number}号{place + 1}层", street=plan.street,
                    area_m2=160 + 40 * int(chance.random() * 9),
                    closed_on=plan.closed_on or (day - 60 * _DAY if is_closed else None),
                )
            )  # fmt: skip
    Premises.objects.bulk_create(each for found in loaded for each in found.premises)
    for each in loaded:
        open_ones = [place for place in each.premises if place.closed_on is None]
        each.rooms = [Room(premises=place, name=f"{number}01", seats=20) for place in open_ones for number in range(1, 4)]
        rooms += each.rooms
        rooms += [Room(premises=place, name="101", seats=16) for place in each.premises if place.closed_on and not each.plan.closed_on]
    Room.objects.bulk_create(rooms)


def _permits(loaded: Sequence[Loaded], day: datetime.date) -> None:
    old = []
    for each in loaded:
        plan = each.plan
        if plan.has(Plant.UNLICENSED):
            continue
        places: list[Premises | None] = [*each.premises, *([None] if plan.is_online else [])]
        for serial, place in enumerate(places, start=1):
            starts, ends, revoked, reason = _term(plan, place, day)
            permit = Permit(
                institution=each.institution, premises=place, number=f"虚教许{plan.region_code}第{plan.number:03}{serial}号",
                department=plan.department, category=plan.category, field=plan.field, audience=plan.audience,
                scope=f"{each.institution.get_audience_display()}{_SCOPES[plan.field]}", starts_on=starts, ends_on=ends,
                revoked_on=revoked, revocation_reason=reason, issued_by=each.officer,
            )  # fmt: skip
            each.permits.append(permit)
        if plan.converted_on is not None:
            old.append(_before_conversion(each))
    Permit.objects.bulk_create([*old, *(permit for each in loaded for permit in each.permits)])


def _term(
    plan: InstitutionPlan, place: Premises | None, day: datetime.date
) -> tuple[datetime.date, datetime.date, datetime.date | None, str]:
    """From when until when, and from when on not any more, with the reason."""
    chance = seeded("permit", plan.number)
    if plan.closed_on is not None:
        starts = plan.closed_on - 500 * _DAY
        return starts, starts + 3 * _YEAR, plan.closed_on, "终止办学"
    if place is not None and place.closed_on is not None:
        return place.closed_on - 2 * _YEAR, place.closed_on + _YEAR, place.closed_on, "教学点停用"
    if plan.has(Plant.REVOKED):
        return day - 600 * _DAY, day + 400 * _DAY, day - 35 * _DAY, "以非学科之名开展学科类培训，情节严重"
    if plan.has(Plant.EXPIRED):
        return day - 25 * _DAY - 3 * _YEAR, day - 25 * _DAY, None, ""
    if plan.has(Plant.EXPIRING):
        ends = day + (40 + int(chance.random() * 45)) * _DAY
        return ends - 3 * _YEAR, ends, None, ""
    starts = day - (400 + int(chance.random() * 300)) * _DAY
    if plan.converted_on is not None:
        starts = max(starts, plan.converted_on)
    return starts, starts + 3 * _YEAR, None, ""


def _before_conversion(each: Loaded) -> Permit:
    """The permit of what it was before it changed over."""
    day, plan = each.plan.converted_on, each.plan
    assert day is not None, "only asked of those that changed"
    place = each.premises[0] if each.premises else None
    return Permit(
        institution=each.institution, premises=place, number=f"虚教许{plan.region_code}第{plan.number:03}旧号",
        department=CompetentDepartment.EDUCATION, category=TrainingCategory.ACADEMIC, field=TrainingField.ACADEMIC, audience=plan.audience,
        scope="义务教育阶段学科类培训", starts_on=day - 600 * _DAY, ends_on=day + 400 * _DAY, revoked_on=day, revocation_reason="转型换证",
        issued_by=each.officer,
    )  # fmt: skip


def _owners(loaded: Sequence[Loaded], day: datetime.date) -> None:
    owners, deals = [], []
    for each in loaded:
        plan, since = each.plan, each.institution.registered_on
        others = [
            (Plant.LISTED, "示例上市教育股份有限公司", {"is_listed": True}, CapitalDeal.LISTING, True),
            (Plant.FOREIGN, "EXAMPLE CAPITAL（虚构外资）", {"is_foreign": True}, CapitalDeal.FOREIGN_COOPERATION, False),
            (Plant.BY_AGREEMENT, "示例管理咨询公司（协议控制，虚构）", {"is_by_agreement": True}, CapitalDeal.FOREIGN_HOLDING, False),
        ]
        left = 100
        for plant, name, flags, deal, is_financing in others:
            if not plan.has(plant):
                continue
            deal_of = CapitalDeal.LISTED_INVESTMENT if deal == CapitalDeal.LISTING and plan.region_code != REGION_CODE else deal
            when = day - 220 * _DAY
            owners.append(Owner(institution=each.institution, name=name, share_percent=20, since=when, **flags))
            amount = 500_000_000
            deals.append(
                CapitalChange(
                    institution=each.institution, happened_on=when, deal=deal_of, investor=name, share_percent=20, amount_fen=amount,
                    is_financing=is_financing, used_for_training_fen=amount * 7 // 10 if is_financing else None, recorded_by=each.officer,
                )
            )  # fmt: skip
            left -= 20
        if plan.number % 9 == 3 and plan.teaches:
            owners.append(Owner(institution=each.institution, name=f"示例合伙人{plan.number:03}", share_percent=30, since=day - _YEAR))
            deals.append(
                CapitalChange(
                    institution=each.institution, happened_on=day - _YEAR, deal=CapitalDeal.ORDINARY,
                    investor=f"示例合伙人{plan.number:03}",
                    share_percent=30, amount_fen=30_000_000, recorded_by=each.officer,
                )
            )  # fmt: skip
            left -= 30
        founder = "示范区教育服务中心（虚构）" if plan.registration == RegistrationKind.PUBLIC else f"示例举办者{plan.number:03}"
        owners.append(Owner(institution=each.institution, name=founder, share_percent=left, since=since))
    Owner.objects.bulk_create(owners)
    CapitalChange.objects.bulk_create(deals)


def _lists(loaded: Sequence[Loaded], day: datetime.date) -> None:
    found = []
    for each in loaded:
        given = {"institution": each.institution, "decided_by": each.officer}
        if each.plan.has(Plant.WHITE) and not each.plan.has(Plant.BLACK):
            found.append(Listing(colour=ListColour.WHITE, since=day - 150 * _DAY, reason="年检合格，资金监管到位，无投诉", **given))
        if each.plan.has(Plant.BLACK):
            found.append(Listing(colour=ListColour.BLACK, since=day - 35 * _DAY, reason="许可证被吊销", **given))
        elif each.plan.number % 31 == 2:
            found.append(
                Listing(
                    colour=ListColour.BLACK, since=day - 400 * _DAY, until=day - 200 * _DAY, reason="未按合同退费",
                    removal_reason="已全额退费，整改验收合格", **given,
                )
            )  # fmt: skip
    Listing.objects.bulk_create(found)


def _pledges(loaded: Sequence[Loaded], day: datetime.date) -> None:
    """The trade's pledge by half of them, a third party's word on every fourth."""
    pledges, evaluations = [], []
    for each in loaded:
        if not each.plan.teaches:
            continue
        if each.plan.number % 2:
            text = "诚信办学，明码标价，不超标超前，不虚假宣传，依法退费。"
            pledges.append(Pledge(institution=each.institution, text=text, pledged_on=day - 180 * _DAY, pledged_by=each.clerk))
        if each.plan.number % 4 == 1:
            grade = ("优秀", "良好", "良好", "合格")[each.plan.number // 4 % 4]
            evaluations.append(
                Evaluation(
                    institution=each.institution, evaluator="示范区教育评估事务所（虚构）", evaluated_on=day - 120 * _DAY, grade=grade,
                    summary="看教学、看场地、看收费和退费，访谈家长 20 人。", recorded_by=each.officer,
                )
            )  # fmt: skip
    Pledge.objects.bulk_create(pledges)
    Evaluation.objects.bulk_create(evaluations)
