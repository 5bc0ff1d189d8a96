"""What clerks hand in about banks: statements, and what became of a line nobody could explain."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from qingdan.escrow.models import PaymentOrder

_STATEMENT_BYTES_MAX = 10 * 1024 * 1024


class StatementForm(forms.Form):
    """A file of statements."""

    file = forms.FileField(
        label="对账单文件",
        allow_empty_file=False,
        error_messages={"required": "请选择对账单文件", "empty": "文件是空的；请重新下载"},
        widget=forms.ClearableFileInput(attrs={"class": "form-control", "accept": ".xml,.csv,.txt"}),
    )

    def clean_file(self) -> Any:
        """Refuse what is too large for a statement."""
        file = self.cleaned_data["file"]
        if file.size > _STATEMENT_BYTES_MAX:
            raise forms.ValidationError("文件超过 10 MB，不像对账单；请按天或按周下载")
        return file


class SettleForm(forms.Form):
    """What a line turned out to be."""

    kind = forms.ChoiceField(
        choices=[("order", "是一张缴费单的款"), ("reserve", "是机构补充储备金"), ("words", "与合同无关，只作说明")],
        error_messages={"required": "请选查明的结果", "invalid_choice": "请选查明的结果"},
    )
    order = forms.CharField(max_length=35, required=False, strip=True)
    note = forms.CharField(max_length=300, error_messages={"required": "请写明查明的情况", "max_length": "说明不超过 300 字"})

    def __init__(self, *args: Any, orders: QuerySet[PaymentOrder], **kwargs: Any) -> None:
        """``orders``: those that may be named."""
        super().__init__(*args, **kwargs)
        self._orders = orders

    def clean(self) -> dict[str, Any]:
        """Find the order."""
        cleaned = super().clean() or {}
        cleaned["found"] = None
        if cleaned.get("kind") == "order":
            cleaned["found"] = self._orders.filter(reference=cleaned.get("order") or "").first()
            if cleaned["found"] is None:
                self.add_error("order", "请填本账户的缴费单号，如 JF20261116-…（在合同页面能看到）")
        return cleaned
