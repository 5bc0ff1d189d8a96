"""Lists as workbooks, a district's institutions and an institution's people: take in, preview, confirm, take back."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import Role
from qingdan.institutions.actions.accounts import issue_codes
from qingdan.institutions.actions.staff import tell_bureau_of_matches
from qingdan.institutions.forms.registry import RegisterForm
from qingdan.institutions.forms.staff import StaffFileForm
from qingdan.institutions.imports import applying, exporting
from qingdan.institutions.imports.reading import RegisterReader
from qingdan.institutions.imports.sheets import ListReader, Reading
from qingdan.institutions.imports.staff_reading import StaffReader
from qingdan.institutions.models import Institution, RegisterImport, StaffImport
from qingdan.places.calendar import current_pack
from qingdan.places.models import Region
from qingdan.schools.enums import RollAct
from qingdan.schools.views.joining import sheet
from qingdan.storage.downloads import saved
from qingdan.workbooks.model import FileFault

_IMPORTS_PER_PAGE = 20
_ROWS_PER_PAGE = 100


@dataclass(frozen=True)
class _Doors:
    """Where the pages of one sort of list are, and how they speak."""

    #: ``institutions:<stem>_import`` and so on.
    stem: str
    title: str
    #: The page of what the list is about.
    home: str
    home_title: str
    #: What the rows are shown by: header, key of the values, and whether it stays on one line.
    columns: tuple[tuple[str, str, bool], ...]

    def url(self, name: str, *args: int) -> str:
        """The address of a page of this sort."""
        return reverse(f"institutions:{self.stem}_{name}", args=args)

    def context(self, found: applying.Import | None = None) -> dict[str, Any]:
        """What every page needs."""
        pages = ("import", "apply", "undo", "discard") if found is not None else ()
        urls = {name: self.url(name, found.pk) for name in pages if found is not None}
        return {"sort": self, "list_url": self.url("imports"), "urls": urls, "home_url": reverse(self.home)}


_REGISTER = _Doors(
    "register", "导入机构名册", "institutions:registry", "机构名册",
    (("机构名称", "name", False), ("信用代码", "credit_code", True), ("许可证号", "permit_number", False)),
)  # fmt: skip
_STAFF = _Doors("staff", "导入从业人员", "institutions:staff", "从业人员", (("姓名", "name", True), ("证件号", "masked_identity", True)))


def _read(file: UploadedFile[Any], reader: ListReader) -> Reading:
    with tempfile.NamedTemporaryFile(suffix=Path(file.name or "").suffix.lower()) as kept:
        for chunk in file.chunks():
            kept.write(chunk)
        kept.flush()
        return reader.read(Path(kept.name))


def _taken_in(form: BaseForm, register: Any, reader: ListReader, request: HttpRequest) -> applying.Import | None:
    """What was handed in with a form, previewed; None, with the reason in the form, when it is no such list."""
    file = form.cleaned_data["workbook"]
    register.file_name = Path(file.name.replace("\\", "/")).name[:150]
    try:
        taken: applying.Import = applying.take_in(register, _read(file, reader), by=user_of(request))
    except FileFault as fault:
        form.add_error("workbook", f"“{register.file_name}”：{fault}")
        return None
    return taken


def _list_page(request: HttpRequest, doors: _Doors, form: BaseForm, found: Any, template: str) -> HttpResponse:
    page = Paginator(found.defer("journal").select_related("uploaded_by"), _IMPORTS_PER_PAGE).get_page(request.GET.get("page"))
    context = {"form": form, "page": page, **doors.context()}
    return render(request, template, context, status=400 if form.errors else 200)


def _import_page(request: HttpRequest, doors: _Doors, found: applying.Import, **more: Any) -> HttpResponse:
    rows: Any = found.rows.all()
    counts = Counter(rows.order_by().values_list("act", flat=True))
    act = request.GET.get("act", "")
    act = act if act in RollAct.values else ""
    page = Paginator(rows.filter(act=act) if act else rows, _ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "register": found,
        "page": page,
        "lines": [(each, [(header, each.values.get(name) or "—", is_short) for header, name, is_short in doors.columns]) for each in page],
        "act": RollAct(act).label if act else "",
        "acts": [(value, label, counts[value]) for value, label in RollAct.choices],
        "whole": sum(counts.values()),
        "writes": counts[RollAct.ADD] + counts[RollAct.CHANGE],
        **doors.context(found),
        **more,
    }
    is_part = is_fragment(request)
    return render(request, "institutions/imports/includes/rows.html" if is_part else "institutions/imports/import.html", context)


def _apply(request: HttpRequest, doors: _Doors, found: applying.Import) -> HttpResponse:
    """Import what was shown."""
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
    return redirect(doors.url("import", found.pk))


def _undo(request: HttpRequest, doors: _Doors, found: applying.Import) -> HttpResponse:
    """Put the register back as it was before an import."""
    try:
        done = applying.undo(found, by=user_of(request))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        messages.success(request, "已撤销导入，名册回到了导入之前。" if done else "这份名册没有导入，或已经撤销过了。")
    return redirect(doors.url("import", found.pk))


def _discard(request: HttpRequest, doors: _Doors, found: applying.Import) -> HttpResponse:
    """Throw a preview away."""
    pk = found.pk
    if applying.discard(found, by=user_of(request)):
        messages.success(request, "已放弃这份名册，登记数据没有变化。")
        return redirect(doors.url("imports"))
    messages.error(request, "这份名册已经导入，不能放弃；要退回请撤销导入。")
    return redirect(doors.url("import", pk))


def _template(form: exporting.List) -> HttpResponse:
    """An empty list with an example beside it."""
    return saved(exporting.workbook(form, [], with_example=True), f"{form.title}_空表.xlsx")


# ---- institutions


@for_roles(Role.BUREAU)
def register_imports(request: HttpRequest) -> HttpResponse:
    """Earlier imports, and the form that takes a new one in."""
    user = user_of(request)
    form = RegisterForm(request.POST or None, request.FILES or None, user=user)
    if request.method == "POST" and form.is_valid():
        region = form.cleaned_data["region"] or Region.objects.visible_to(user).first()
        if region is None:
            form.add_error(None, "您的单位还没有对应的地区；请先请管理员建立地区")
        elif taken := _taken_in(form, RegisterImport(region=region), RegisterReader(current_pack().vocabulary), request):
            return redirect(_REGISTER.url("import", taken.pk))
    return _list_page(request, _REGISTER, form, RegisterImport.objects.visible_to(user), "institutions/imports/registers.html")


def _register(request: HttpRequest, pk: int) -> RegisterImport:
    found = RegisterImport.objects.visible_to(user_of(request)).defer("journal").select_related("region", "uploaded_by")
    return get_object_or_404(found, pk=pk)


@for_roles(Role.BUREAU)
@require_safe
def register_import(request: HttpRequest, pk: int) -> HttpResponse:
    """What an import will do, row by row; afterwards, what it did."""
    found = _register(request, pk)
    has_new = found.rows.filter(act=RollAct.ADD).exists()
    return _import_page(request, _REGISTER, found, of=found.region.name, codes=_REGISTER.url("codes", pk) if has_new else "")


@for_roles(Role.BUREAU)
@require_POST
def register_apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Import what was shown."""
    return _apply(request, _REGISTER, _register(request, pk))


