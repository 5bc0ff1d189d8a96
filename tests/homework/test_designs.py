"""The design library: written by teachers, reviewed by the research group, used with one tap, rated after use."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import Workbook

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.homework.actions.designs import rate_design, review_design, submit_design, withdraw_design
from qingdan.homework.actions.register import enter
from qingdan.homework.models import Design, DesignFile, DesignRating, DesignStep
from qingdan.notices.models import Notice
from qingdan.schools.models import SubjectLead
from tests.district import District, SmallSchool, homework, make_user, signed_in, subject

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


def make_design(school: SmallSchool, *, author: User | None = None, name: str = "数学", **values: object) -> Design:
    """A draft by the school's teacher."""
    given = {
        "grade": 3, "unit": "周长", "title": "量一量身边的物品", "content": "选三样物品，量出周长并记录", "intent": "联系生活",
        "tier": "basic", "form": "practical", "done_at": "home", "homework_minutes": 15, "origin": "own",
    }  # fmt: skip
    return Design.objects.create(school=school.school, subject=subject(name), author=author or school.teacher, **(given | values))


def publish(design: Design, school: SmallSchool) -> Design:
    """Through review, by the head of the research group of 数学."""
    submit_design(design=design, by=design.author)
    review_design(design=design, by=school.grade_head, is_published=True)
    return design


def typed(**values: object) -> dict[str, object]:
    """What the form sends."""
    given = {
        "title": "看图说周长", "subject": subject("数学").pk, "grade": "3", "unit": "周长", "content": "看图说出周长", "intent": "巩固概念",
        "requirements": "", "tier": "basic", "form": "written", "done_at": "home", "homework_minutes": "10", "origin": "own", "source": "",
    }  # fmt: skip
    return given | values


