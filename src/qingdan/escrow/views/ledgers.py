"""Books of prepaid tuition to read: trial balance, postings, an account's statement, and the check by a second hand. Officers only."""

from __future__ import annotations

import itertools

from django.core.paginator import Paginator
from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import OFFICERS
from qingdan.accounts.models import Organisation
from qingdan.escrow.ledgers import KINDS, books_of
from qingdan.ledger.enums import Unit
from qingdan.ledger.models import Account, Book, Entry
from qingdan.ledger.questions import statement, trial_balance
from qingdan.ledger.verify import verify

_PER_PAGE = 30
_FAULTS_SHOWN = 20


@for_roles(*OFFICERS)
@require_safe
@never_cache
def ledgers(request: HttpRequest) -> HttpResponse:
    """All books that the officer may read."""
    text = request.GET.get("q", "").strip()
    found = books_of(user_of(request)).select_related("organisation")
    if text:
        found = found.filter(organisation__in=Organisation.objects.matching(text))
    page = Paginator(found.order_by("organisation__pinyin", "pk"), _PER_PAGE).get_page(request.GET.get("page"))
    template = "escrow/doors/includes/ledgers.html" if is_fragment(request) else "escrow/doors/ledgers.html"
    return render(request, template, {"page": page, "q": text})


def _book(request: HttpRequest, pk: int) -> Book:
    return get_object_or_404(books_of(user_of(request)).select_related("organisation"), pk=pk)


@for_roles(*OFFICERS)
@require_safe
@never_cache
def ledger(request: HttpRequest, pk: int) -> HttpResponse:
    """A book's trial balance, the contracts' accounts added up, and its postings."""
    book = _book(request, pk)
    balance = trial_balance(book)
    units = []
    for unit in Unit:
        own = balance.of_unit(unit)
        if own:
            common = [line for line in own if not line.account.code.startswith("c:")]
            contracts = [line for line in own if line.account.code.startswith("c:")]
            sums = (sum(line.into for line in contracts), sum(line.out_of for line in contracts), sum(line.balance for line in contracts))
            whole = (sum(line.into for line in own), sum(line.out_of for line in own))
            units.append((unit, common, len(contracts), sums, whole))
    entries = Prefetch("entries", queryset=Entry.objects.select_related("account"))
    postings = book.postings.select_related("recorded_by").prefetch_related(entries).order_by("-number")
    page = Paginator(postings, _PER_PAGE).get_page(request.GET.get("page"))
    rows = [(posting, KINDS.get(posting.kind, posting.kind)) for posting in page]
    context = {"book": book, "units": units, "page": page, "rows": rows, "is_balanced": balance.is_balanced}
    return render(request, "escrow/doors/includes/postings.html" if is_fragment(request) else "escrow/doors/ledger.html", context)


@for_roles(*OFFICERS)
@require_POST
def ledger_verify(request: HttpRequest, pk: int) -> HttpResponse:
    """Check a book: numbers, chain of digests, sums, balances."""
    book = _book(request, pk)
    faults = list(itertools.islice(verify(book), _FAULTS_SHOWN))
    context = {"book": book, "faults": faults, "is_fragment": is_fragment(request)}
    return render(request, "escrow/doors/includes/verified.html" if is_fragment(request) else "escrow/doors/verified.html", context)


@for_roles(*OFFICERS)
@require_safe
@never_cache
def ledger_accounts(request: HttpRequest, pk: int) -> HttpResponse:
    """The contracts' accounts of a book."""
    book, text = _book(request, pk), request.GET.get("q", "").strip()
    found = book.accounts.filter(code__startswith="c:", unit=Unit.FEN).annotate(count=Count("entries"))
    if text:
        found = found.filter(Q(title__icontains=text))
    page = Paginator(found.order_by("-balance", "pk"), _PER_PAGE).get_page(request.GET.get("page"))
    template = "escrow/doors/includes/accounts.html" if is_fragment(request) else "escrow/doors/accounts.html"
    return render(request, template, {"book": book, "page": page, "q": text})


@for_roles(*OFFICERS)
@require_safe
@never_cache
def ledger_account(request: HttpRequest, pk: int) -> HttpResponse:
    """An account's entries with the running balance."""
    account = get_object_or_404(Account.objects.filter(book__in=books_of(user_of(request))).select_related("book__organisation"), pk=pk)
    found = statement(account)
    page = Paginator(found.entries, _PER_PAGE).get_page(request.GET.get("page") or "1")
    rows = [(entry, KINDS.get(entry.posting.kind, entry.posting.kind)) for entry in page]
    context = {"account": account, "book": account.book, "statement": found, "page": page, "rows": rows}
    return render(request, "escrow/doors/account.html", context)
