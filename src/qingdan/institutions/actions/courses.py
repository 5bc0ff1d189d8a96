"""The way of a course: draft, submitted, filed or returned, ended.

A course is judged when it is submitted, and again when it is filed, as it would stand once it is filed. What is changed after filing
is submitted anew in the same step: a filed course never silently becomes another.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import PurePosixPath

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.institutions.classifying import classify_course
from qingdan.institutions.enums import CourseState, TrainingAudience, TrainingMode
from qingdan.institutions.models import Course, CourseFile
from qingdan.judging.trying import Refused, objections_to
from qingdan.notices.models import Notice
from qingdan.places.calendar import current_pack, today
from qingdan.policy.telling import Told
from qingdan.storage.files import ReadFile
from qingdan.storage.refusals import in_words

log = logging.getLogger(__name__)

#: What a reviewer may find in a course; each is a fact of the law's ``training_course``.
FLAGS = (
    "is_beyond_standard", "is_ahead_of_progress", "is_overseas_curriculum", "is_exam_oriented", "offers_photo_search",
    "is_vulgar_or_unlawful", "uses_pirated_material",
)  # fmt: skip
_WITH_INSTITUTION = (CourseState.DRAFT, CourseState.RETURNED)
_NOTE_LENGTH_MAX = 500


def _locked(course: Course, *states: str, otherwise: str) -> None:
    """Hold a course until the transaction ends; raise ValidationError when it is in none of the states any longer."""
    state = Course.objects.select_for_update(no_key=True).values_list("state", flat=True).get(pk=course.pk)
    if state not in states:
        raise ValidationError(f"课程现在是“{CourseState(state).label}”，{otherwise}")
    course.state = state


def may_edit(course: Course) -> bool:
    """Whether its institution may change it; a filed one only by submitting it anew."""
    return course.state in (*_WITH_INSTITUTION, CourseState.FILED)


@transaction.atomic
def save_course(*, course: Course, files: Sequence[ReadFile], by: User) -> Course:
    """Keep a draft, a returned course, or a filed one on its way to :func:`submit_course`, with the files handed in beside it."""
    course.institution.refuse_when_closed()
    if course.pk is not None:
        _locked(course, *_WITH_INSTITUTION, CourseState.FILED, otherwise="不能修改；待审核的请先取回")
    course.full_clean(exclude=["permit", "reviewed_by"])
    is_new = course.pk is None
    try:
        with in_words(Course, CourseFile):
            course.save()
            for file in files:
                _keep_material(course, file)
    except ValidationError:
        if is_new:
            course.pk, course._state.adding = None, True
        raise
    log.info("course.saved by=%s course=%s files=%s", by.pk, course.pk, len(files))
    return course


def _keep_material(course: Course, file: ReadFile) -> None:
    label = PurePosixPath(file.name).stem[:80]
    CourseFile.objects.create(
        course=course, label=label, name=file.name, content_type=file.kind.content_type, size_bytes=len(file.content), content=file.content
    )


def refuse_permit(course: Course) -> None:
    """Raise ValidationError, in one sentence, when the permit does not carry the course."""
    permit = course.permit
    if permit is None or permit.institution_id != course.institution_id:
        raise ValidationError("请选择课程所依的办学许可；没有有效许可不能办课程备案，请先申请许可")
    if not permit.is_in_force(today()):
        raise ValidationError(f"许可 {permit.number} 现在不在有效期内，不能办课程备案；请先延续或重新申请许可")
    if not (permit.is_in_force(course.starts_on) and permit.is_in_force(course.ends_on)):
        raise ValidationError(
            f"课程 {course.starts_on:%Y-%m-%d} 至 {course.ends_on:%Y-%m-%d} 不全在许可 {permit.number} 的有效期"
            f"（{permit.starts_on:%Y-%m-%d} 至 {permit.ends_on:%Y-%m-%d}）内；请改日期或先延续许可"
        )
    if permit.field != course.field:
        raise ValidationError(
            f"课程属于{course.get_field_display()}，许可 {permit.number} 只许可{permit.get_field_display()}：超出许可范围，不能备案"
        )
    both = (TrainingAudience.COMPULSORY, TrainingAudience.SENIOR)
    if permit.audience != course.audience and not (permit.audience == TrainingAudience.COMPULSORY_AND_SENIOR and course.audience in both):
        raise ValidationError(
            f"课程面向{course.get_audience_display()}，许可 {permit.number} 只许可{permit.get_audience_display()}：超出许可范围，不能备案"
        )
    if (course.mode == TrainingMode.ONLINE) != (permit.premises_id is None):
        raise ValidationError("线上课程要凭线上许可，线下课程要凭教学点的许可；请改选许可或方式")


def _objections(course: Course) -> list[Told]:
    """What the law would have against the course, with the flags it bears now, once it is filed."""
    flags = {name: getattr(course, name) for name in FLAGS}
    write = Course.objects.filter(pk=course.pk)
    return objections_to("training_course", course.pk, lambda: write.update(state=CourseState.FILED, **flags))


@transaction.atomic
def submit_course(*, course: Course, by: User) -> Course:
    """Hand a course to the bureau; raises ValidationError for its permit or state, Refused when the law says no."""
    course.institution.refuse_when_closed()
    _locked(course, *_WITH_INSTITUTION, CourseState.FILED, otherwise="不能再提交")
    refuse_permit(course)
    if objections := _objections(course):
        raise Refused(objections)
    course.evidence = classify_course(course, current_pack()).evidence
    course.state, course.submitted_at = CourseState.SUBMITTED, timezone.now()
    course.review_note, course.reviewed_by, course.reviewed_at = "", None, None
    course.save()
    log.info("course.submitted by=%s course=%s evidence=%s", by.pk, course.pk, len(course.evidence))
    return course


@transaction.atomic
def save_and_submit(*, course: Course, files: Sequence[ReadFile], by: User) -> Course:
    """Change a filed course and hand it in anew, both or neither."""
    save_course(course=course, files=files, by=by)
    return submit_course(course=course, by=by)


@transaction.atomic
def withdraw_course(*, course: Course, by: User) -> None:
    """Take a submitted course back to change it."""
    _locked(course, CourseState.SUBMITTED, otherwise="不用取回")
    course.state = CourseState.DRAFT
    course.save(update_fields=["state"])
    log.info("course.withdrawn by=%s course=%s", by.pk, course.pk)


@transaction.atomic
def review_course(*, course: Course, by: User, files_it: bool, note: str, flags: Sequence[str] = ()) -> None:
    """File a course, or return it with a reason; what the reviewer found (FLAGS) is judged.

    Raises Refused when a course with such findings cannot be filed, ValidationError when it is returned without a reason. On
    return the law's sentences about the findings are part of the reason.
    """
    _locked(course, CourseState.SUBMITTED, otherwise="不用审核")
    for name in FLAGS:
        setattr(course, name, getattr(course, name) or name in flags)
    objections = _objections(course)
    if files_it:
        refuse_permit(course)
        if objections:
            raise Refused(objections)
        course.state = CourseState.FILED
    else:
        reasons = [note.strip(), *(each.sentence for each in objections)]
        note = "；".join(filter(None, reasons))
        if not note:
            raise ValidationError("退回课程要写明理由")
        course.state = CourseState.RETURNED
    course.review_note, course.reviewed_by, course.reviewed_at = note.strip()[:_NOTE_LENGTH_MAX], by, timezone.now()
    # Findings that led to a return are told in the reason; the next submission is read afresh.
    course.save(update_fields=["state", "review_note", "reviewed_by", "reviewed_at", *(FLAGS if files_it else ())])
    told = "已备案" if files_it else "被退回，请修改后重新提交"
    Notice.objects.send(
        User.objects.filter(organisation_id=course.institution_id, role=Role.INSTITUTION, is_active=True),
        occasion=f"course-reviewed:{course.pk}:{course.reviewed_at.isoformat()}",
        text=f"课程“{course.name}”{told}",
        url=reverse("institutions:course", args=[course.pk]),
    )
    log.info("course.reviewed by=%s course=%s state=%s", by.pk, course.pk, course.state)


@transaction.atomic
def end_course(*, course: Course, by: User) -> None:
    """A filed course is not taught any longer."""
    _locked(course, CourseState.FILED, otherwise="只有已备案的课程可以停开")
    course.state = CourseState.ENDED
    course.save(update_fields=["state"])
    log.info("course.ended by=%s course=%s", by.pk, course.pk)


@transaction.atomic
def delete_course(*, course: Course, by: User) -> None:
    """Delete a draft for good; what the bureau has seen stays."""
    _locked(course, CourseState.DRAFT, otherwise="只能删除草稿")
    if course.submitted_at is not None:
        raise ValidationError("这门课程提交过，不能删除，可以修改后重新提交")
    log.info("course.deleted by=%s course=%s", by.pk, course.pk)
    course.delete()


@transaction.atomic
def delete_material(*, file: CourseFile, by: User) -> None:
    """Take a material off a draft or a returned course."""
    _locked(file.course, *_WITH_INSTITUTION, otherwise="材料不能删除；要改请先取回或重新提交")
    log.info("course.material_deleted by=%s course=%s file=%s", by.pk, file.course_id, file.pk)
    file.delete()
