"""Advertisements and activities: recorded on the spot, judged at once, withdrawn with a reason, read by the institution."""

from __future__ import annotations

import datetime
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from qingdan.accounts.enums import Role
from qingdan.accounts.models import Organisation, User
from qingdan.institutions.models import Activity, Advertisement, Institution
from qingdan.judging.law import current_law
from qingdan.notices.models import Notice
from tests.district import MONDAY, District, make_user, signed_in
from tests.institutions.making import make_institution

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 32
PDF = b"%PDF-1.7 " + b"0" * 32


def advertisement(seen_of: Institution, **values: Any) -> dict[str, Any]:
    """What the form sends for an advertisement on a bus stop."""
    given = {
        "institution": seen_of.pk, "category": "non_academic", "found_on": MONDAY.isoformat(), "medium": "public_place",
        "location": "示范路公交站", "text": "暑期美术班招生",
    }  # fmt: skip
    return given | values


def activity(seen_of: Institution, **values: Any) -> dict[str, Any]:
    """What the form sends for a competition."""
    given = {
        "institution": seen_of.pk, "name": "少儿绘画展示", "held_on": MONDAY.isoformat(), "kind": "competition",
        "category": "non_academic", "role": "organise", "audience": "compulsory",
    }  # fmt: skip
    return given | values


def words(response: Any) -> str:
    """A page's text."""
    return str(response.content.decode())


def record(by: User, what: str, data: dict[str, Any]) -> Any:
    """Send the form; the record, or None when it was refused."""
    signed_in(by).post(reverse(f"institutions:{what}_new"), data)
    model: Any = {"advertisement": Advertisement, "activity": Activity}[what]
    return model.objects.order_by("pk").last()


def law_says(kind: str, row_id: int) -> list[str]:
    """The rules that a fact breaks by today's law."""
    return [finding.rule.id for each in current_law().judge_touched(kind, row_id=row_id) for finding in each.breaches]


@pytest.mark.parametrize(
    ("values", "rules"),
    [
        ({}, []),
        ({"category": "academic", "text": "暑期数学班"}, ["institutions.no-academic-ads"]),
        ({"exaggerates_effect": "on"}, ["institutions.truthful-ads"]),
    ],
)
def test_an_advertisement_is_judged_as_it_is_recorded(
    district: District, institution: Institution, operator: User, values: dict[str, str], rules: list[str]
) -> None:
    kept = record(district.bureau, "advertisement", advertisement(institution, **values))
    assert [each["rule_id"] for each in kept.objections] == rules
    assert law_says("training_advertisement", kept.pk) == rules
    page = words(signed_in(district.bureau).get(reverse("institutions:advertisement", args=[kept.pk])))
    for each in kept.objections:
        assert each["sentence"] in page
        assert each["cites"][0]["text"] in page
    assert ("未见违规" in page) is not bool(rules)
    assert ("不合规定" in Notice.objects.get(user=operator).text) is True


def test_a_photograph_is_shown_as_it_was_taken_and_nothing_else_is_a_photograph(
    district: District, institution: Institution, operator: User
) -> None:
    client = signed_in(district.bureau)
    url = reverse("institutions:advertisement_new")
    for name, content, said in (("a.png", b"no picture", "不是可以收的文件"), ("a.pdf", PDF, "jpg 或 png"), ("a.png", b"", "是空的")):
        response = client.post(url, advertisement(institution, photo_file=SimpleUploadedFile(name, content)))
        assert response.status_code == 400
        assert said in words(response)
    assert not Advertisement.objects.exists()
    client.post(url, advertisement(institution, photo_file=SimpleUploadedFile("站牌.png", PNG)))
    kept = Advertisement.objects.get()
    photo = signed_in(operator).get(reverse("institutions:advertisement_photo", args=[kept.pk]))
    assert (photo.content, photo["Content-Type"], photo["X-Content-Type-Options"]) == (PNG, "image/png", "nosniff")
    stranger = make_user("stranger", Role.INSTITUTION, make_institution(district.region).organisation)
    assert signed_in(stranger).get(reverse("institutions:advertisement_photo", args=[kept.pk])).status_code == 404
    bare = record(district.bureau, "advertisement", advertisement(institution))
    assert client.get(reverse("institutions:advertisement_photo", args=[bare.pk])).status_code == 404


