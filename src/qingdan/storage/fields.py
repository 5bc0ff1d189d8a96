"""Form fields that take several files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile as IncomingFile

from qingdan.storage.files import FILES_MAX, KINDS, ReadFile, read_file


class ManyFiles(forms.ClearableFileInput):
    """A file input that takes several."""

    allow_multiple_selected = True


def sent(data: Any) -> Sequence[IncomingFile[Any]]:
    """What a browser sent in a field for several files."""
    return data if isinstance(data, list | tuple) else [data] if data else []


class FilesField(forms.FileField):
    """Several files, each checked by its content; every one refused is told by name."""

    widget = ManyFiles(attrs={"accept": ",".join(kind.suffix for kind in KINDS)})
    #: Names that the record's files have already.
    taken: Sequence[str] = ()

    def __init__(self, *, too_many: str = "", **kwargs: Any) -> None:
        """``too_many`` is said when the record would have more than FILES_MAX; without it, whoever keeps the files counts them."""
        super().__init__(**kwargs)
        self.too_many = too_many

    def clean(self, data: Any, initial: Any = None) -> Any:
        """The files as they can be kept."""
        files = sent(data)
        if self.required and not files:
            raise ValidationError("请先选择文件")
        names = list(self.taken)
        if self.too_many and len(names) + len(files) > FILES_MAX:
            raise ValidationError(self.too_many)
        read: list[ReadFile] = []
        problems: list[ValidationError] = []
        for file in files:
            try:
                read.append(read_file(file, names))
            except ValidationError as problem:
                problems.append(problem)
            else:
                names.append(read[-1].name)
        if problems:
            raise ValidationError(problems)
        return read
