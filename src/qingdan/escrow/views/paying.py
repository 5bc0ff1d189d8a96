"""A family pays a contract: to the bank's page, and back. What the bank says counts, never that the browser came back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import Role
from qingdan.escrow.actions import paying
from qingdan.escrow.actions.paying import Asked
from qingdan.escrow.enums import OrderState
from qingdan.escrow.models import PaymentOrder


@for_roles(Role.PARENT)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def pay(request: HttpRequest, reference: str) -> HttpResponse:
    """What is to be paid, to whom and why it is safe; the button hands the order to the bank and leads to its page."""
    order = _order(request, reference)
    asked = None
    if request.method == "POST":
        back = request.build_absolute_uri(reverse("escrow:pay_back", args=[order.reference]))
        asked = paying.start(order, return_address=back)
        if asked.is_paid:
            return _to(request, reverse("escrow:contract", args=[order.contract_id]))
        if asked.pay_address and is_fragment(request):
            # A form may only lead within this site (form-action), so a script follows; without one the page shows the way.
            return HttpResponseClientRedirect(asked.pay_address)
        if is_fragment(request):
            return render(request, "escrow/banking/includes/pay.html", _context(order, asked))
    return render(request, "escrow/banking/pay.html", _context(order, asked), status=503 if asked and asked.problem else 200)


@for_roles(Role.PARENT)
@require_safe
@never_cache
def pay_back(request: HttpRequest, reference: str) -> HttpResponse:
    """The family comes back from the bank, or wants to know: the bank is asked. It may be opened as often as one likes."""
    order = _order(request, reference)
    asked = paying.check(order)
    if asked.is_paid:
        messages.success(request, "已缴费，合同开始履行。钱在监管账户里，上一次课划一次。")
        return redirect("escrow:contract", order.contract_id)
    if order.state == OrderState.CANCELLED:
        return redirect("escrow:pay", order.reference)
    if not asked.problem:
        messages.warning(request, "银行还没有收到这笔付款。没有付的请点“去银行付款”；刚付的过一分钟再点“查询结果”。")
        return redirect("escrow:pay", order.reference)
    return render(request, "escrow/banking/pay.html", _context(order, asked), status=503)


def _order(request: HttpRequest, reference: str) -> PaymentOrder:
    found = PaymentOrder.objects.visible_to(user_of(request)).filter(contract__guardian=user_of(request))
    return get_object_or_404(
        found.select_related("contract__institution", "contract__agreement", "contract__guardian"), reference=reference
    )


def _context(order: PaymentOrder, asked: Asked | None) -> dict[str, object]:
    return {
        "order": order,
        "contract": order.contract,
        "agreement": order.contract.agreement,
        "account": paying.account_of(order),
        "asked": asked,
        "is_open": order.state == OrderState.WAITING,
    }


def _to(request: HttpRequest, url: str) -> HttpResponse:
    return HttpResponseClientRedirect(url) if is_fragment(request) else redirect(url)
