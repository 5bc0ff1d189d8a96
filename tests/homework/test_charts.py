"""Charts: the right numbers, a sentence, the limit of the law drawn and cited, and nothing drawn twice."""

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

from qingdan.charting.drawing import drawn
from qingdan.charting.widths import WIDTHS
from qingdan.homework.charts import drawing
from qingdan.homework.charts.figures import FIGURES, Figure, Selection, bucket_label
from qingdan.homework.charts.limits import limit_spans
from qingdan.homework.charts.questions import Scope, data_version
from qingdan.homework.charts.specs import specification
from qingdan.places.calendar import current_pack
from qingdan.policy.pack import Pack
from qingdan.schools.models import School
from tests.district import MONDAY, TUESDAY, District, make_class, make_school, signed_in
from tests.homework.test_supervision_reviews import disclosed, out, told

EARLIER = MONDAY - datetime.timedelta(days=7)
SUNDAY_BEFORE = MONDAY - datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    cache.clear()
    drawn.cache_clear()


@pytest.fixture
def recorded(district: District) -> District:
    """Two weeks in two schools, small enough to add up by hand."""
    first, second = district.first, district.second
    out(first.class_32, first.teacher, 50, EARLIER)
    out(first.class_32, first.teacher, 70, MONDAY)
    out(first.class_31, first.teacher, 30, MONDAY)
    out(first.class_21, first.teacher, 15, MONDAY, form="oral")
    out(second.class_32, second.teacher, 80, MONDAY)
    eighth = make_class(second.school, 8, 1)
    out(eighth, second.teacher, 85, MONDAY)
    disclosed(first.school, 3, EARLIER, SUNDAY_BEFORE, first.leader)
    told(first.class_32, MONDAY, 72, 75, 78)
    told(second.class_32, MONDAY, 95, 98, 99, 140)
    return district


def figure(name: str, *, stage: str = "", school: School | None = None) -> Figure:
    schools = list(School.objects.select_related("organisation"))
    scope = Scope(tuple((each.pk, each.organisation.layer_code) for each in schools), datetime.date(2026, 9, 1), MONDAY)
    names = {each.pk: each.name for each in schools}
    school_id = school.pk if school else None
    return FIGURES[name](Selection(current_pack(), scope, names, "demo-district", data_version(), stage, school_id))


def test_minutes_by_grade(recorded: District) -> None:
    found = figure("by-grade")
    assert found.rows == (
        ("二年级", 1, 0, "不得布置", 0, 0),
        ("三年级", 4, 57.5, "60", 2, 50),
        ("初二", 1, 85, "90", 0, 0),
    )
    assert "初二平均每天 85 分钟，在各年级里最长；各年级的平均值都在上限之内" in found.sentence
    assert [limit.minutes for limit in found.limits] == [None, 60, 90]
    assert all(limit.cites for limit in found.limits)


def test_minutes_by_school(recorded: District) -> None:
    found = figure("by-school")
    assert [(row[0], row[1], row[3], row[4]) for row in found.rows] == [
        ("甲小学", "小学低年级", 0, "不得布置"),
        ("乙小学", "小学中高年级", 80, "60"),
        ("甲小学", "小学中高年级", 50, "60"),
        ("乙小学", "初中", 85, "90"),
    ]
    assert "1 所学校的平均值超过上限：乙小学" in found.sentence
    assert {each["stage"] for each in found.data} == {"小学中高年级", "初中"}


def test_the_trend_by_week(recorded: District) -> None:
    found = figure("trend", stage="primary_upper")
    assert [(row[0], row[3]) for row in found.rows] == [("2026-11-09", 50), ("2026-11-16", 60)]
    assert "从每天 50 分钟升到 60 分钟" in found.sentence
    assert "目前只有一周" in figure("trend", stage="junior").sentence


def test_the_share_published_in_time(recorded: District, monkeypatch: pytest.MonkeyPatch) -> None:
    # The week of today is not due yet.
    assert figure("published").rows == (("三年级", 100, 100),)
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: MONDAY + datetime.timedelta(days=7))
    found = figure("published")
    assert found.rows == (("乙小学", None, 0, 0), ("甲小学", 100, 0, 33.3))
    assert "5 个应公示的年级·周里，1 个按时公示（20%）" in found.sentence
    assert figure("published", school=recorded.first.school).rows == (("二年级", None, 0, 0), ("三年级", 100, 0, 50))


def test_reported_minutes_beside_the_estimate(recorded: District) -> None:
    found = figure("reported")
    counts = {row[0]: row[1] for row in found.rows}
    assert counts[bucket_label(0)] == 3  # 72, 75, 78 against 70
    assert counts[bucket_label(10)] == 3  # 95, 98, 99 against 80
    assert counts[bucket_label(40)] == 0  # one family only: not shown
    assert "另有 1 份" in found.note
    assert "7 份反馈平均 93.9 分钟，教师预计平均 75.7 分钟" in found.sentence
    assert sum(row[2] for row in found.rows if isinstance(row[2], float | int)) < 100
    assert figure("reported", school=recorded.first.school).note == ""


def test_too_few_reports_are_not_shown(district: District) -> None:
    out(district.first.class_32, district.first.teacher, 70, MONDAY)
    told(district.first.class_32, MONDAY, 72, 75)
    found = figure("reported")
    assert found.is_empty
    assert "保护家庭隐私" in found.advice


def test_buckets_have_names() -> None:
    assert [bucket_label(bucket) for bucket in (-50, -40, -10, 0, 30, 40)] == [
        "少 40 分以上", "少 30–40 分", "少 0–10 分", "多 0–10 分", "多 30–40 分", "多 40 分以上",
    ]  # fmt: skip


