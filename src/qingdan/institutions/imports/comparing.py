"""What each line of a register would do to the institutions as they are now."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from qingdan.accounts.enums import OrganisationKind
from qingdan.accounts.models import Organisation, User, pinyin_of
from qingdan.institutions.enums import DEPARTMENT_OF_FIELD, ApprovalBasis, CompetentDepartment, TrainingCategory, TrainingField
from qingdan.institutions.models import Institution, Permit, Premises
from qingdan.places.journal import Journal
from qingdan.places.models import Region
from qingdan.schools.enums import RollAct
from qingdan.schools.rolls.reading import Line
from qingdan.storage.refusals import message_of

#: Fields that a line may change, with those that a new institution cannot do without.
_FIELDS = (
    "legal_person", "registration", "category", "field", "audience", "department", "approval_basis", "runs_online", "registered_on",
    "street", "website",
)  # fmt: skip
_REQUIRED = ("legal_person", "registration", "category", "field", "audience", "registered_on")
_DAYS = ("registered_on", "permit_starts_on", "permit_ends_on")
_MAIN_PREMISES = "本部"

Effect = Callable[[Journal], None]


@dataclass
class Outcome:
    """What one line does."""

    act: RollAct
    what: str = ""
    effects: list[Effect] = field(default_factory=list)


@dataclass
class _Known:
    """What there is already, read once for all lines."""

    region: Region
    by: User
    institutions: dict[str, Institution]
    permits: dict[str, Permit]
    names: dict[str, int]
    premises: dict[int, list[Premises]]
    permits_of: dict[int, list[Permit]]
    seen_codes: dict[str, str] = field(default_factory=dict)
    seen_permits: dict[str, str] = field(default_factory=dict)
    seen_names: dict[str, str] = field(default_factory=dict)


def compare(region: Region, lines: Sequence[Line], *, by: User) -> list[Outcome]:
    """One outcome for each line, in a handful of queries however many there are."""
    codes = {each.values.get("credit_code") for each in lines}
    numbers = {each.values.get("permit_number") for each in lines}
    names = {each.values.get("name") for each in lines}
    institutions = {each.credit_code: each for each in Institution.objects.filter(credit_code__in=codes).select_related("organisation")}
    pks = [each.pk for each in institutions.values()]
    known = _Known(
        region,
        by,
        institutions,
        {each.number: each for each in Permit.objects.filter(number__in=numbers).select_related("institution__organisation")},
        dict(Organisation.objects.filter(name__in=names).values_list("name", "pk")),
        _grouped(Premises.objects.filter(institution__in=pks)),
        _grouped(Permit.objects.filter(institution__in=pks)),
    )
    return [_outcome(line, known) for line in lines]


def _grouped(records: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for each in records:
        found.setdefault(each.institution_id, []).append(each)
    return found


def _outcome(line: Line, known: _Known) -> Outcome:
    values: dict[str, Any] = {
        name: datetime.date.fromisoformat(each) if name in _DAYS else each for name, each in line.values.items() if name != "fault"
    }
    if reason := line.fault or _refusal(line, values, known):
        return Outcome(RollAct.REFUSE, reason)
    found = known.institutions.get(values["credit_code"])
    return _new(values, known) if found is None else _changed(found, values, known)


def _refusal(line: Line, values: dict[str, Any], known: _Known) -> str:
    """Why a line can be nothing; empty when it can."""
    code, number, name = values["credit_code"], values.get("permit_number"), values["name"]
    if (first := known.seen_codes.setdefault(code, line.where)) != line.where:
        return f"统一社会信用代码与{first}重复；每家机构只写一行"
    if (first := known.seen_names.setdefault(name, line.where)) != line.where:
        return f"机构名称与{first}重复，信用代码却不同；请核对"
    if number and (first := known.seen_permits.setdefault(number, line.where)) != line.where:
        return f"许可证号“{number}”与{first}重复；请核对"
    found = known.institutions.get(code)
    if found is not None and found.region_id != known.region.pk:
        return "这个统一社会信用代码已在另一个地区登记；请先与该地区核对"
    if known.names.get(name, found and found.pk) != (found and found.pk):
        return f"已有单位叫“{name}”，信用代码却不同；请核对名称或代码"
    permit = known.permits.get(number) if number else None
    if permit is not None and (found is None or permit.institution_id != found.pk):
        return f"许可证号“{number}”已属于{permit.institution.name}；请核对"
    if found is None and (missing := [_label(each) for each in _REQUIRED if not _completed(values).get(each)]):
        return f"新机构缺{'、'.join(missing)}；请补上"
    return _misfit(values, found, permit, known)


def _label(name: str) -> str:
    return str(Institution._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


def _completed(values: dict[str, Any]) -> dict[str, Any]:
    """With what follows from the rest: day of registration from the permit, department from the field, approval from the permit."""
    given = dict(values)
    given.setdefault("registered_on", given.get("permit_starts_on"))
    given.setdefault("department", DEPARTMENT_OF_FIELD.get(given.get("field", ""), CompetentDepartment.NONE).value)
    given.setdefault("approval_basis", (ApprovalBasis.APPROVAL if given.get("permit_number") else ApprovalBasis.NONE).value)
    return given


def _misfit(values: dict[str, Any], found: Institution | None, permit: Permit | None, known: _Known) -> str:
    category, own = (values.get(name) or getattr(found, name, "") for name in ("category", "field"))
    if (category == TrainingCategory.ACADEMIC) != (own == TrainingField.ACADEMIC):
        return message_of("institution_field_fits_category", Institution)
    place = _premises_of(values, found, known)
    if values.get("address") and place is None and not values.get("area_m2"):
        return "写了地址，没有写面积，建不成教学点；请补上面积（平方米）"
    if not values.get("permit_number"):
        return ""
    starts, ends = (values.get(f"permit_{name}") or getattr(permit, name, None) for name in ("starts_on", "ends_on"))
    if starts is None or ends is None:
        return "写了许可证号，没有写有效期起止；请补上"
    if ends <= starts:
        return message_of("permit_runs_forward", Permit)
    for each in known.permits_of.get(found.pk, []) if found else []:
        same = each.premises_id == (place.pk if place else None) and each.field == own and each.revoked_on is None
        if same and each != permit and each.starts_on <= ends and starts <= each.ends_on:
            return f"与许可证“{each.number}”重叠：{message_of('permits_of_one_scope_do_not_overlap', Permit)}"
    return ""


def _premises_of(values: dict[str, Any], found: Institution | None, known: _Known) -> Premises | None:
    """The premises that a line means among those there are: by name, or by address where no name is written."""
    mine = known.premises.get(found.pk, []) if found else []
    if name := values.get("premises"):
        return next((each for each in mine if each.name == name), None)
    return next((each for each in mine if each.address == values.get("address")), None)


def _new(values: dict[str, Any], known: _Known) -> Outcome:
    given = _completed(values)
    region = known.region
    owner = Organisation(
        name=given["name"], kind=OrganisationKind.INSTITUTION, layer_code=region.layer_code, region_code=region.code,
        is_fictional=region.is_fictional,
    )  # fmt: skip
    fields = {name: given[name] for name in _FIELDS if name in given}
    institution = Institution(organisation=owner, region=region, credit_code=given["credit_code"], **fields)

    def create(journal: Journal) -> None:
        journal.create(owner)
        institution.organisation = owner
        journal.create(institution)

    said = ["登记机构"]
    outcome = Outcome(RollAct.ADD, effects=[create])
    _premises_and_permit(institution, None, given, known, outcome, said)
    outcome.what = "，".join(said)
    return outcome


def _changed(found: Institution, values: dict[str, Any], known: _Known) -> Outcome:
    outcome = Outcome(RollAct.SAME)
    said: list[str] = []
    if values["name"] != found.name:
        said.append(f"更名：{found.name} → {values['name']}")
        owner, name = found.organisation, values["name"]
        outcome.effects.append(lambda journal: journal.change(owner, name=name, pinyin=pinyin_of(name)))
    changes = {name: values[name] for name in _FIELDS if name in values and values[name] != getattr(found, name)}
    if changes:
        said += [f"{_label(name)}：{_shown(found, name)} → {_shown(Institution(**{name: new}), name)}" for name, new in changes.items()]
        outcome.effects.append(lambda journal: journal.change(found, **changes))
    _premises_and_permit(found, found, values, known, outcome, said)
    if said:
        outcome.act, outcome.what = RollAct.CHANGE, "；".join(said)
    return outcome


def _shown(record: Institution, name: str) -> str:
    if hasattr(record, f"get_{name}_display"):
        return str(getattr(record, f"get_{name}_display")()) or "（空）"
    value = getattr(record, name)
    return ("是" if value else "否") if isinstance(value, bool) else str(value) or "（空）"


def _premises_and_permit(
    institution: Institution, found: Institution | None, values: dict[str, Any], known: _Known, outcome: Outcome, said: list[str]
) -> None:
    place = _premises_of(values, found, known)
    if place is None and values.get("address"):
        place = made = Premises(
            institution=institution, name=values.get("premises", _MAIN_PREMISES), address=values["address"],
            street=values.get("street", ""), area_m2=values["area_m2"],
            opened_on=values.get("registered_on") or institution.registered_on,
        )  # fmt: skip
        said.append(f"教学点“{made.name}”")
        outcome.effects.append(lambda journal: _create_under(journal, made, institution))
    elif place is not None:
        known_place = place
        changes = {name: values[name] for name in ("address", "area_m2") if name in values and values[name] != getattr(place, name)}
        if changes:
            said.append(f"教学点“{place.name}”{'、'.join('改地址' if name == 'address' else '改面积' for name in changes)}")
            outcome.effects.append(lambda journal: journal.change(known_place, **changes))
    if values.get("permit_number"):
        _permit(institution, place, values, known, outcome, said)


def _create_under(journal: Journal, record: Any, institution: Institution) -> None:
    record.institution = institution
    journal.create(record)


def _permit(
    institution: Institution, place: Premises | None, values: dict[str, Any], known: _Known, outcome: Outcome, said: list[str]
) -> None:
    number = values["permit_number"]
    held = known.permits.get(number)
    if held is not None:
        terms = {"starts_on": values.get("permit_starts_on"), "ends_on": values.get("permit_ends_on")}
        changes = {name: day for name, day in terms.items() if day is not None and day != getattr(held, name)}
        if changes:
            said.append(f"许可证“{number}”有效期改为 {changes.get('starts_on', held.starts_on)} 至 {changes.get('ends_on', held.ends_on)}")
            outcome.effects.append(lambda journal: journal.change(held, **changes))
        return
    # What the line changes of the institution counts for the permit too.
    own = {name: values.get(name) or getattr(institution, name) for name in ("department", "category", "field", "audience")}
    permit = Permit(
        institution=institution, number=number, starts_on=values["permit_starts_on"], ends_on=values["permit_ends_on"],
        issued_by=known.by, **own,
    )  # fmt: skip
    permit.scope = f"{permit.get_audience_display()}{permit.get_category_display()}（{permit.get_field_display()}）"
    said.append(f"许可证“{number}”")

    def create(journal: Journal) -> None:
        # The premises may have been made a moment ago: only now has it a number.
        permit.premises = place
        _create_under(journal, permit, institution)

    outcome.effects.append(create)