@pytest.mark.parametrize(
    ("what", "values", "said"),
    [
        ("advertisement", {"location": ""}, "请填写具体位置"),
        ("advertisement", {"text": "  "}, "请填写内容"),
        ("advertisement", {"found_on": "2026-11-17"}, "不能晚于今天"),
        ("advertisement", {"medium": "moon"}, "moon"),
        ("advertisement", {"institution": 0}, "机构"),
        ("activity", {"name": ""}, "请填写活动名称"),
        ("activity", {"held_on": "2026-11-17"}, "不能晚于今天"),
        ("activity", {"kind": "publicity"}, "至少勾选一项"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_kept(
    district: District, institution: Institution, what: str, values: dict[str, Any], said: str
) -> None:
    data = {"advertisement": advertisement, "activity": activity}[what](institution, **values)
    response = signed_in(district.bureau).post(reverse(f"institutions:{what}_new"), data)
    assert response.status_code == 400
    assert said in words(response)
    assert not Advertisement.objects.exists()
    assert not Activity.objects.exists()
    assert not Notice.objects.exists()


@pytest.mark.parametrize(
    ("values", "rules"),
    [
        ({}, []),
        ({"category": "academic", "name": "口算大赛"}, ["training.no-academic-contests"]),
        ({"kind": "publicity", "publishes_results": "on"}, []),  # forbidden in Shanghai, not in this district
    ],
)
def test_an_activity_is_judged_as_it_is_recorded(
    district: District, institution: Institution, values: dict[str, str], rules: list[str]
) -> None:
    kept = record(district.bureau, "activity", activity(institution, **values))
    assert [each["rule_id"] for each in kept.objections] == rules
    assert law_says("training_activity", kept.pk) == rules


def test_publicity_with_results_is_judged_by_the_law_of_the_place(district: District) -> None:
    Organisation.objects.filter(pk=district.bureau.employer.pk).update(layer_code="cn-shanghai")
    there = make_institution(district.region)
    Organisation.objects.filter(pk=there.pk).update(layer_code="cn-shanghai")
    kept = record(district.bureau, "activity", activity(there, kind="publicity", advertises_admissions="on"))
    assert [each["rule_id"] for each in kept.objections] == ["training.no-results-published"]


def test_words_of_results_are_pointed_out_while_they_are_typed_with_their_clauses(district: District, institution: Institution) -> None:
    client = signed_in(district.bureau)
    url = reverse("institutions:advertisement_words")
    told = words(client.post(url, {"text": "提分率 98%，状元班"}))
    assert "提分率" in told
    assert "状元" in told
    assert "没有发现" in words(client.post(url, {"name": "绘画展"}))
    kept = record(district.bureau, "advertisement", advertisement(institution, text="名校录取率第一"))
    assert "录取率" in words(client.get(reverse("institutions:advertisement", args=[kept.pk])))


def test_a_mistaken_record_is_withdrawn_with_a_reason_and_counts_no_longer(
    district: District, institution: Institution, operator: User
) -> None:
    kept = record(district.bureau, "advertisement", advertisement(institution, category="academic"))
    client = signed_in(district.bureau)
    url = reverse("institutions:advertisement_withdraw", args=[kept.pk])
    assert "请填写撤销理由" in words(client.post(url, {"reason": " "}))
    assert law_says("training_advertisement", kept.pk)
    client.post(url, {"reason": "认错了机构"})
    kept.refresh_from_db()
    assert (kept.withdrawal_reason, kept.withdrawn_by) == ("认错了机构", district.bureau)
    assert law_says("training_advertisement", kept.pk) == []
    assert "已经撤销过" in words(client.post(url, {"reason": "再来"}, follow=True))
    listing = reverse("institutions:advertisements")
    assert kept.text not in words(client.get(listing))
    assert kept.text in words(client.get(listing + "?withdrawn=withdrawn"))
    assert signed_in(operator).get(reverse("institutions:advertisement", args=[kept.pk])).status_code == 404


def test_an_institution_reads_what_was_found_and_how_to_correct_it(district: District, institution: Institution, operator: User) -> None:
    User.objects.filter(pk=district.bureau.pk).update(display_name="检查员甲")
    kept = record(district.bureau, "advertisement", advertisement(institution, category="academic"))
    other = record(district.bureau, "activity", activity(make_institution(district.region), name="别家活动"))
    client = signed_in(operator)
    page = words(client.get(reverse("institutions:advertisement", args=[kept.pk])))
    assert kept.objections[0]["remedy"] in page
    assert "某区教育局" in page
    assert "检查员甲" not in page
    assert "撤销记录" not in page
    assert other.name not in words(client.get(reverse("institutions:activities")))
    assert client.get(reverse("institutions:activity", args=[other.pk])).status_code == 404
    assert client.post(reverse("institutions:advertisement_withdraw", args=[kept.pk]), {"reason": "x"}).status_code == 404


def test_an_officer_of_another_department_records_only_about_its_own(district: District, institution: Institution) -> None:
    office = Organisation.objects.create(
        name="某区体育局", kind="bureau", layer_code="demo-district", region_code=district.region.code, department="sports"
    )
    officer = make_user("sports", Role.DEPARTMENT, office)
    own = make_institution(district.region, "示例游泳中心", field="sports", department="sports")
    assert record(officer, "advertisement", advertisement(institution)) is None
    kept = record(officer, "advertisement", advertisement(own))
    assert kept.institution == own
    record(district.bureau, "advertisement", advertisement(institution, text="美术广告"))
    page = words(signed_in(officer).get(reverse("institutions:advertisements")))
    assert kept.text in page
    assert "美术广告" not in page


def test_the_list_is_narrowed_and_exported(district: District, institution: Institution) -> None:
    record(district.bureau, "advertisement", advertisement(institution, text="合规广告", medium="own_premises"))
    record(district.bureau, "advertisement", advertisement(institution, text="违规广告", category="academic"))
    client = signed_in(district.bureau)
    url = reverse("institutions:advertisements")
    for asked, expected in (
        ("verdict=breach", "违规"),
        ("verdict=none", "合规"),
        ("medium=own_premises", "合规"),
        ("q=违规", "违规"),
        ("category=academic", "违规"),
    ):
        part = words(client.get(f"{url}?{asked}", headers={"HX-Request": "true"}))
        assert f"{expected}广告" in part, asked
        assert ("违规广告" if expected == "合规" else "合规广告") not in part, asked
    assert "没有符合筛选条件" in words(client.get(url + "?q=没有"))
    response = client.get(reverse("institutions:advertisements_export") + "?verdict=breach")
    rows = list(load_workbook(io.BytesIO(response.content)).active.iter_rows(values_only=True))
    assert len(rows) == 2
    assert {"违规广告", institution.name} <= set(rows[1])
    record(district.bureau, "activity", activity(institution))
    response = client.get(reverse("institutions:activities_export"))
    assert "少儿绘画展示" in list(load_workbook(io.BytesIO(response.content)).active.iter_rows(values_only=True))[1]


@pytest.mark.parametrize("what", ["advertisements", "activities"])
def test_lists_ask_the_database_no_more_for_more_rows(district: District, institution: Institution, what: str) -> None:
    url = reverse(f"institutions:{what}")
    client = signed_in(district.bureau)

    def add(number: int) -> None:
        common = {"institution": make_institution(district.region), "category": "academic", "recorded_by": district.bureau}
        day = MONDAY - datetime.timedelta(days=number)
        Advertisement.objects.create(
            found_on=day, medium="residential", location="某小区", text="班", objections=[{"title": "x"}], **common
        )
        Activity.objects.create(name="赛", held_on=day, kind="competition", role="organise", audience="compulsory", **common)

    def queries() -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as caught:
            assert client.get(url).status_code == 200
        return len(caught)

    add(0)
    few = queries()
    for number in range(6):
        add(number)
    assert queries() == few
