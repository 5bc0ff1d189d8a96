"""Pages of courses: an institution files them, the bureau reviews. A stranger gets 404."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.answering import attempt
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.institutions.actions.courses import (
    delete_course,
    delete_material,
    end_course,
    may_edit,
    review_course,
    save_and_submit,
    save_course,
    submit_course,
    withdraw_course,
)
from qingdan.institutions.classifying import PARTS, Classified, classify, classify_course
from qingdan.institutions.enums import CourseState
from qingdan.institutions.forms.courses import CourseFilter, CourseForm, CourseReviewForm, category_of
from qingdan.institutions.models import Course, CourseFile, Institution
from qingdan.judging.trying import Refused
from qingdan.places.calendar import current_pack
from qingdan.storage.downloads import saved

log = logging.getLogger(__name__)
_PER_PAGE = 30
_READERS = (Role.INSTITUTION, *OFFICERS)
#: How much of a text the aid reads while it is typed.
_TEXT_LENGTH_MAX = 20_000


def _found(request: HttpRequest, pk: int) -> Course:
    courses = Course.objects.visible_to(user_of(request))
    return get_object_or_404(courses.select_related("institution__organisation", "permit", "reviewed_by"), pk=pk)


def _own_institution(request: HttpRequest) -> Institution:
    return get_object_or_404(Institution.objects.visible_to(user_of(request)).select_related("organisation"))


@for_roles(*_READERS)
@require_safe
def courses(request: HttpRequest) -> HttpResponse:
    """An institution's courses, or for the bureau those of its region, what waits for review first."""
    user = user_of(request)
    visible = Course.objects.visible_to(user)
    asked = request.GET if request.GET or not user.is_officer else {"state": CourseState.SUBMITTED}
    form = CourseFilter(asked)
    order = ("submitted_at", "pk") if form.data.get("state") == CourseState.SUBMITTED else ("institution_id", "name", "pk")
    found = form.apply(visible).select_related("institution__organisation").defer("syllabus").order_by(*order)
    context: dict[str, Any] = {
        "page": Paginator(found, _PER_PAGE).get_page(request.GET.get("page")),
        "form": form,
        "waiting": visible.filter(state=CourseState.SUBMITTED).count(),
    }
    template = "institutions/courses/includes/list.html" if is_fragment(request) else "institutions/courses/list.html"
    return render(request, template, context)


def _page(request: HttpRequest, course: Course, *, status: int = 200, **more: Any) -> HttpResponse:
    user = user_of(request)
    # What has been submitted shows what was seen then; a draft what is seen now.
    is_kept = course.submitted_at is not None and course.state != CourseState.DRAFT
    read = Classified.of_evidence(course.evidence, course.category) if is_kept else classify_course(course, current_pack())
    context = {
        "course": course,
        "read": read,
        "price": f"{course.lesson_price_fen / 100:,.2f}",
        "files": list(course.files.defer("content")),
        "is_reviewer": user.is_officer and course.state == CourseState.SUBMITTED,
        "may_edit": not user.is_officer and may_edit(course),
        "review_form": CourseReviewForm(),
    }
    return render(request, "institutions/courses/course.html", context | more, status=status)


@for_roles(*_READERS)
@require_safe
def course(request: HttpRequest, pk: int) -> HttpResponse:
    """One course with its materials, what its words speak for, and where it stands."""
    return _page(request, _found(request, pk))


def _edit_page(request: HttpRequest, form: CourseForm, *, status: int = 200, **more: Any) -> HttpResponse:
    course: Course = form.instance
    context = {
        "form": form,
        "course": course if course.pk else None,
        "files": list(course.files.defer("content")) if course.pk else [],
        "read": _read_form(form, form.instance.institution),
    }
    return render(request, "institutions/courses/edit.html", context | more, status=status)


def _read_form(form: CourseForm, institution: Institution) -> Classified:
    texts = {part: str(form[part].value() or "")[:_TEXT_LENGTH_MAX] for part in PARTS}
    category = category_of(str(form["field"].value() or ""))
    return classify(texts, category, place=institution.organisation.layer_code, pack=current_pack())


@for_roles(Role.INSTITUTION)
def course_new(request: HttpRequest) -> HttpResponse:
    """Write a course down; it stays a draft unless it is submitted at once."""
    form = CourseForm(request.POST or None, request.FILES or None, institution=_own_institution(request))
    return _save(request, form)