@for_roles(Role.BUREAU)
@require_POST
def register_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the register back as it was before an import."""
    return _undo(request, _REGISTER, _register(request, pk))


@for_roles(Role.BUREAU)
@require_POST
def register_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a preview away."""
    return _discard(request, _REGISTER, _register(request, pk))


@for_roles(Role.BUREAU)
@require_POST
def register_codes(request: HttpRequest, pk: int) -> HttpResponse:
    """One-time codes for the institutions that an import has registered, on slips that are shown once."""
    found, back = _register(request, pk), _REGISTER.url("import", pk)
    try:
        slips = issue_codes(applying.registered_by(found), by=user_of(request))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
        return redirect(back)
    return sheet(request, "", slips, "新登记机构的加入码", back)


@for_roles(Role.BUREAU)
@require_safe
def register_template(request: HttpRequest) -> HttpResponse:
    """An empty register with an example beside it."""
    return _template(exporting.register_list(current_pack().vocabulary))


# ---- people


def _is_open(institution: Institution, form: BaseForm) -> bool:
    try:
        institution.refuse_when_closed()
    except ValidationError as error:
        form.add_error(None, error)
        return False
    return True


@for_roles(Role.INSTITUTION)
def staff_imports(request: HttpRequest) -> HttpResponse:
    """Earlier lists of one's own people, and the form that takes a new one in."""
    user = user_of(request)
    institution = get_object_or_404(Institution.objects.visible_to(user).select_related("organisation"))
    form = StaffFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and _is_open(institution, form):
        reader = StaffReader(current_pack().vocabulary)
        if taken := _taken_in(form, StaffImport(institution=institution), reader, request):
            digests = {line.values.get("identity_digest", "") for line in applying.lines_of(taken)}
            # What a single entry tells of an attempt to employ a serving teacher, a list tells too.
            tell_bureau_of_matches(institution=institution, digests=digests)
            return redirect(_STAFF.url("import", taken.pk))
    return _list_page(request, _STAFF, form, StaffImport.objects.visible_to(user), "institutions/imports/staff.html")


def _staff_list(request: HttpRequest, pk: int) -> StaffImport:
    found = StaffImport.objects.visible_to(user_of(request)).defer("journal")
    return get_object_or_404(found.select_related("institution__organisation", "uploaded_by"), pk=pk)


@for_roles(Role.INSTITUTION)
@require_safe
def staff_import(request: HttpRequest, pk: int) -> HttpResponse:
    """What a list will do, row by row; afterwards, what it did."""
    found = _staff_list(request, pk)
    return _import_page(request, _STAFF, found, of=found.institution.name)


@for_roles(Role.INSTITUTION)
@require_POST
def staff_apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Import what was shown."""
    return _apply(request, _STAFF, _staff_list(request, pk))


@for_roles(Role.INSTITUTION)
@require_POST
def staff_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the staff back as it was before an import."""
    return _undo(request, _STAFF, _staff_list(request, pk))


@for_roles(Role.INSTITUTION)
@require_POST
def staff_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a preview away."""
    return _discard(request, _STAFF, _staff_list(request, pk))


@for_roles(Role.INSTITUTION)
@require_safe
def staff_template(request: HttpRequest) -> HttpResponse:
    """An empty list with an example beside it."""
    return _template(exporting.staff_list())
