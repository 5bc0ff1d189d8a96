"""Pages of the design library. Every view fetches within the caller's rights first; a stranger gets 404."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Max, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.answering import attempt
from qingdan.accounts.enums import Role
from qingdan.homework.actions.designs import (
    delete_design,
    delete_file,
    rate_design,
    review_design,
    save_design,
    submit_design,
    withdraw_design,
)
from qingdan.homework.enums import DesignStatus
from qingdan.homework.forms.designs import SHELVES, DesignFilter, DesignForm, RateForm, ReviewForm
from qingdan.homework.models import Design, DesignFile
from qingdan.homework.models.designs import DesignQuerySet
from qingdan.policy.units import grade_name
from qingdan.schools.models import School
from qingdan.storage.downloads import saved

log = logging.getLogger(__name__)
_PER_PAGE = 24
_SCHOOL_STAFF = (Role.SCHOOL_LEADER, Role.TEACHER)
_READERS = (*_SCHOOL_STAFF, Role.BUREAU)


def _found(request: HttpRequest, pk: int) -> Design:
    designs = Design.objects.visible_to(user_of(request))
    return get_object_or_404(designs.select_related("subject", "author", "school__organisation", "reviewed_by"), pk=pk)


def _own(request: HttpRequest, pk: int) -> Design:
    """One's own design, whatever its state."""
    design = _found(request, pk)
    if design.author_id != user_of(request).pk:
        raise Http404
    return design


def _shelf(shelf: str, request: HttpRequest) -> DesignQuerySet:
    user = user_of(request)
    visible = Design.objects.visible_to(user)
    if shelf == "own":
        return visible.filter(author=user)
    return visible.to_review(user) if shelf == "review" else visible.published()


@for_roles(*_READERS)
@require_safe
def designs(request: HttpRequest) -> HttpResponse:
    """The library with its shelves: what is published, one's own, what is to be reviewed."""
    user = user_of(request)
    shelf = request.GET.get("shelf", "library")
    shelf = shelf if shelf in SHELVES and not user.is_bureau else "library"
    edges = School.objects.visible_to(user).aggregate(first=Min("first_grade"), last=Max("last_grade"))
    form = DesignFilter(request.GET, grades=range(edges["first"] or 1, (edges["last"] or 0) + 1))
    found = form.apply(_shelf(shelf, request)).select_related("subject", "author", "school__organisation")
    page = Paginator(found, _PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "page": page,
        "form": form,
        "shelf": shelf,
        "shelves": SHELVES if not user.is_bureau else {},
        "review_count": Design.objects.visible_to(user).to_review(user).count() if user.is_of_school else 0,
        "grade_names": {design.grade: grade_name(design.grade) for design in page},
    }
    template = "homework/designs/includes/list.html" if is_fragment(request) else "homework/designs/list.html"
    return render(request, template, context)


def _page(request: HttpRequest, design: Design, *, status: int = 200, **forms: Any) -> HttpResponse:
    user = user_of(request)
    counted = Design.objects.with_use().get(pk=design.pk)
    ratings = list(design.ratings.select_related("user"))
    mine = next((each for each in ratings if each.user_id == user.pk), None)
    is_head = design.heads().filter(pk=user.pk).exists()
    is_author = design.author_id == user.pk
    may_rate = not is_author and user.is_of_school and design.is_used_by(user)
    context = {
        "design": design,
        "counted": counted,
        "files": list(design.files.defer("content")),
        "ratings": ratings,
        # The way through review concerns the school, not the bureau.
        "steps": list(design.steps.select_related("by")) if user.is_of_school else [],
        "grade_name": grade_name(design.grade),
        "is_author": is_author,
        "is_reviewer": is_head and design.status == DesignStatus.SUBMITTED,
        "may_withdraw": is_author or (is_head and design.status == DesignStatus.PUBLISHED),
        "may_use": user.is_teacher and design.status == DesignStatus.PUBLISHED,
        "rate_form": RateForm(initial={"stars": mine.stars, "comment": mine.comment} if mine else None) if may_rate else None,
        "review_form": ReviewForm(),
        "mine": mine,
    }
    return render(request, "homework/designs/design.html", context | forms, status=status)


@for_roles(*_READERS)
@require_safe
def design(request: HttpRequest, pk: int) -> HttpResponse:
    """One design with its files, use, ratings and way through review."""
    return _page(request, _found(request, pk))


@for_roles(*_SCHOOL_STAFF)
def design_new(request: HttpRequest) -> HttpResponse:
    """Write a design; it stays a draft unless the author submits it at once."""
    user = user_of(request)
    form = DesignForm(request.POST or None, request.FILES or None, user=user)
    if request.method == "POST" and form.is_valid():
        saved = save_design(design=form.save(commit=False), files=form.cleaned_data["attachments"], by=user)
        return _saved(request, saved)
    return render(request, "homework/designs/edit.html", {"form": form, "design": None}, status=400 if form.errors else 200)


