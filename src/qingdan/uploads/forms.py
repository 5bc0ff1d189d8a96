"""The form that takes workbooks, and the filters over uploads and findings."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from qingdan.accounts.models import Organisation
from qingdan.policy.packs import default_pack
from qingdan.storage.fields import ManyFiles, sent
from qingdan.uploads.enums import FindingVerdict
from qingdan.uploads.files import clean_name, refusal
from qingdan.workbooks.guards import SUFFIXES


class WorkbooksField(forms.FileField):
    """Several workbooks; every one refused is told by name."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> Any:
        """The files as a list, their names cleaned."""
        files = sent(data)
        if not files:
            raise ValidationError("请选择至少一个表格文件")
        if len(files) > settings.UPLOAD_FILES_MAX:
            raise ValidationError(f"一次最多 {settings.UPLOAD_FILES_MAX} 个文件，请分几次上传")
        problems = []
        for file in files:
            file.name = clean_name(file.name or "")
            if (problem := refusal(file, file.name, bytes_max=settings.UPLOAD_FILE_BYTES_MAX)) is not None:
                problems.append(problem)
        if problems:
            raise ValidationError(problems)
        return list(files)


class UploadForm(forms.Form):
    """Workbooks, and the layer by whose law they are judged."""

    workbooks = WorkbooksField(label="表格文件")
    layer = forms.ChoiceField(label="按哪一层的政策判定")

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        layers = default_pack().layers
        choices = [(code, f"{layer.name}{'（虚构）' if layer.fictional else ''}") for code, layer in layers.items()]
        field = self.fields["layer"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = sorted(choices, key=lambda choice: (choice[0] != organisation.layer_code, choice[0]))
        field.initial = organisation.layer_code
        field.widget.attrs["class"] = "form-select"
        field.help_text = "默认是本单位所在的层；上级的规定一并适用。"
        self.fields["workbooks"].widget.attrs |= {"class": "form-control", "accept": ",".join(sorted(SUFFIXES))}
        self.fields["workbooks"].help_text = (
            f"可多选，每个不超过 {settings.UPLOAD_FILE_BYTES_MAX // 1024 // 1024} MB：xlsx、xls、ods、csv、parquet。"
            "不必整理格式，标题行、合并单元格、合计行都可以保留。"
        )


class FindingFilter(forms.Form):
    """What part of an upload's findings is shown."""

    q = forms.CharField(label="搜索", required=False, max_length=100)
    verdict = forms.ChoiceField(label="结论", required=False)
    rule = forms.ChoiceField(label="规则", required=False)
    table = forms.ChoiceField(label="文件与表", required=False)

    def __init__(self, *args: Any, rules: list[dict[str, Any]], tables: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: dict[str, list[tuple[str, str]]] = {
            "verdict": [("", "全部结论"), *FindingVerdict.choices],
            "rule": [("", "全部规则"), *((each["rule_id"], each["title"]) for each in rules)],
            "table": [("", "全部表格"), *((f"{file}|{sheet}", f"{file}{f'〔{sheet}〕' if sheet else ''}") for file, sheet in tables)],
        }
        for name, values in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = values
            field.widget.attrs["class"] = "form-select"
        self.fields["q"].widget = forms.TextInput(attrs={"type": "search", "class": "form-control", "placeholder": "班级、课程、说明……"})

    def chosen(self) -> dict[str, str]:
        """The filters as the query set takes them; one that does not fit this upload is left out."""
        self.is_valid()
        data = self.cleaned_data
        file, _, sheet = data.get("table", "").partition("|")
        return {"verdict": data.get("verdict", ""), "rule": data.get("rule", ""), "file": file, "sheet": sheet, "text": data.get("q", "")}
