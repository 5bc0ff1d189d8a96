"""One's own notices."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import is_fragment, user_of
from qingdan.notices.models import Notice

log = logging.getLogger(__name__)
_PER_PAGE = 20


@require_safe
@never_cache
def notice_list(request: HttpRequest) -> HttpResponse:
    """All of them, unread ones first; or the unread ones only."""
    notices = Notice.objects.visible_to(user_of(request))
    only_unread = request.GET.get("only") == "unread"
    shown = notices.unread() if only_unread else notices
    page = Paginator(shown.unread_first(), _PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "only_unread": only_unread, "unread": notices.unread().count()}
    return render(request, "notices/includes/list.html" if is_fragment(request) else "notices/list.html", context)


@require_POST
def open_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark one as read and go to what it is about, which is always a page of this house."""
    notice = get_object_or_404(Notice.objects.visible_to(user_of(request)), pk=pk)
    notice.mark_read()
    is_ours = notice.url.startswith("/") and url_has_allowed_host_and_scheme(notice.url, allowed_hosts=None)
    return redirect(notice.url if is_ours else "notices:list")


@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark all as read."""
    count = Notice.objects.visible_to(user_of(request)).unread().update(read_at=timezone.now())
    log.info("notices.read_all user=%s count=%s", request.user.pk, count)
    messages.success(request, f"{count} 条通知已标为已读。" if count else "没有未读的通知。")
    return redirect("notices:list")
