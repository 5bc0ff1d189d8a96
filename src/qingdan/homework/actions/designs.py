"""Acts on designs that touch more than the design: its files, and who has to hear of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.homework.models import Design, DesignFile, DesignRating
from qingdan.notices.models import Notice
from qingdan.storage.files import FILES_MAX, ReadFile, distinct

log = logging.getLogger(__name__)


@transaction.atomic
def save_design(*, design: Design, files: Sequence[ReadFile], by: User) -> Design:
    """Keep a new or changed design with its files; raise ValidationError when it is no longer with its author."""
    is_new = design.pk is None
    names: set[str] = set()
    if not is_new:
        now = Design.objects.select_for_update().get(pk=design.pk)
        if not now.is_with_author or now.author_id != by.pk:
            raise ValidationError(f"这份设计现在是“{now.get_status_display()}”，不能修改；要改请先取回")
        design.status = now.status
        names.update(design.files.values_list("name", flat=True))
    if len(names) + len(files) > FILES_MAX:
        raise ValidationError(f"一份设计最多 {FILES_MAX} 个附件；请先删去不要的")
    design.save()
    for file in files:
        name = distinct(file.name, names)
        names.add(name)
        DesignFile.objects.create(
            design=design, name=name, content_type=file.kind.content_type, size_bytes=len(file.content), content=file.content
        )
    log.info("design.%s design=%s by=%s files=%s", "created" if is_new else "changed", design.pk, by.pk, len(files))
    return design


@transaction.atomic
def submit_design(*, design: Design, by: User) -> None:
    """Hand a design to the research group and tell its heads."""
    design.submit(by)
    Notice.objects.send(
        design.heads(),
        occasion=f"design-submitted:{design.pk}:{design.steps.count()}",
        text=f"{by}提交了{design.subject}作业设计“{design.title}”，请审核。",
        url=reverse("homework:design", args=[design.pk]),
    )


@transaction.atomic
def review_design(*, design: Design, by: User, is_published: bool, note: str = "") -> None:
    """Publish or return, and tell the author."""
    if is_published:
        design.publish_by(by, note)
        text = f"您的作业设计“{design.title}”已审核入库。"
    else:
        design.return_by(by, note)
        text = f"您的作业设计“{design.title}”被退回：{design.review_note}"
    _tell_author(design, text)


@transaction.atomic
def withdraw_design(*, design: Design, by: User, reason: str = "") -> None:
    """Take a design out of the library or back from review; the author hears of it when somebody else does it."""
    design.withdraw(by, reason)
    if by.pk != design.author_id:
        _tell_author(design, f"您的作业设计“{design.title}”已从校本库撤下：{reason.strip()}")


def _tell_author(design: Design, text: str) -> None:
    Notice.objects.send(
        [design.author],
        occasion=f"design-answered:{design.pk}:{design.steps.count()}",
        text=text[:300],
        url=reverse("homework:design", args=[design.pk]),
    )


def rate_design(*, design: Design, by: User, stars: int, comment: str) -> DesignRating:
    """Keep what a teacher says after use, in place of what he said before; raise ValidationError from one who never used it."""
    if not design.is_used_by(by):
        raise ValidationError("用过这份设计才能评价：先用它布置一次作业")
    if by.pk == design.author_id:
        raise ValidationError("不能评价自己的设计")
    rating = DesignRating(design=design, user=by, stars=stars, comment=comment.strip())
    rating.full_clean(validate_unique=False, validate_constraints=False)
    rating, _ = DesignRating.objects.update_or_create(design=design, user=by, defaults={"stars": rating.stars, "comment": rating.comment})
    log.info("design.rated design=%s by=%s stars=%s", design.pk, by.pk, stars)
    return rating


@transaction.atomic
def delete_file(*, file: DesignFile, by: User) -> None:
    """Take a file off a design that is with its author."""
    design = Design.objects.select_for_update().get(pk=file.design_id)
    if not design.is_with_author or design.author_id != by.pk:
        raise ValidationError(f"这份设计现在是“{design.get_status_display()}”，不能删附件；要改请先取回")
    file.delete()
    log.info("design.file_deleted design=%s file=%s by=%s", design.pk, file.pk, by.pk)


@transaction.atomic
def delete_design(*, design: Design, by: User) -> None:
    """Delete a draft for good; what went into the library and was used stays named in the homework, so it cannot go."""
    now = Design.objects.select_for_update().get(pk=design.pk)
    if not now.is_with_author or now.author_id != by.pk:
        raise ValidationError(f"这份设计现在是“{now.get_status_display()}”，不能删除；要删请先取回")
    if now.homework.exists():
        raise ValidationError("这份设计已经布置过，不能删除；留作草稿即可")
    log.info("design.deleted design=%s by=%s", design.pk, by.pk)
    now.delete()