def test_limits_change_on_their_day(db: None) -> None:
    pack: Pack = current_pack()
    spans = limit_spans(pack, ["cn"], datetime.date(2021, 7, 1), datetime.date(2021, 12, 31))
    third = [(span.since, span.until, span.minutes) for span in spans if span.grade == 3]
    assert third == [
        (datetime.date(2021, 7, 1), datetime.date(2021, 7, 24), None),
        (datetime.date(2021, 7, 24), datetime.date(2022, 1, 1), 60),
    ] or (third[0][2], third[-1][2]) == (None, 60)
    assert {span.minutes for span in spans if span.grade == 1} == {None, 0}
    shanghai = limit_spans(pack, ["cn-shanghai"], MONDAY, MONDAY)
    assert {span.grade: span.minutes for span in shanghai if span.grade in (5, 6)} == {5: 60, 6: 90}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", FIGURES)
def test_every_chart_is_drawn_with_its_words(name: str, width: str, recorded: District) -> None:
    found = figure(name)
    root = ElementTree.fromstring(drawing.svg(found, width))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert float(root.attrib["width"]) <= WIDTHS[width] + 60
    text = "".join(root.itertext())
    labels = {str(each["label" if "label" in each else "week"]) for each in found.data}
    assert all(label in text for label in labels), text
    assert found.sentence in specification(found, width)["description"]
    if name == "trend":
        assert "上限 60" in text


def test_the_limit_is_drawn_where_the_law_has_it(recorded: District) -> None:
    spec = specification(figure("by-grade"), "desk")
    (values,) = (
        ({each["label"]: each["limit"] for each in data} for data in spec["datasets"].values())
        if "datasets" in spec
        else ({each["label"]: each["limit"] for each in spec["data"]["values"]},)
    )
    assert values == {"二年级": 0, "三年级": 60, "初二": 90}
    assert "limit" in str(spec["layer"][1])


def test_the_page_has_sentences_tables_pictures_and_clauses(recorded: District) -> None:
    text = signed_in(recorded.bureau).get(reverse("homework:charts")).content.decode()
    for name in FIGURES:
        assert reverse("homework:chart", args=[name]) in text
    assert "各年级的平均值都在上限之内" in text
    assert reverse("library:clause", args=["s2.homework.limits-primary-upper"]) in text
    assert "<td>57.5</td>" in text


def test_filters_choose_stage_school_and_time(recorded: District) -> None:
    client, address = signed_in(recorded.bureau), reverse("homework:charts")
    assert "初二" not in client.get(address, {"stage": "primary_upper"}).content.decode().partition("results")[2]
    text = client.get(address, {"school": recorded.second.school.pk}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in text
    assert "甲小学" not in text
    assert "最近四周" in client.get(address, {"period": "4w"}).content.decode()
    assert client.get(address, {"stage": "x", "school": "999", "period": "t0"}).status_code == 200


def test_a_leader_sees_the_own_school_only(recorded: District) -> None:
    client = signed_in(recorded.first.leader)
    text = client.get(reverse("homework:charts"), {"school": recorded.second.school.pk}).content.decode()
    assert "乙小学" not in text
    assert "初二" not in text
    sheet = load_workbook(io.BytesIO(client.get(reverse("homework:chart_table", args=["by-school"])).content)).active
    assert sheet is not None
    assert {row[0] for row in sheet.iter_rows(values_only=True, min_row=2, max_row=3)} == {"甲小学"}


def test_without_data_each_chart_says_what_to_do(district: District) -> None:
    client = signed_in(district.bureau)
    text = client.get(reverse("homework:charts")).content.decode()
    assert text.count("这段时间没有登记作业") == 3
    assert client.get(reverse("homework:chart", args=["by-grade"])).status_code == 404
    assert client.get(reverse("homework:chart_table", args=["by-grade"])).status_code == 200


def test_the_same_chart_is_neither_drawn_nor_sent_twice(recorded: District, monkeypatch: pytest.MonkeyPatch) -> None:
    client, address = signed_in(recorded.bureau), reverse("homework:chart", args=["by-grade"])
    first = client.get(address)
    assert first["Content-Type"].startswith("image/svg+xml")
    assert "private" in first["Cache-Control"]
    monkeypatch.setattr("qingdan.homework.views.charts.svg", lambda *args: pytest.fail("drawn again"))
    assert client.get(address).content == first.content
    assert client.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 304
    monkeypatch.undo()
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: MONDAY)
    out(recorded.first.class_31, recorded.first.teacher, 30, TUESDAY)
    changed = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert client.get(reverse("homework:chart", args=["nonsense"])).status_code == 404
    assert client.get(address, {"width": "huge"}).status_code == 404


def test_new_data_show_at_once(recorded: District) -> None:
    client, address = signed_in(recorded.bureau), reverse("homework:charts")
    assert "<td>57.5</td>" in client.get(address).content.decode()
    out(recorded.first.class_31, recorded.first.teacher, 17, MONDAY, subject="英语")
    assert "<td>61.8</td>" in client.get(address).content.decode()


def test_the_page_costs_the_same_however_much_there_is(recorded: District) -> None:
    client, address = signed_in(recorded.bureau), reverse("homework:charts")

    def cost() -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        return len(captured)

    few = cost()
    for number in range(3):
        more = make_school(recorded.region, f"丙{number}", prefix=f"more{number}_")
        for week in range(3):
            out(more.class_32, more.teacher, 20, MONDAY - datetime.timedelta(weeks=week))
    assert cost() == few <= 14