@for_roles(Role.INSTITUTION)
def course_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a draft, a returned course or, by submitting it anew, a filed one."""
    found = _found(request, pk)
    if not may_edit(found):
        messages.error(request, f"这门课程现在是“{found.get_state_display()}”，不能修改；待审核的请先取回。")
        return redirect("institutions:course", pk)
    form = CourseForm(request.POST or None, request.FILES or None, instance=found, institution=found.institution)
    return _save(request, form)


def _save(request: HttpRequest, form: CourseForm) -> HttpResponse:
    if request.method != "POST":
        return _edit_page(request, form)
    if not form.is_valid():
        return _edit_page(request, form, status=400)
    user, was_filed = user_of(request), form.instance.state == CourseState.FILED
    course: Course = form.save(commit=False)
    files = form.cleaned_data["materials"]
    try:
        if was_filed:
            save_and_submit(course=course, files=files, by=user)
        else:
            save_course(course=course, files=files, by=user)
            if "submit" in request.POST:
                submit_course(course=course, by=user)
    except ValidationError as error:
        form.add_error(None, error)
        return _edit_page(request, form, status=400, is_kept=not (was_filed or course._state.adding))
    except Refused as refused:
        return _edit_page(request, form, status=400, objections=refused.objections, is_kept=not was_filed)
    messages.success(request, "已提交，等教育部门审核。" if course.state == CourseState.SUBMITTED else "已存为草稿，还没有提交。")
    return redirect("institutions:course", course.pk)


@for_roles(Role.INSTITUTION)
@require_POST
def course_aid(request: HttpRequest) -> HttpResponse:
    """What the words that are being typed speak for; nothing is kept."""
    institution = _own_institution(request)
    form = CourseForm(request.POST, institution=institution)
    return render(request, "institutions/courses/includes/aid.html", {"read": _read_form(form, institution)})


@for_roles(Role.INSTITUTION)
@require_POST
def course_submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand it to the bureau."""
    found = _found(request, pk)
    if found.state == CourseState.FILED:
        raise Http404  # what is filed is changed and submitted on its form
    try:
        submit_course(course=found, by=user_of(request))
    except Refused as refused:
        return _page(request, _found(request, pk), status=400, objections=refused.objections)
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        messages.success(request, "已提交，等教育部门审核。")
    return redirect("institutions:course", pk)


@for_roles(Role.INSTITUTION)
@require_POST
def course_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it back before it is reviewed."""
    found = _found(request, pk)
    attempt(request, lambda: withdraw_course(course=found, by=user_of(request)), "已取回，现在是草稿。")
    return redirect("institutions:course", pk)


@for_roles(*OFFICERS)
@require_POST
def course_review(request: HttpRequest, pk: int) -> HttpResponse:
    """File or return it."""
    user, found = user_of(request), _found(request, pk)
    form, verdict = CourseReviewForm(request.POST), request.POST.get("verdict")
    if not form.is_valid() or verdict not in ("file", "return"):
        return _page(request, found, status=400, review_form=form)
    files_it = verdict == "file"
    note, flags = form.cleaned_data["note"], form.cleaned_data["found"]
    try:
        review_course(course=found, by=user, files_it=files_it, note=note, flags=flags)
    except Refused as refused:
        return _page(request, _found(request, pk), status=400, review_form=form, objections=refused.objections)
    except ValidationError as error:
        now = _found(request, pk)
        if now.state != CourseState.SUBMITTED:  # somebody else was quicker
            messages.error(request, "；".join(error.messages))
            return redirect("institutions:course", pk)
        form.add_error(None if files_it or note.strip() else "note", error)
        return _page(request, now, status=400, review_form=form)
    messages.success(request, f"“{found.name}”已备案。" if files_it else f"“{found.name}”已退回，机构会收到通知。")
    return redirect("institutions:courses")


@for_roles(Role.INSTITUTION)
@require_POST
def course_end(request: HttpRequest, pk: int) -> HttpResponse:
    """It is not taught any longer."""
    found = _found(request, pk)
    attempt(request, lambda: end_course(course=found, by=user_of(request)), "课程已停开，不再公示。")
    return redirect("institutions:course", pk)


@for_roles(Role.INSTITUTION)
@require_POST
def course_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a draft."""
    found = _found(request, pk)
    if attempt(request, lambda: delete_course(course=found, by=user_of(request)), "草稿已删除。"):
        return redirect("institutions:courses")
    return redirect("institutions:course", pk)


@for_roles(*_READERS)
@require_safe
def course_file(request: HttpRequest, pk: int, file_pk: int) -> HttpResponse:
    """One material, byte for byte; always saved, never shown in the browser."""
    file = get_object_or_404(CourseFile.objects.filter(course=_found(request, pk)), pk=file_pk)
    log.info("course.material_downloaded course=%s file=%s by=%s", pk, file_pk, user_of(request).pk)
    return saved(file.content, file.name, file.content_type)


@for_roles(Role.INSTITUTION)
@require_POST
def course_file_delete(request: HttpRequest, pk: int, file_pk: int) -> HttpResponse:
    """Take a material off."""
    files = CourseFile.objects.defer("content").select_related("course").filter(course=_found(request, pk))
    file = get_object_or_404(files, pk=file_pk)
    attempt(request, lambda: delete_material(file=file, by=user_of(request)), f"材料“{file.name}”已删除。")
    return redirect("institutions:course_edit", pk)
