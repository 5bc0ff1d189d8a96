"""Charts of the registry: the right numbers, a sentence, the indicator with its clause, and a workbook of each."""

from __future__ import annotations

import datetime
import io
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from qingdan.accounts.enums import OrganisationKind, Role
from qingdan.accounts.models import Organisation, User
from qingdan.charting.drawing import draw, drawn
from qingdan.charting.widths import WIDTHS
from qingdan.institutions.charts.figures import FIGURES, REDUCTION, Asked, Figure
from qingdan.institutions.charts.specs import specification
from qingdan.institutions.models import Inspection, InspectionCampaign, Institution
from qingdan.places.calendar import current_pack
from qingdan.policy.packs import default_pack
from tests.district import MONDAY, District, make_region, make_user, signed_in
from tests.institutions.applying import make_department
from tests.institutions.finding import make_finding
from tests.institutions.making import make_institution, make_permit

#: The day on which the national document came into force, as the pack says.
BASE = default_pack().documents["s2"].in_force_from
DAY = datetime.timedelta(days=1)
ACADEMIC = {"category": "academic", "field": "academic", "department": "education"}


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    cache.clear()
    drawn.cache_clear()


@pytest.fixture
def recorded(district: District) -> District:
    """Ten academic institutions at the base day; since then closed, converted and added ones."""
    region = district.region
    old = [make_institution(region, registered_on=BASE - number * DAY, **ACADEMIC) for number in range(8)]
    online = [make_institution(region, registered_on=BASE, runs_online=True, **ACADEMIC) for _ in range(2)]
    for each in (old[0], old[1], online[0]):
        each.state, each.state_reason = "closed", "压减"
        each.save()
    old[2].category, old[2].field, old[2].department = "non_academic", "culture", "culture"
    old[2].save()
    old[3].state, old[3].state_reason = "suspended", "整改"
    old[3].save()
    make_institution(region, registered_on=BASE + DAY, **ACADEMIC)
    # Never academic, though old.
    arts = make_institution(region, registered_on=BASE - DAY, street="西街道")
    make_permit(arts, None, district.bureau, ends_on=datetime.date(2026, 12, 31))
    make_permit(old[4], None, district.bureau, ends_on=datetime.date(2029, 8, 31))
    make_finding(arts.organisation)
    make_finding(arts.organisation, status="settled")
    return district


def inspect(district: District) -> None:
    """Somebody has been inspected."""
    campaign = InspectionCampaign.objects.create(
        bureau=district.bureau.employer, title="2026", year=2026, report_until=MONDAY, created_by=district.bureau
    )
    given = {"inspected_on": MONDAY, "inspected_by": district.bureau}
    Inspection.objects.create(campaign=campaign, institution=Institution.objects.latest("pk"), state="passed", **given)


def figure(name: str, user: User) -> Figure:
    """A figure as somebody sees it."""
    return FIGURES[name](Asked(user, MONDAY, current_pack()))


def test_reduction_counts_what_was_closed_converted_and_added(recorded: District) -> None:
    found = figure("reduction", recorded.bureau)
    assert found.rows == (
        ("线下", 8, 2, 1, 1, 6, 25.0),
        ("线上", 2, 1, 0, 0, 1, 50.0),
        ("合计", 10, 3, 1, 1, 7, 30.0),
    )
    assert "2021年7月24日有学科类机构 10 家，现有 7 家，压减 30%" in found.sentence
    (national,) = [each for each in found.indicators if each.title == "校外培训机构压减率"]
    assert national.cites[0][0] == "s2.case.beijing-institutions-down"


def test_the_base_day_is_the_packs(recorded: District) -> None:
    (indicator,) = [each for _, each in default_pack().indicators if each.id == REDUCTION]
    document, _ = default_pack().clauses[indicator.cites[0]]
    assert document.in_force_from == BASE


def test_a_place_sees_its_own_indicators(db: None) -> None:
    region = make_region("990301", "cn-xinjiang")
    office = Organisation.objects.create(name="某局", kind=OrganisationKind.BUREAU, layer_code="cn-xinjiang", region_code="990301")
    make_institution(region, registered_on=BASE, **ACADEMIC)
    found = figure("reduction", make_user("bureau-xj", Role.BUREAU, office))
    assert [each.title for each in found.indicators] == ["校外培训机构压减率", "学科类培训机构压减率"]
    assert found.rows == (("线下", 1, 0, 0, 0, 1, 0.0),)


