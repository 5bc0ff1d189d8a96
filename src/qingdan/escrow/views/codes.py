"""The family's codes: made for one child, told to one institution, taken back at any time."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from qingdan.accounts.access import for_roles, user_of
from qingdan.accounts.enums import Role
from qingdan.escrow.forms.contracts import SigningCodeForm
from qingdan.escrow.models import SigningCode
from qingdan.escrow.models.codes import VALID_DAYS

log = logging.getLogger(__name__)
_SHOWN = 20
#: Codes that one family may have open at once: a code is meant for somebody, not for a drawer.
OPEN_MAX = 20


@for_roles(Role.PARENT)
def codes(request: HttpRequest) -> HttpResponse:
    """The guardian's codes, and the form that makes one; a new one is shown this once."""
    user = user_of(request)
    form = SigningCodeForm(request.POST or None, user=user)
    made: tuple[SigningCode, str] | None = None
    if request.method == "POST" and form.is_valid():
        if SigningCode.objects.visible_to(user).open().count() >= OPEN_MAX:
            form.add_error(None, f"同时有效的签约码最多 {OPEN_MAX} 个；请先停用不用的")
        else:
            data = form.cleaned_data
            made = SigningCode.issue(
                guardian=user,
                pupil=data.get("pupil"),
                learner_name=str(data.get("learner_name") or "").strip(),
                learner_born_on=data["learner_born_on"],
            )
            log.info("escrow.code.made by=%s code=%s", user.pk, made[0].pk)
            form = SigningCodeForm(user=user)
    listed = SigningCode.objects.visible_to(user).select_related("institution")[:_SHOWN]
    context = {"form": form, "made": made, "codes": listed, "valid_days": VALID_DAYS}
    response = render(request, "escrow/contracts/codes.html", context, status=400 if form.errors else 200)
    response["Cache-Control"] = "no-store"
    return response


@for_roles(Role.PARENT)
@require_POST
def code_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a code back."""
    code = get_object_or_404(SigningCode.objects.visible_to(user_of(request)), pk=pk)
    code.revoke()
    log.info("escrow.code.revoked by=%s code=%s", user_of(request).pk, pk)
    messages.success(request, "签约码已停用。已经起草的合同不受影响，您仍可不签。")
    return redirect("escrow:codes")
