"""The register as a workbook: take in, preview, confirm, take back."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import Role
from qingdan.institutions.forms.registry import RegisterForm
from qingdan.institutions.imports import applying, exporting
from qingdan.institutions.imports.reading import RegisterReading, read_register
from qingdan.institutions.models import RegisterImport
from qingdan.institutions.views.registry import XLSX
from qingdan.places.calendar import current_pack
from qingdan.places.models import Region
from qingdan.schools.enums import RollAct
from qingdan.workbooks.model import FileFault

_IMPORTS_PER_PAGE = 20
_ROWS_PER_PAGE = 100


def _read(file: UploadedFile[Any]) -> RegisterReading:
    with tempfile.NamedTemporaryFile(suffix=Path(file.name or "").suffix.lower()) as kept:
        for chunk in file.chunks():
            kept.write(chunk)
        kept.flush()
        return read_register(Path(kept.name), current_pack().vocabulary)


@for_roles(Role.BUREAU)
def register_imports(request: HttpRequest) -> HttpResponse:
    """Earlier imports, and the form that takes a new one in."""
    user = user_of(request)
    form = RegisterForm(request.POST or None, request.FILES or None, user=user)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["workbook"]
        region = form.cleaned_data["region"] or Region.objects.visible_to(user).first()
        name = Path(file.name.replace("\\", "/")).name[:150]
        if region is None:
            form.add_error(None, "您的单位还没有对应的地区；请先请管理员建立地区")
        else:
            try:
                register = applying.take_in(region, _read(file), file_name=name, by=user)
            except FileFault as fault:
                form.add_error("workbook", f"“{name}”：{fault}")
            else:
                return redirect("institutions:register_import", register.pk)
    found = RegisterImport.objects.visible_to(user).defer("journal").select_related("uploaded_by")
    page = Paginator(found, _IMPORTS_PER_PAGE).get_page(request.GET.get("page"))
    context = {"form": form, "page": page}
    return render(request, "institutions/registry/imports.html", context, status=400 if form.errors else 200)


def _fetch(request: HttpRequest, pk: int) -> RegisterImport:
    found = RegisterImport.objects.visible_to(user_of(request)).defer("journal").select_related("region", "uploaded_by")
    return get_object_or_404(found, pk=pk)


@for_roles(Role.BUREAU)
@require_safe
def register_import(request: HttpRequest, pk: int) -> HttpResponse:
    """What an import will do, row by row; afterwards, what it did."""
    found = _fetch(request, pk)
    counts = Counter(found.rows.order_by().values_list("act", flat=True))
    act = request.GET.get("act", "")
    act = act if act in RollAct.values else ""
    rows = found.rows.filter(act=act) if act else found.rows.all()
    context: dict[str, Any] = {
        "register": found,
        "page": Paginator(rows, _ROWS_PER_PAGE).get_page(request.GET.get("page")),
        "act": RollAct(act).label if act else "",
        "acts": [(value, label, counts[value]) for value, label in RollAct.choices],
        "whole": sum(counts.values()),
        "writes": counts[RollAct.ADD] + counts[RollAct.CHANGE],
    }
    is_part = is_fragment(request)
    return render(request, "institutions/registry/includes/rows.html" if is_part else "institutions/registry/import.html", context)


@for_roles(Role.BUREAU)
@require_POST
def register_apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Import what was shown."""
    found = _fetch(request, pk)
    try:
        done = applying.apply(found, by=user_of(request))
    except applying.PreviewIsStale as stale:
        applying.preview_again(found, by=user_of(request))
        messages.error(request, "；".join(stale.messages))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        if done:
            messages.success(request, "已导入。如果导错了，可以在本页撤销。")
        else:
            messages.info(request, "这份名册先前已经处理过，没有重复导入。")
    return redirect("institutions:register_import", pk)


@for_roles(Role.BUREAU)
@require_POST
def register_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the register back as it was before an import."""
    try:
        done = applying.undo(_fetch(request, pk), by=user_of(request))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        messages.success(request, "已撤销导入，名册回到了导入之前。" if done else "这份名册没有导入，或已经撤销过了。")
    return redirect("institutions:register_import", pk)


@for_roles(Role.BUREAU)
@require_POST
def register_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a preview away."""
    if applying.discard(_fetch(request, pk), by=user_of(request)):
        messages.success(request, "已放弃这份名册，登记数据没有变化。")
        return redirect("institutions:register_imports")
    messages.error(request, "这份名册已经导入，不能放弃；要退回请撤销导入。")
    return redirect("institutions:register_import", pk)


@for_roles(Role.BUREAU)
@require_safe
def register_template(request: HttpRequest) -> HttpResponse:
    """An empty register with an example beside it."""
    response = HttpResponse(exporting.workbook(current_pack().vocabulary, [], with_example=True), content_type=XLSX)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote('机构名册_空表.xlsx')}"
    return response
