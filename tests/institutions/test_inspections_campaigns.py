"""Campaigns of yearly inspections: the list comes from the law, what the records show stands on it, nobody is in two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from qingdan.accounts.enums import Role
from qingdan.accounts.models import Organisation, User
from qingdan.institutions.actions import inspections as acts
from qingdan.institutions.models import Inspection, InspectionCampaign, Institution
from qingdan.institutions.requirements import requirements
from qingdan.judging.law import Judged, Law, current_law
from qingdan.places.calendar import current_pack
from qingdan.policy.packs import default_pack
from tests.district import MONDAY, District, make_user, signed_in
from tests.institutions.inspecting import UNTIL, start
from tests.institutions.making import make_institution, make_staff

FILED = "institutions.staff-filed"
NEW = {"title": "2026年年检", "year": "2026", "category": "", "report_until": UNTIL.isoformat()}


@pytest.fixture
def inspection(district: District, institution: Institution, operator: User) -> Inspection:
    """The institution's inspection in this year's campaign."""
    start(district.bureau)
    return Inspection.objects.get(institution=institution)


@pytest.fixture
def culture(district: District) -> User:
    """An officer of the department of culture."""
    office = Organisation.objects.create(
        name="某区文旅局", kind="bureau", layer_code="demo-district", region_code=district.region.code, department="culture"
    )
    return make_user("culture", Role.DEPARTMENT, office)


def words(response: Any) -> str:
    """A page's text."""
    return str(response.content.decode())


def test_the_list_holds_the_rules_of_the_place_and_leaves_out_those_of_another_category() -> None:
    pack = default_pack()
    found = {
        category: {each.rule.id for each in requirements(pack, place="demo-district", category=category, on=MONDAY)}
        for category in ("academic", "non_academic")
    }
    assert {"training.end-time", "training.online-under-six", "institutions.non-profit"} <= found["academic"] - found["non_academic"]
    # Whatever its category, an institution may be joined by nobody in academic contests, and files its staff.
    assert {"institutions.annual-inspection", FILED, "training.no-academic-contests"} <= found["academic"] & found["non_academic"]
    # No rule over those who decide about institutions, and none of another place.
    assert not {"institutions.approval-conditions", "institutions.fine-range", "training.contests-shanghai"} & found["academic"]


def test_a_replaced_rule_gives_way_to_the_places_own() -> None:
    pack = default_pack()
    shanghai = {each.rule.id for each in requirements(pack, place="cn-shanghai", category="academic", on=MONDAY)}
    assert "institutions.non-profit-shanghai" in shanghai
    assert "institutions.non-profit" not in shanghai


def test_a_campaign_makes_a_list_for_each_active_institution_with_what_is_known(district: District, institution: Institution) -> None:
    make_staff(institution, is_filed=False)
    make_staff(institution, "李示例", is_filed=False)
    make_institution(district.region, "示例停业中心", state="suspended", state_reason="整顿")
    response = signed_in(district.bureau).post(reverse("institutions:inspection_campaign_new"), NEW)
    campaign = InspectionCampaign.objects.get()
    assert response.url == reverse("institutions:inspection_campaign", args=[campaign.pk])  # type: ignore[attr-defined]
    inspection = Inspection.objects.get()
    assert inspection.institution == institution
    # Nobody waits for the records to be judged: a job counts, and pages say so until then.
    assert not inspection.items.exclude(known_breaches=None).exists()
    assert ProcrastinateJob.objects.get(task_name="institutions.count_known_breaches").args == {"campaign_id": campaign.pk}
    bureau = signed_in(district.bureau)
    assert "系统正在核对各机构的记录" in words(bureau.get(response.url))  # type: ignore[attr-defined]
    assert "系统正在核对" in words(bureau.get(reverse("institutions:inspection", args=[inspection.pk])))
    assert acts.count_known(campaign) == inspection.items.count()
    assert acts.count_known(campaign) == 0
    assert "系统正在核对" not in words(bureau.get(response.url))  # type: ignore[attr-defined]
    items = {each.rule_id: each for each in inspection.items.all()}
    assert items[FILED].known_breaches == 2
    assert items["institutions.licensed"].known_breaches == 1
    assert items["institutions.real-name"].known_breaches == 0
    assert items[FILED].cites[0]["text"]
    assert {each.rule.id for each in requirements(current_pack(), place="demo-district", category="non_academic", on=MONDAY)} == set(items)