def docx() -> bytes:
    """A document as far as its list of parts goes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for part in ("[Content_Types].xml", "word/document.xml"):
            archive.writestr(part, "<xml/>")
    return out.getvalue()


def xlsx() -> bytes:
    """A small workbook."""
    out = io.BytesIO()
    Workbook().save(out)
    return out.getvalue()


def test_a_design_goes_from_draft_through_review_into_the_library(district: District) -> None:
    school = district.first
    author, head, colleague = signed_in(school.teacher), signed_in(school.grade_head), signed_in(school.other_teacher)
    answer = author.post(reverse("homework:design_new"), typed(submit="1", attachments=[SimpleUploadedFile("图.png", PNG)]), follow=True)
    assert "已提交，等教研组长审核" in answer.text
    design = Design.objects.get()
    address = reverse("homework:design", args=[design.pk])
    assert design.status == "submitted"
    assert Notice.objects.get(user=school.grade_head).url == address
    assert colleague.get(address).status_code == 404
    assert design.title in head.get(reverse("homework:designs"), {"shelf": "review"}).text
    answer = head.post(reverse("homework:design_review", args=[design.pk]), {"verdict": "publish", "note": "很好"}, follow=True)
    assert "已入库" in answer.text
    assert Notice.objects.filter(user=school.teacher, text__contains="已审核入库").exists()
    page = colleague.get(address)
    assert f"/homework/new/?design={design.pk}" in page.text
    assert "图.png" in page.text
    assert [step.act for step in design.steps.all()] == ["submitted", "published"]


def test_a_return_needs_a_reason_and_goes_back_to_the_author(district: District) -> None:
    school = district.first
    design = make_design(school)
    submit_design(design=design, by=school.teacher)
    head = signed_in(school.grade_head)
    answer = head.post(reverse("homework:design_review", args=[design.pk]), {"verdict": "return", "note": "  "})
    assert answer.status_code == 400
    assert "退回要写明理由" in answer.text
    design.refresh_from_db()
    assert design.status == "submitted"
    head.post(reverse("homework:design_review", args=[design.pk]), {"verdict": "return", "note": "时长估短了"})
    design.refresh_from_db()
    assert (design.status, design.review_note) == ("returned", "时长估短了")
    author = signed_in(school.teacher)
    assert "时长估短了" in author.get(reverse("homework:design", args=[design.pk])).text
    author.post(reverse("homework:design_edit", args=[design.pk]), typed(homework_minutes="25", submit="1"))
    design.refresh_from_db()
    assert (design.status, design.homework_minutes) == ("submitted", 25)


def test_nobody_reviews_his_own_design(district: District) -> None:
    school = district.first
    second = make_user("second_head", Role.TEACHER, school.school.organisation)
    SubjectLead.objects.create(school=school.school, subject=subject("数学"), user=second)
    design = make_design(school, author=school.grade_head)
    submit_design(design=design, by=school.grade_head)
    assert not Design.objects.to_review(school.grade_head).exists()
    with pytest.raises(ValidationError, match="不能审核自己的设计"):
        design.publish_by(school.grade_head)
    client = signed_in(school.grade_head)
    assert client.post(reverse("homework:design_review", args=[design.pk]), {"verdict": "publish"}).status_code == 404
    design.publish_by(second)
    assert design.status == "published"


def test_a_design_that_nobody_could_review_is_not_submitted(district: District) -> None:
    school = district.first
    design = make_design(school, author=school.other_teacher, name="语文")
    with pytest.raises(ValidationError, match="请学校先设置教研组长"):
        submit_design(design=design, by=school.other_teacher)
    design.refresh_from_db()
    assert design.status == "draft"


def test_two_heads_at_once_review_once(district: District) -> None:
    school = district.first
    design = make_design(school)
    submit_design(design=design, by=school.teacher)
    stale = Design.objects.get(pk=design.pk)
    review_design(design=design, by=school.grade_head, is_published=True)
    with pytest.raises(ValidationError, match="可能刚刚由别人审过"):
        review_design(design=stale, by=school.grade_head, is_published=False, note="不好")
    assert design.steps.count() == 2


def test_what_is_in_review_cannot_be_changed_until_it_is_taken_back(district: District) -> None:
    school = district.first
    design = make_design(school)
    submit_design(design=design, by=school.teacher)
    author = signed_in(school.teacher)
    answer = author.post(reverse("homework:design_edit", args=[design.pk]), typed(title="改了"), follow=True)
    assert "不能修改；要改请先取回" in answer.text
    author.post(reverse("homework:design_withdraw", args=[design.pk]))
    author.post(reverse("homework:design_edit", args=[design.pk]), typed(title="改了"))
    design.refresh_from_db()
    assert (design.status, design.title) == ("draft", "改了")


def test_a_head_withdraws_with_a_reason_and_the_author_hears_of_it(district: District) -> None:
    school = district.first
    design = publish(make_design(school), school)
    with pytest.raises(ValidationError, match="写明理由"):
        withdraw_design(design=design, by=school.grade_head)
    with pytest.raises(ValidationError, match="只有设计者本人和教研组长"):
        withdraw_design(design=design, by=school.other_teacher, reason="不喜欢")
    signed_in(school.grade_head).post(reverse("homework:design_withdraw", args=[design.pk]), {"reason": "超前于进度"})
    design.refresh_from_db()
    assert design.status == "draft"
    assert Notice.objects.filter(user=school.teacher, text__contains="超前于进度").exists()


def test_only_who_used_it_rates_and_may_change_his_mind(district: District) -> None:
    school = district.first
    design = publish(make_design(school, name="数学"), school)
    client = signed_in(school.grade_head)
    address = reverse("homework:design_rate", args=[design.pk])
    assert "用过这份设计才能评价" in client.post(address, {"stars": "5"}, follow=True).text
    assert not DesignRating.objects.exists()
    enter([homework(school.class_32, school.grade_head, "英语", 15, design=design)], by=school.grade_head)
    assert client.post(address, {"stars": "6"}).status_code == 400
    client.post(address, {"stars": "5", "comment": "孩子们喜欢"})
    client.post(address, {"stars": "4", "comment": "要多留时间"})
    assert list(DesignRating.objects.values_list("stars", "comment")) == [(4, "要多留时间")]
    enter([homework(school.class_32, school.teacher, "数学", 15, design=design)], by=school.teacher)
    with pytest.raises(ValidationError, match="不能评价自己的设计"):
        rate_design(design=design, by=school.teacher, stars=5, comment="")
    page = client.get(reverse("homework:design", args=[design.pk]))
    counted = page.context["counted"]
    assert (counted.uses, counted.rating, counted.rating_count) == (2, 4.0, 1)
    assert "4.0" in client.get(reverse("homework:designs")).text


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("练习.pdf", b"MZ\x90\x00" + b"\x00" * 200, "只改了扩展名"),
        ("空.pdf", b"", "0 字节"),
        ("太大.pdf", b"%PDF-1.7" + b"0" * (10 * 1024 * 1024), "超过 10 MB"),
        ("网页.png", b"<html><script>alert(1)</script></html>", "只改了扩展名"),
        ("坏.docx", b"PK\x03\x04" + b"\x00" * 50, "不是可以收的文件"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_nothing_is_saved(district: District, name: str, content: bytes, words: str) -> None:
    client = signed_in(district.first.teacher)
    good = SimpleUploadedFile("好.png", PNG)
    answer = client.post(reverse("homework:design_new"), typed(attachments=[good, SimpleUploadedFile(name, content)]))
    assert answer.status_code == 400
    assert words in answer.text
    assert name in answer.text
    assert not Design.objects.exists()


def test_a_document_with_macros_is_refused(district: District) -> None:
    out = io.BytesIO(docx())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("word/vbaProject.bin", b"macro")
    file = SimpleUploadedFile("宏.docx", out.getvalue())
    answer = signed_in(district.first.teacher).post(reverse("homework:design_new"), typed(attachments=[file]))
    assert "带有宏" in answer.text


def test_what_a_file_is_its_content_says(district: District) -> None:
    client = signed_in(district.first.teacher)
    files = [
        SimpleUploadedFile("../../etc/图<1>.PDF", PNG),
        SimpleUploadedFile("讲义.docx", docx()),
        SimpleUploadedFile("讲义.docx", docx()),
        SimpleUploadedFile("表.bin", xlsx()),
    ]
    client.post(reverse("homework:design_new"), typed(attachments=files))
    design = Design.objects.get()
    assert [file.name for file in design.files.all()] == ["图_1_.png", "讲义.docx", "讲义（2）.docx", "表.bin.xlsx"]
    picture = design.files.all()[0]
    answer = client.get(reverse("homework:design_file", args=[design.pk, picture.pk]))
    assert answer.content == PNG
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment;")
    client.post(reverse("homework:design_file_delete", args=[design.pk, picture.pk]))
    assert design.files.count() == 3
    stranger = signed_in(district.first.other_teacher)
    assert stranger.get(reverse("homework:design_file", args=[design.pk, design.files.first().pk])).status_code == 404  # type: ignore[union-attr]


def test_more_files_than_a_design_may_have_are_refused(district: District) -> None:
    files = [SimpleUploadedFile(f"{number}.png", PNG) for number in range(11)]
    answer = signed_in(district.first.teacher).post(reverse("homework:design_new"), typed(attachments=files))
    assert "最多 10 个附件" in answer.text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"homework_minutes": "0"}, "1 至 600"),
        ({"homework_minutes": "601"}, "1 至 600"),
        ({"homework_minutes": "-5"}, "1 至 600"),
        ({"origin": "chosen", "source": ""}, "写明出处"),
        ({"grade": "7"}, "选择一个有效的选项"),
        ({"title": ""}, "必填"),
    ],
)
def test_a_faulty_design_is_refused(district: District, values: dict[str, str], words: str) -> None:
    answer = signed_in(district.first.teacher).post(reverse("homework:design_new"), typed(**values))
    assert answer.status_code == 400
    assert words in answer.text
    assert not Design.objects.exists()


def test_a_teacher_writes_only_for_subjects_of_his_own(district: District) -> None:
    answer = signed_in(district.first.teacher).post(reverse("homework:design_new"), typed(subject=subject("英语").pk))
    assert answer.status_code == 400
    assert signed_in(district.first.leader).post(reverse("homework:design_new"), typed(subject=subject("英语").pk)).status_code == 302


def test_filters_and_orders(district: District) -> None:
    school = district.first
    short = publish(make_design(school, title="短的", homework_minutes=5, form="oral", unit="分数"), school)
    long = publish(make_design(school, title="长的", homework_minutes=40, tier="extended", grade=4), school)
    enter([homework(school.class_32, school.other_teacher, "语文", 5, design=short)], by=school.other_teacher)
    rate_design(design=short, by=school.other_teacher, stars=3, comment="")
    client = signed_in(school.other_teacher)

    def titles(**query: str) -> list[str]:
        page = client.get(reverse("homework:designs"), query, headers={"HX-Request": "true"}).context["page"]
        return [design.title for design in page]

    assert titles() == [long.title, short.title]
    assert titles(sort="rating") == titles(sort="uses") == [short.title, long.title]
    assert titles(minutes="10") == titles(form="oral") == titles(unit="分数") == titles(grade="3") == titles(stars="3") == [short.title]
    assert titles(tier="extended") == [long.title]
    assert titles(stars="4") == titles(subject=str(subject("英语").pk)) == titles(origin="chosen") == []
    assert titles(grade="99") == [long.title, short.title]


def test_a_draft_is_deleted_but_not_one_that_was_used(district: District) -> None:
    school = district.first
    client = signed_in(school.teacher)
    draft, used = make_design(school), publish(make_design(school), school)
    enter([homework(school.class_32, school.teacher, design=used)], by=school.teacher)
    assert "不能删除" in client.post(reverse("homework:design_delete", args=[used.pk]), follow=True).text
    withdraw_design(design=used, by=school.teacher)
    assert "已经布置过" in client.post(reverse("homework:design_delete", args=[used.pk]), follow=True).text
    client.post(reverse("homework:design_delete", args=[draft.pk]))
    assert list(Design.objects.all()) == [used]


def test_a_bureau_sees_libraries_without_names_of_teachers(district: District) -> None:
    school = district.first
    school.teacher.display_name = "王老师"
    school.teacher.save()
    design = publish(make_design(school), school)
    client = signed_in(district.bureau)
    for page in (client.get(reverse("homework:designs")), client.get(reverse("homework:design", args=[design.pk]))):
        assert design.title in page.text
        assert "王老师" not in page.text


@pytest.mark.parametrize("address", ["designs", "design"])
def test_queries_do_not_grow_with_designs(district: District, address: str) -> None:
    school = district.first
    client: Client = signed_in(school.other_teacher)

    def count() -> int:
        args = [Design.objects.earliest("pk").pk] if address == "design" else []
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(f"homework:{address}", args=args)).status_code == 200
        return len(queries)

    first = publish(make_design(school), school)
    few = count()
    for number in range(12):
        publish(make_design(school, title=f"设计{number}"), school)
        user = make_user(f"rater{number}", Role.TEACHER, school.school.organisation)
        DesignRating.objects.create(design=first, user=user, stars=4)
        DesignFile.objects.create(design=first, name=f"{number}.png", content_type="image/png", size_bytes=1, content=b"1")
    assert count() == few


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("design_minutes_in_range", {"homework_minutes": 0}),
        ("design_minutes_in_range", {"homework_minutes": 601}),
        ("design_names_its_source", {"origin": "adapted", "source": ""}),
        ("design_review_is_signed", {"status": "published"}),
        ("design_return_has_a_reason", {"status": "returned", "review_note": ""}),
        ("design_is_reviewed_by_another", {"reviewed_by": "author"}),
    ],
)
def test_constraints_of_a_design(district: District, name: str, values: dict[str, object]) -> None:
    school = district.first
    values = dict(values)
    if values.get("reviewed_by") == "author":
        values["reviewed_by"] = school.teacher
    if values.get("status") == "returned":
        values |= {"reviewed_by": school.grade_head, "reviewed_at": timezone.now()}
    message = next(each.violation_error_message for each in Design._meta.constraints if each.name == name)
    design = make_design(school)
    for field, value in values.items():
        setattr(design, field, value)
    with pytest.raises(ValidationError, match=str(message)):
        design.validate_constraints()
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        design.save()


def test_constraints_of_files_ratings_and_steps(district: District) -> None:
    school = district.first
    design = make_design(school)
    kept = {"design": design, "name": "a.png", "content_type": "image/png", "content": b"1"}
    DesignFile.objects.create(**kept, size_bytes=1)
    DesignRating.objects.create(design=design, user=school.leader, stars=1)
    cases = {
        "design_file_name_once": DesignFile(**kept, size_bytes=1),
        "design_file_is_not_empty": DesignFile(**(kept | {"name": "b.png"}), size_bytes=0),
        "design_rated_once_per_user": DesignRating(design=design, user=school.leader, stars=5),
        "design_stars_one_to_five": DesignRating(design=design, user=school.grade_head, stars=6),
        "design_step_return_has_a_reason": DesignStep(design=design, act="returned", by=school.grade_head),
    }
    for name, wrong in cases.items():
        message = next(each.violation_error_message for each in wrong._meta.constraints if each.name == name)
        with pytest.raises(ValidationError, match=str(message)):
            wrong.validate_constraints()
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            wrong.save()
