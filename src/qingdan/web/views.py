"""The home page, and what is shown when something is wrong."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from qingdan.accounts.models import User
from qingdan.places.calendar import today
from qingdan.policy.packs import default_pack
from qingdan.uploads.models import Upload
from qingdan.web.doors import quick_for
from qingdan.web.homes import desk_of
from qingdan.web.todos import todos_of


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this is, in one screen; for someone signed in, what there is to do today."""
    pack = default_pack()
    context: dict[str, Any] = {
        "documents": len(pack.documents),
        "clauses": len(pack.clauses),
        "rules": len(pack.rules),
        "layers": len(pack.layers),
    }
    if isinstance(request.user, User):
        context |= desk_of(request.user, today())
        context["todos"] = todos_of(request.user, context["desk"] if request.user.is_officer else None)
        context["quick"] = quick_for(request.user)
        uploads = Upload.objects.visible_to(request.user).kept().prefetch_related("files")
        context["recent"] = list(uploads[:5])
    return render(request, "web/home.html", context)


@login_not_required
@never_cache
@require_safe
def healthy(request: HttpRequest) -> HttpResponse:
    """For launchers and monitors: the database answers and the pack loads."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    default_pack()
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """The mark of the house, for browsers that ask without reading the page."""
    return cast("HttpResponse", RedirectView.as_view(url=static("web/mark.svg"))(request))


def _error(request: HttpRequest, status: int, title: str, advice: str) -> HttpResponse:
    return render(request, "web/error.html", {"title": title, "advice": advice, "status": status}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    return _error(request, 400, "这个请求无法处理", "网址或表单内容不完整。请返回上一页重试；若是上传，请检查文件个数和大小。")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return _error(request, 403, "没有权限", "这个操作不在您的权限之内。请换用有权限的账户，或联系本单位管理员。")


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 of a form that was open for too long, or sent from elsewhere."""
    return _error(request, 403, "页面已过期", "为安全起见没有提交。请返回上一页，刷新后重新提交；若仍不行，请允许本站使用 Cookie。")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404, also for what exists but belongs to somebody else."""
    return _error(request, 404, "没有找到这个页面", "网址可能写错了，内容可能已删除，或者不属于您的单位。")


def server_error(request: HttpRequest) -> HttpResponse:
    """500; told without the database or the session, which may be the cause."""
    return render(None, "web/500.html", status=500)