def test_judging_is_one_pass_for_each_kind_however_many_institutions(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []
    for _ in range(3):
        make_institution(district.region)
    law = type(current_law())
    judge_all = law.judge_all

    def judge(self: Law, kind: str) -> Iterator[Judged]:
        judged.append(kind)
        return judge_all(self, kind)

    monkeypatch.setattr(law, "judge_all", judge)
    start(district.bureau)
    assert Inspection.objects.count() == 3
    assert judged
    assert len(judged) == len(set(judged))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"report_until": "2026-11-15"}, "不能早于今天"),
        ({"title": ""}, "请填写名称"),
        ({"category": "academic"}, "没有可以年检的机构"),
        ({"year": "2019"}, "2019"),
    ],
)
def test_a_campaign_that_does_not_fit_is_refused_and_nothing_is_kept(
    district: District, institution: Institution, values: dict[str, str], said: str
) -> None:
    response = signed_in(district.bureau).post(reverse("institutions:inspection_campaign_new"), NEW | values)
    assert response.status_code == 400
    assert said in words(response)
    assert not InspectionCampaign.objects.exists()


def test_nobody_is_inspected_twice_in_a_year_and_newcomers_are_taken_in(district: District, inspection: Inspection, culture: User) -> None:
    with pytest.raises(ValidationError, match="本年度这个类别的年检已经发起"):
        start(district.bureau)
    with pytest.raises(ValidationError, match="没有可以年检的机构"):
        start(culture)
    make_institution(district.region)
    campaign = InspectionCampaign.objects.get()
    signed_in(district.bureau).post(reverse("institutions:inspection_campaign_extend", args=[campaign.pk]))
    assert Inspection.objects.filter(campaign=campaign).count() == 2


def test_a_department_sees_and_starts_only_what_is_its_own(district: District, culture: User) -> None:
    own, other = (
        make_institution(district.region, "示例舞蹈中心"),
        make_institution(district.region, "示例科技中心", field="science", department="science"),
    )
    campaign = start(district.bureau)
    page = words(signed_in(culture).get(reverse("institutions:inspection_campaign", args=[campaign.pk])))
    assert own.name in page
    assert other.name not in page
    theirs = Inspection.objects.get(institution=other)
    assert signed_in(culture).get(reverse("institutions:inspection", args=[theirs.pk])).status_code == 404
    assert signed_in(culture).post(reverse("institutions:inspection_conclude", args=[theirs.pk])).status_code == 404
    make_institution(district.region, "示例新设中心")
    for act in ("extend", "cancel"):
        answer = signed_in(culture).post(reverse(f"institutions:inspection_campaign_{act}", args=[campaign.pk]), follow=True)
        assert "请联系发起单位" in words(answer)
    assert campaign.inspections.count() == 2
    Institution.objects.filter(organisation__name="示例新设中心").update(state="suspended", state_reason="整顿")
    campaign_2025 = start(culture, title="2025年补检", year=2025)
    assert [each.institution for each in campaign_2025.inspections.all()] == [own]


def test_a_campaign_is_taken_back_until_somebody_has_begun(district: District, inspection: Inspection, operator: User) -> None:
    url = reverse("institutions:inspection_campaign_cancel", args=[inspection.campaign_id])
    item = inspection.items.all()[0]
    acts.answer_item(item, answer=True, note="", files=[], by=operator)
    assert "不能撤销" in words(signed_in(district.bureau).post(url, follow=True))
    acts.answer_item(item, answer=None, note="", files=[], by=operator)
    signed_in(district.bureau).post(url)
    assert not InspectionCampaign.objects.exists()