@for_roles(*_SCHOOL_STAFF)
def design_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a draft or a returned design."""
    user, found = user_of(request), _own(request, pk)
    if not found.is_with_author:
        messages.error(request, f"这份设计现在是“{found.get_status_display()}”，不能修改；要改请先取回。")
        return redirect("homework:design", pk)
    form = DesignForm(request.POST or None, request.FILES or None, instance=found, user=user)
    if request.method == "POST" and form.is_valid():
        try:
            saved = save_design(design=form.save(commit=False), files=form.cleaned_data["attachments"], by=user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _saved(request, saved)
    context = {"form": form, "design": found, "files": list(found.files.defer("content"))}
    return render(request, "homework/designs/edit.html", context, status=400 if form.errors else 200)


def _saved(request: HttpRequest, design: Design) -> HttpResponse:
    """Go on to the design; with the button for it, submit it too."""
    if "submit" in request.POST:
        attempt(request, lambda: submit_design(design=design, by=user_of(request)), "已提交，等教研组长审核。")
    else:
        messages.success(request, "已保存为草稿。")
    return redirect("homework:design", design.pk)


@for_roles(*_SCHOOL_STAFF)
@require_POST
def design_submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand it to the research group."""
    found = _own(request, pk)
    attempt(request, lambda: submit_design(design=found, by=user_of(request)), "已提交，等教研组长审核。")
    return redirect("homework:design", pk)


@for_roles(*_SCHOOL_STAFF)
@require_POST
def design_review(request: HttpRequest, pk: int) -> HttpResponse:
    """Publish or return, by a head of the subject's group."""
    user, found = user_of(request), _found(request, pk)
    if not found.heads().filter(pk=user.pk).exists():
        raise Http404
    form = ReviewForm(request.POST)
    verdict = request.POST.get("verdict")
    if not form.is_valid() or verdict not in ("publish", "return"):
        return _page(request, found, status=400, review_form=form)
    is_published, note = verdict == "publish", form.cleaned_data["note"]
    try:
        review_design(design=found, by=user, is_published=is_published, note=note)
    except ValidationError as error:
        form.add_error("note" if not is_published and not note.strip() else None, error)
        found.refresh_from_db()
        return _page(request, found, status=400, review_form=form)
    messages.success(request, "已入库，全校教师都能用了。" if is_published else "已退回，设计者会收到通知。")
    return redirect("homework:design", pk)


@for_roles(*_SCHOOL_STAFF)
@require_POST
def design_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it out of the library, or back from review."""
    user, found = user_of(request), _found(request, pk)
    if found.author_id != user.pk and not found.heads().filter(pk=user.pk).exists():
        raise Http404
    reason = request.POST.get("reason", "")
    done = attempt(request, lambda: withdraw_design(design=found, by=user, reason=reason), "已撤下，现在是草稿，只有设计者看得到。")
    return redirect("homework:designs") if done and found.author_id != user.pk else redirect("homework:design", pk)


@for_roles(*_SCHOOL_STAFF)
@require_POST
def design_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a draft."""
    found = _own(request, pk)
    if attempt(request, lambda: delete_design(design=found, by=user_of(request)), "草稿已删除。"):
        return redirect("homework:designs")
    return redirect("homework:design", pk)


@for_roles(*_READERS)
@require_safe
def design_file(request: HttpRequest, pk: int, file_pk: int) -> HttpResponse:
    """One file, byte for byte; always saved, never shown in the browser."""
    found = _found(request, pk)
    file = get_object_or_404(DesignFile.objects.filter(design=found), pk=file_pk)
    log.info("design.file_downloaded design=%s file=%s by=%s", pk, file_pk, user_of(request).pk)
    return saved(file.content, file.name, file.content_type)


@for_roles(*_SCHOOL_STAFF)
@require_POST
def design_file_delete(request: HttpRequest, pk: int, file_pk: int) -> HttpResponse:
    """Take a file off a draft."""
    file = get_object_or_404(DesignFile.objects.defer("content").filter(design=_own(request, pk)), pk=file_pk)
    attempt(request, lambda: delete_file(file=file, by=user_of(request)), f"附件“{file.name}”已删除。")
    return redirect("homework:design_edit", pk)


@for_roles(*_SCHOOL_STAFF)
@require_POST
def design_rate(request: HttpRequest, pk: int) -> HttpResponse:
    """Stars and a few words of somebody who used it."""
    user, found = user_of(request), _found(request, pk)
    form = RateForm(request.POST)
    if not form.is_valid():
        return _page(request, found, status=400, rate_form=form)
    stars, comment = form.cleaned_data["stars"], form.cleaned_data["comment"]
    attempt(request, lambda: rate_design(design=found, by=user, stars=stars, comment=comment), "谢谢评价；以后还可以改。")
    return redirect("homework:design", pk)
