"""Pages for staff: what was finished at school, and what was marked and given back."""

from __future__ import annotations

import datetime
from collections import defaultdict
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.homework.actions.completion import FINISH_SCHOOL_DAYS, ShareLimit, finish_days, share_limit, tell_finish
from qingdan.homework.enums import HomeworkForm
from qingdan.homework.forms.completion import FinishForm, MarkingFilter, MarkingForm, errors_of
from qingdan.homework.models import Homework, Marking, SchoolFinish
from qingdan.homework.models.register import HomeworkQuerySet
from qingdan.places.calendar import SchoolCalendar, current_pack, today
from qingdan.schools.models import SchoolClass

_SCHOOL_STAFF = (Role.SCHOOL_LEADER, Role.TEACHER)
PERCENT_CHIPS = (100, 90, 80, 70, 60, 50)
#: Homework so many days old is no longer listed for marking.
_MARKING_DAYS = 14
_MARKINGS_PER_PAGE = 30


@dataclass(frozen=True)
class FinishDay:
    """One day of a class on the class teacher's page."""

    school_class: SchoolClass
    day: datetime.date
    #: All written homework of the day, at school and at home.
    written_minutes: int
    told: SchoolFinish | None
    limit: ShareLimit | None

    @property
    def is_below(self) -> bool:
        """Whether less was finished than the law of the place wants."""
        return self.told is not None and self.limit is not None and self.told.finished_percent < self.limit.percent

    @property
    def is_own_figure(self) -> bool:
        """Whether the share told is none of the chips."""
        return self.told is not None and self.told.finished_percent not in PERCENT_CHIPS


def _led_classes(user: User) -> list[SchoolClass]:
    classes = SchoolClass.objects.visible_to(user).current(today()).filter(class_teacher=user)
    return list(classes.select_related("school__organisation", "school_year"))


def _finish_days(classes: list[SchoolClass]) -> dict[SchoolClass, list[FinishDay]]:
    """Each class's days that can be filled in. Two queries, however many classes."""
    pack = current_pack()
    days = {each: finish_days(SchoolCalendar(each.school.organisation.layer_code, pack)) for each in classes}
    wanted = {day for each in days.values() for day in each}
    written = Homework.objects.out().filter(school_class__in=classes, on_date__in=wanted, form=HomeworkForm.WRITTEN).order_by()
    sums = {
        (school_class, day): minutes
        for school_class, day, minutes in written.values("school_class", "on_date").values_list(
            "school_class", "on_date", Sum("homework_minutes")
        )
    }
    told = {
        (each.school_class_id, each.on_date): each for each in SchoolFinish.objects.filter(school_class__in=classes, on_date__in=wanted)
    }
    return {
        each: [
            FinishDay(each, day, sums.get((each.pk, day), 0), told.get((each.pk, day)), share_limit(pack, each, day)) for day in days[each]
        ]
        for each in classes
    }


@for_roles(*_SCHOOL_STAFF)
@require_safe
def finish(request: HttpRequest) -> HttpResponse:
    """The class teacher's page: how much of each day's written homework was finished at school."""
    context = {
        "classes": _finish_days(_led_classes(user_of(request))),
        "chips": PERCENT_CHIPS,
        "back": FINISH_SCHOOL_DAYS,
        "today": today(),
    }
    return render(request, "homework/completion/finish.html", context)


@for_roles(*_SCHOOL_STAFF)
@require_POST
def finish_save(request: HttpRequest, pk: int, day: str) -> HttpResponse:
    """One tap: keep the share of a day, or forget it."""
    user = user_of(request)
    led = SchoolClass.objects.visible_to(user).filter(class_teacher=user).select_related("school__organisation")
    school_class = get_object_or_404(led, pk=pk)
    try:
        on_date = datetime.date.fromisoformat(day)
    except ValueError:
        raise Http404 from None
    form = FinishForm(request.POST)
    problems = errors_of(form)
    if not problems:
        try:
            tell_finish(school_class=school_class, day=on_date, by=user, finished_percent=form.cleaned_data["finished_percent"])
        except ValidationError as error:
            problems = error.messages
    if not is_fragment(request):
        for problem in problems:
            messages.error(request, problem)
        if not problems:
            messages.success(request, f"{school_class}{on_date:%m月%d日}已记录。")
        return redirect("homework:finish")
    row = next((each for each in _finish_days([school_class])[school_class] if each.day == on_date), None)
    context = {"row": row, "chips": PERCENT_CHIPS, "problems": problems, "saved": not problems, "today": today()}
    return render(request, "homework/completion/includes/finish_day.html", context)


