"""What officers saw of institutions: advertisements, and competitions, tests, rankings and results made public.

Each is judged as it is recorded, and keeps what the law of that day says; a mistaken record is withdrawn with a reason.
"""

from __future__ import annotations

import logging
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.institutions.models import Activity, Advertisement
from qingdan.institutions.models.supervision import Seen
from qingdan.judging.law import current_law
from qingdan.notices.models import Notice
from qingdan.places.calendar import today
from qingdan.policy.lexicons import MEANINGS
from qingdan.policy.pack import Pack
from qingdan.policy.telling import Told
from qingdan.storage.files import JPG, PNG, ReadFile
from qingdan.storage.refusals import in_words

log = logging.getLogger(__name__)

#: Faults that an officer may find in an advertisement; each is a fact of the law's ``training_advertisement``.
FAULTS = ("is_false", "exaggerates_effect", "misleads_consumers", "misleads_views", "causes_anxiety")
#: What may be the matter with an activity; facts of ``training_activity``.
TRAITS = (
    "is_approved", "is_for_ranking", "is_across_districts", "is_across_institutions", "is_large_scale", "publishes_results",
    "advertises_certificates", "advertises_scores", "advertises_admissions",
)  # fmt: skip
_LEXICON = "results"

_Seen = TypeVar("_Seen", Advertisement, Activity)


def result_words(text: str, *, place: str, pack: Pack) -> list[dict[str, Any]]:
    """Words of competitions, rankings, results and admissions in a text: ``[{word, meaning, cites: [{clause, text}]}]``, each once.

    An aid for whoever records: no rule judges by words. Only clauses that hold in the place's layers are cited.
    """
    chain = pack.layers[place].chain
    found: dict[str, dict[str, Any]] = {}
    for each in pack.lexicon(_LEXICON).found_in(text):
        cites = [{"clause": cite, "text": pack.cite(cite)} for cite in each.cites if pack.clauses[cite][0].layer in chain]
        found.setdefault(each.word, {"word": each.word, "meaning": MEANINGS[each.means], "cites": cites})
    return list(found.values())


def _judge(kind: str, record: Seen) -> list[dict[str, Any]]:
    """Breaches of one record, in the words of today's law."""
    law = current_law()
    told = [Told.of(each, law.pack) for judged in law.judge_touched(kind, row_id=record.pk) for each in judged.breaches]
    return [
        {"rule_id": each.rule_id, "title": each.title, "sentence": each.sentence, "remedy": each.remedy, "cites": each.cites}
        for each in told
    ]


def _record(record: _Seen, *, kind: str, by: User, day_field: str, page: str, called: str) -> _Seen:
    if getattr(record, day_field) > today():
        raise ValidationError({day_field: "日期不能晚于今天；请在发生之后再记录"})
    record.recorded_by = by
    record.full_clean(exclude=["institution", "recorded_by", "withdrawn_by"])
    with in_words(type(record)):
        record.save()
    record.objections = _judge(kind, record)
    record.save(update_fields=["objections"])
    people = User.objects.filter(organisation_id=record.institution_id, role=Role.INSTITUTION, is_active=True)
    said = f"发现{len(record.objections)}处不合规定，请改正" if record.objections else "暂未发现不合规定"
    Notice.objects.send(
        people,
        occasion=f"{kind}-recorded:{record.pk}",
        text=f"主管部门记录了贵机构的{called}（{getattr(record, day_field):%Y-%m-%d}），{said}",
        url=reverse(page, args=[record.pk]),
    )
    log.info("%s.recorded by=%s pk=%s objections=%s", kind, by.pk, record.pk, len(record.objections))
    return record


@transaction.atomic
def record_advertisement(advertisement: Advertisement, *, photo: ReadFile | None, by: User) -> Advertisement:
    """Keep an advertisement with its photograph, and judge it; raises ValidationError when the record does not fit."""
    if photo is not None:
        if photo.kind not in (PNG, JPG):
            raise ValidationError({"photo_file": "照片要是 jpg 或 png 图片；请用手机相机拍摄后上传"})
        advertisement.photo, advertisement.photo_name, advertisement.photo_type = photo.content, photo.name, photo.kind.content_type
    return _record(
        advertisement, kind="training_advertisement", by=by, day_field="found_on", page="institutions:advertisement", called="广告"
    )


@transaction.atomic
def record_activity(activity: Activity, *, by: User) -> Activity:
    """Keep an activity and judge it; raises ValidationError when the record does not fit."""
    return _record(activity, kind="training_activity", by=by, day_field="held_on", page="institutions:activity", called="活动")


@transaction.atomic
def withdraw(record: Seen, *, reason: str, by: User) -> Seen:
    """Take a mistaken record back, with a reason; it stays in the books and counts no longer."""
    model = type(record)
    held: Seen = model._default_manager.select_for_update().get(pk=record.pk)
    if held.withdrawn_at is not None:
        raise ValidationError("这条记录已经撤销过了")
    if not reason.strip():
        raise ValidationError("请写明撤销的理由；会留下记录")
    held.withdrawn_at, held.withdrawn_by, held.withdrawal_reason = timezone.now(), by, reason.strip()[:300]
    held.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawal_reason"])
    log.info("%s.withdrawn by=%s pk=%s", model._meta.model_name, by.pk, held.pk)
    return held