def test_without_old_institutions_the_rate_is_not_made_up(district: District) -> None:
    make_institution(district.region, registered_on=BASE + DAY, **ACADEMIC)
    found = figure("reduction", district.bureau)
    assert found.is_empty
    assert "算不出压减率" in found.advice


def test_the_registry_by_field_department_and_street(recorded: District) -> None:
    rows = {row[0]: row[1:] for row in figure("by-field", recorded.bureau).rows}
    assert rows == {"学科类": (6, 1, 3, 10), "文化艺术类": (2, 0, 0, 2)}
    assert {row[0] for row in figure("by-department", recorded.bureau).rows} == {"教育部门", "文化和旅游部门"}
    assert figure("by-street", recorded.bureau).rows[-1] == ("西街道", 1, 0, 0, 1)
    sentence = figure("by-field", recorded.bureau).sentence
    assert "共登记 12 家，在册 8 家；学科类最多，10 家" in sentence
    assert "在册、面向义务教育阶段的学科类机构 6 家" in sentence


def test_permits_by_the_month_in_which_they_end(recorded: District) -> None:
    found = figure("permits", recorded.bureau)
    rows = {row[0]: row[1:] for row in found.rows}
    assert next(iter(rows)) == "2026-11"
    assert len(rows) == 13
    assert rows["2026-12"] == (0, 1, 1)
    assert rows["更晚"] == (1, 0, 1)
    assert "有效许可 2 件，其中 1 件在本月和随后两个月里到期" in found.sentence


def test_findings_by_field(recorded: District) -> None:
    found = figure("findings", recorded.bureau)
    assert found.columns == ("领域", "机构从业人员", "待处理", "已有结果", "合计")
    assert found.rows == (("文化艺术", 2, 1, 1, 2),)


def test_the_share_of_inspected_institutions_in_order(recorded: District) -> None:
    assert figure("inspections", recorded.bureau).is_empty
    for year, states in ((2024, ["failed"]), (2025, ["passed", "passed", "to_correct", "waiting"])):
        campaign = InspectionCampaign.objects.create(
            bureau=recorded.bureau.employer, title=f"{year}", year=year, report_until=MONDAY, created_by=recorded.bureau
        )
        for state, institution in zip(states, Institution.objects.filter(field="academic").order_by("pk"), strict=False):
            until = MONDAY if state == "to_correct" else None
            signed = {} if state == "waiting" else {"inspected_on": MONDAY, "inspected_by": recorded.bureau}
            Inspection.objects.create(campaign=campaign, institution=institution, state=state, correct_until=until, **signed)
    found = figure("inspections", recorded.bureau)
    assert found.columns == ("领域", "合格", "限期整改", "合计", "合规率（%）")
    assert found.rows == (("学科", 2, 1, 3, 66.7),)
    assert "2025 年年检已核查 3 家，合格 2 家，合规率 66.7%" in found.sentence
    assert [each.title for each in found.indicators] == ["培训机构检查合规率"]
    ElementTree.fromstring(draw(specification(found, "phone")))


def test_shanghai_counts_what_has_been_put_in_order(db: None) -> None:
    region = make_region("990201", "cn-shanghai")
    office = Organisation.objects.create(name="某局", kind=OrganisationKind.BUREAU, layer_code="cn-shanghai", region_code="990201")
    make_institution(region, registered_on=BASE, **ACADEMIC)
    make_institution(region, registered_on=BASE, registration="company", **ACADEMIC)
    make_institution(region, registered_on=BASE, registration="company", state="closed", state_reason="终止", **ACADEMIC)
    found = figure("reduction", make_user("bureau-sh", Role.BUREAU, office))
    assert "登记为非营利性或已终止的 2 家，规范完成率 66.7%" in found.sentence
    assert "学科类机构规范完成率" in [each.title for each in found.indicators]