def _to_mark(user: User) -> HomeworkQuerySet:
    """A teacher's own homework of the last days."""
    day = today()
    first = day - datetime.timedelta(days=_MARKING_DAYS)
    return Homework.objects.visible_to(user).out().filter(teacher=user, on_date__range=(first, day))


@for_roles(*_SCHOOL_STAFF)
def markings(request: HttpRequest) -> HttpResponse:
    """A teacher's own homework of the last days: marked, gone through, given back; several at once."""
    user = user_of(request)
    if request.method == "POST":
        return _mark(request, user)
    classes = SchoolClass.objects.visible_to(user).filter(pk__in=_to_mark(user).order_by().values("school_class"))
    form = MarkingFilter(request.GET, classes=classes)
    form.is_valid()
    items = _to_mark(user).select_related("school_class", "subject", "marking").order_by("-on_date", "school_class", "tier", "pk")
    if chosen := form.cleaned_data.get("school_class"):
        items = items.filter(school_class=chosen)
    if only := form.cleaned_data.get("only"):
        items = items.filter(marking__isnull=only == "open")
    page = Paginator(items, _MARKINGS_PER_PAGE).get_page(request.GET.get("page"))
    days: defaultdict[datetime.date, list[Homework]] = defaultdict(list)
    for item in page:
        days[item.on_date].append(item)
    context = {
        "page": page,
        "days": dict(days),
        "form": form,
        "is_narrowed": bool(chosen or only),
        "marking_form": MarkingForm(),
        "kept_days": _MARKING_DAYS,
        "query": request.GET.urlencode(),
        "today": today(),
    }
    template = "homework/completion/includes/markings.html" if is_fragment(request) else "homework/completion/markings.html"
    return render(request, template, context)


def _mark(request: HttpRequest, user: User) -> HttpResponse:
    """Keep how the chosen homework was marked; ``one`` is the button of a single row."""
    back = reverse("homework:markings") + (f"?{QueryDict(request.POST.get('query', '')).urlencode()}" if request.POST.get("query") else "")
    data = request.POST.copy()
    if one := data.get("one"):
        # A row's own button: this one, marked in full, and nothing of what the bar below says.
        data = QueryDict(mutable=True)
        data.update({"scope": "full"})
        data.setlist("homework", [one])
    numbers = [int(each) for each in data.getlist("homework") if each.isdecimal() and len(each) < 19]
    if not numbers:
        messages.error(request, "还没有选作业：先在左边打勾，再点批改方式。")
        return redirect(back)
    items = list(_to_mark(user).filter(pk__in=numbers))
    if len(items) != len(set(numbers)):
        raise Http404
    form = MarkingForm(data)
    problems = errors_of(form)
    if not problems:
        try:
            Marking.objects.all().record(items, by=user, marked_on=today(), **form.values())
        except ValidationError as error:
            problems = error.messages
    for problem in problems:
        messages.error(request, problem)
    if not problems:
        messages.success(request, f"已记录 {len(items)} 项批改。记错了可以重新选了再记，或点“撤销”。")
    return redirect(back)


@for_roles(*_SCHOOL_STAFF)
@require_POST
def marking_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget what was recorded of one piece of homework."""
    user = user_of(request)
    marking = get_object_or_404(Marking.objects.visible_to(user), homework_id=pk)
    marking.take_back(by=user)
    messages.success(request, "已撤销这一项的批改记录。")
    return redirect("homework:markings")
