"""Disclosure for programs."""

from __future__ import annotations

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Path, Query, Router

from qingdan.accounts.api.doors import caller, reads, writes
from qingdan.accounts.api.pages import page_of
from qingdan.accounts.api.problems import Refusal
from qingdan.accounts.enums import Scope
from qingdan.homework.actions.disclosure import publish
from qingdan.homework.api.shapes import DisclosureFilter, DisclosurePage, DisclosureShape, DisclosureWhole, Publication
from qingdan.homework.models import Disclosure
from qingdan.homework.models.disclosure import DisclosureQuerySet
from qingdan.schools.models import School

router = Router(tags=["公示"])


def _visible(request: HttpRequest) -> DisclosureQuerySet:
    schools = School.objects.visible_to(caller(request))
    return Disclosure.objects.filter(school__in=schools).select_related("school__organisation")


def _whole(disclosure: Disclosure) -> DisclosureWhole:
    same_week = Disclosure.objects.filter(school=disclosure.school_id, grade=disclosure.grade, week_from=disclosure.week_from)
    versions = same_week.select_related("school__organisation").defer("snapshot").order_by("-version")
    return DisclosureWhole(
        **DisclosureShape.values(disclosure),
        snapshot=disclosure.snapshot,
        versions=[DisclosureShape(**DisclosureShape.values(each)) for each in versions],
    )


@reads(router, "disclosures", scope=Scope.DISCLOSURE_READ, answers=DisclosurePage, name="disclosures", summary="列出公示")
def disclosures(request: HttpRequest, chosen: Query[DisclosureFilter]) -> DisclosurePage:
    """列出辖区或本校各年级各周的公示，新的在前；不含内容。"""
    wanted = {
        "school_id": chosen.school_id,
        "grade": chosen.grade,
        "week_from__gte": chosen.since,
        "week_from__lte": chosen.until,
    }
    found = _visible(request).filter(**{name: value for name, value in wanted.items() if value is not None}).defer("snapshot")
    if not chosen.every_version:
        found = found.newest()
    figures, page = page_of(found.order_by("-week_from", "school", "grade", "-version"), chosen)
    return DisclosurePage(items=[DisclosureShape(**DisclosureShape.values(each)) for each in page], **figures)


@reads(
    router,
    "disclosures/{int:disclosure_id}",
    scope=Scope.DISCLOSURE_READ,
    answers=DisclosureWhole,
    name="disclosure_one",
    summary="查看一版公示",
)
def disclosure_one(request: HttpRequest, disclosure_id: Path[int]) -> DisclosureWhole:
    """一版公示的内容、指纹，以及这一周的各版。指纹的算法写在 sha256 的说明里，可以自己复核。"""
    return _whole(get_object_or_404(_visible(request), pk=disclosure_id))


@writes(
    router,
    "POST",
    "disclosures",
    scope=Scope.DISCLOSURE_WRITE,
    answers=DisclosureWhole,
    name="disclosure_publish",
    summary="公示一个年级的一周",
    status=201,
)
def disclosure_publish(request: HttpRequest, body: Publication) -> DisclosureWhole:
    """由年级组长或学校管理者发布本校一个年级一周的作业。发布后不能改；再发布就是新的一版，要写更正说明。"""
    user = caller(request)
    school = School.objects.visible_to(user).select_related("organisation").filter(pk=user.organisation_id).first()
    if school is None:
        raise Refusal("not_allowed", "公示由学校发布，这把密钥的账户不属于学校")
    return _whole(publish(school=school, by=user, **body.model_dump()))