def test_a_department_counts_its_own_institutions_only(recorded: District) -> None:
    officer = make_department(recorded.region, "culture")
    assert [row[0] for row in figure("by-field", officer).rows] == ["文化艺术类"]
    assert figure("findings", officer).rows == (("文化艺术", 2, 1, 1, 2),)
    sports = make_department(recorded.region, "sports")
    assert all(build(Asked(sports, MONDAY, current_pack())).is_empty for build in FIGURES.values())


@pytest.mark.parametrize("name", FIGURES)
def test_each_chart_is_drawn_with_its_words(name: str, recorded: District) -> None:
    inspect(recorded)
    found = figure(name, recorded.bureau)
    for width in WIDTHS:
        root = ElementTree.fromstring(draw(specification(found, width)))
        text = "".join(root.itertext())
        assert all(str(each["label"]) in text for each in found.data), text
        assert found.sentence in specification(found, width)["description"]


def test_the_page_has_sentences_tables_pictures_and_clauses(recorded: District) -> None:
    inspect(recorded)
    page = signed_in(recorded.bureau).get(reverse("institutions:charts")).content.decode()
    for name in FIGURES:
        assert reverse("institutions:chart", args=[name]) in page
        assert figure(name, recorded.bureau).sentence in page
        assert reverse("institutions:chart_table", args=[name]) in page
    assert reverse("library:clause", args=["s2.case.beijing-institutions-down"]) in page
    assert "<td>30.0</td>" in page


def test_without_institutions_each_chart_says_what_to_do(district: District) -> None:
    client = signed_in(district.bureau)
    page = client.get(reverse("institutions:charts")).content.decode()
    assert page.count('class="qd-empty"') == len(FIGURES)
    assert client.get(reverse("institutions:chart", args=["reduction"])).status_code == 404
    assert client.get(reverse("institutions:chart_table", args=["reduction"])).status_code == 200


def test_the_figures_are_taken_along_as_a_workbook(recorded: District) -> None:
    client = signed_in(recorded.bureau)
    answer = client.get(reverse("institutions:chart_table", args=["reduction"]))
    sheet = load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    values = list(sheet.iter_rows(values_only=True))
    assert values[0] == ("方式", "基期", "已注销", "转为非学科类", "新增", "现有", "压减率（%）")
    assert values[3] == ("合计", 10, 3, 1, 1, 7, 30)
    assert any("期末培训机构数" in str(row[0]) for row in values[4:])


def test_a_chart_is_drawn_once_for_each_state_of_its_numbers(recorded: District, monkeypatch: pytest.MonkeyPatch) -> None:
    client, address = signed_in(recorded.bureau), reverse("institutions:chart", args=["by-field"])
    first = client.get(address)
    assert first["Content-Type"].startswith("image/svg+xml")
    assert "private" in first["Cache-Control"]
    monkeypatch.setattr("qingdan.charting.drawing.draw", lambda spec: pytest.fail("drawn again"))
    assert client.get(address).content == first.content
    assert client.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 304
    monkeypatch.undo()
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: MONDAY)
    make_institution(recorded.region)
    changed = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed.content != first.content
    assert client.get(reverse("institutions:chart", args=["nonsense"])).status_code == 404
    assert client.get(address, {"width": "huge"}).status_code == 404


def test_another_departments_chart_is_not_served_from_the_cache(recorded: District) -> None:
    address = reverse("institutions:chart", args=["by-field"])
    whole = signed_in(recorded.bureau).get(address)
    own = signed_in(make_department(recorded.region, "culture")).get(address, headers={"If-None-Match": whole["ETag"]})
    assert own.status_code == 200
    assert "学科类" not in own.content.decode().replace("非学科类", "")


def test_the_page_costs_the_same_however_much_there_is(recorded: District) -> None:
    client, address = signed_in(recorded.bureau), reverse("institutions:charts")

    def cost() -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        return len(captured)

    few = cost()
    for number in range(8):
        more = make_institution(recorded.region, street=f"街道{number}", field="sports", department="sports")
        make_permit(more, None, recorded.bureau)
        make_finding(more.organisation, "training.course-filed")
    assert Institution.objects.count() > 15
    assert cost() == few <= 16
