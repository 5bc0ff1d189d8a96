"""What is coming to an institution, and giving all back when one closes."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.answering import errors_of
from qingdan.accounts.enums import OFFICERS, OrganisationKind, Role
from qingdan.accounts.models import Organisation
from qingdan.escrow import books, tasks
from qingdan.escrow.actions.refunds import closing_of
from qingdan.escrow.enums import InstructionPurpose, SupervisionMode
from qingdan.escrow.forms.refunds import ClosingForm
from qingdan.escrow.models import BankInstruction, Contract, CustodyAgreement, Lesson, Refund
from qingdan.escrow.standing import standings
from qingdan.ledger.models import Account

_PER_PAGE = 20


@for_roles(Role.INSTITUTION)
@require_safe
@never_cache
def coming(request: HttpRequest) -> HttpResponse:
    """What is confirmed and not yet transferred, what waits for families, what is to be answered."""
    user = user_of(request)
    agreements = list(CustodyAgreement.objects.visible_to(user))
    codes = {books.agreement_code(each, "transit"): each for each in agreements}
    own = Account.objects.filter(book__code=books.book_code(user.employer.pk))
    transit = dict(own.filter(code__in=codes).values_list("code", "balance"))
    lessons, refunds = Lesson.objects.visible_to(user), Refund.objects.visible_to(user)
    page = Paginator(
        BankInstruction.objects.visible_to(user).filter(purpose=InstructionPurpose.RELEASE).select_related("agreement"), _PER_PAGE
    ).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "agreements": [
            (each, transit.get(code, 0)) for code, each in codes.items() if each.mode != SupervisionMode.RESERVE or transit.get(code)
        ],
        "transit_fen": sum(transit.values()),
        "earned_fen": own.filter(code="institution").aggregate(fen=Sum("balance"))["fen"] or 0,
        "held_fen": own.filter(code__startswith="c:", code__endswith=":held").aggregate(fen=Sum("balance"))["fen"] or 0,
        "waiting": lessons.waiting().aggregate(lessons=Sum("lessons"))["lessons"] or 0,
        "disputed": lessons.disputed().aggregate(lessons=Sum("lessons"))["lessons"] or 0,
        "to_answer": refunds.filter(state="applied").count(),
    }
    return render(request, "escrow/refunds/includes/coming.html" if is_fragment(request) else "escrow/refunds/coming.html", context)


@for_roles(*OFFICERS)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def closing(request: HttpRequest, pk: int) -> HttpResponse:
    """All that an institution's families have not used: how many, how much; with a reason it goes back to them."""
    user = user_of(request)
    institutions = Organisation.objects.overseen_by(user.employer).filter(kind=OrganisationKind.INSTITUTION)
    if not user.is_bureau:
        institutions = institutions.filter(custody_agreements__in=CustodyAgreement.objects.visible_to(user)).distinct()
    institution = get_object_or_404(institutions, pk=pk)
    form = ClosingForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        tasks.refund_all.defer(institution_id=institution.pk, reason=form.cleaned_data["reason"], by_id=user.pk)
        messages.success(request, "已开始退还，可以离开这一页；刷新能看到进度。中途停电也会接着办。")
        return redirect("escrow:closing", pk)
    live = Contract.objects.live().filter(institution=institution).order_by("pk")
    page = Paginator(live, _PER_PAGE).get_page(request.GET.get("page"))
    standing = standings(page)
    context = {
        "institution": institution,
        "closing": closing_of(institution),
        "form": form,
        "problems": errors_of(form) if request.method == "POST" else [],
        "page": page,
        "rows": [standing[each.pk] for each in page],
    }
    template = "escrow/refunds/includes/closing.html" if is_fragment(request) else "escrow/refunds/closing.html"
    return render(request, template, context, status=422 if context["problems"] else 200)
