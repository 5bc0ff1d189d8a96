"""Fields and looks that the forms of escrow have in common."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

FEN_PER_YUAN = 100


class YuanField(forms.DecimalField):
    """An amount in yuan on the page, in fen everywhere else."""

    default_error_messages = {  # noqa: RUF012 - Django's own way
        "invalid": "请写金额，如 80 或 79.50",
        "max_decimal_places": "金额最多两位小数（精确到分）",
        "min_value": "金额要大于零",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=Decimal("0.01"), max_value=10_000_000, decimal_places=2, max_digits=12, **kwargs)

    def clean(self, value: Any) -> Any:
        """Fen; nothing for an empty field."""
        found = super().clean(value)
        return None if found is None else int(found * FEN_PER_YUAN)

    def prepare_value(self, value: Any) -> Any:
        """Fen as yuan where a whole number is given, what was typed otherwise."""
        return f"{Decimal(value) / FEN_PER_YUAN:.2f}" if isinstance(value, int) else value


class Filter(forms.Form):
    """What is listed; what does not fit counts as not asked."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)

    def chosen(self) -> dict[str, str]:
        """What was asked."""
        self.is_valid()
        return {name: str(self.cleaned_data.get(name) or "").strip() for name in self.fields}


def dress(form: forms.BaseForm) -> None:
    """Give every field the look of the house, and words of its own for what is missing."""
    for field in form.fields.values():
        widget = field.widget
        if isinstance(field, forms.DateField):
            field.widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "form-control"})
            field.error_messages["invalid"] = "日期请写成 2026-11-16 的样子"
        elif isinstance(widget, forms.CheckboxInput | forms.CheckboxSelectMultiple):
            widget.attrs.setdefault("class", "form-check-input")
        else:
            widget.attrs.setdefault("class", "form-select" if isinstance(widget, forms.Select) else "form-control")
        field.error_messages["required"] = f"请填写{field.label}"
