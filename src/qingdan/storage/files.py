"""Which files are taken in, and what they are called. What a file is, its content says and not its name."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile as IncomingFile

FILE_BYTES_MAX = 10 * 1024 * 1024
#: How many files one record may have.
FILES_MAX = 10
NAME_LENGTH_MAX = 120
_MEMBERS_MAX = 5000
_FORBIDDEN = re.compile(r'[\\/:*?"<>|]')
_OFFICE = "application/vnd.openxmlformats-officedocument."


@dataclass(frozen=True)
class FileKind:
    """A kind of file that is taken."""

    suffix: str
    content_type: str


PDF = FileKind(".pdf", "application/pdf")
PNG = FileKind(".png", "image/png")
JPG = FileKind(".jpg", "image/jpeg")
#: Main part of a zipped office document -> what it is.
_BY_MAIN_PART = {
    "word/document.xml": FileKind(".docx", f"{_OFFICE}wordprocessingml.document"),
    "xl/workbook.xml": FileKind(".xlsx", f"{_OFFICE}spreadsheetml.sheet"),
    "ppt/presentation.xml": FileKind(".pptx", f"{_OFFICE}presentationml.presentation"),
}
KINDS = (PDF, *_BY_MAIN_PART.values(), PNG, JPG)
#: Endings as people write them that mean the same kind.
_SAME_SUFFIX = {".jpeg": ".jpg", ".jpe": ".jpg"}
KINDS_TEXT = "、".join(kind.suffix.removeprefix(".") for kind in KINDS)


@dataclass(frozen=True)
class ReadFile:
    """A file that may be kept."""

    name: str
    kind: FileKind
    content: bytes


def sniff(content: IO[bytes]) -> FileKind | None:
    """What a file is by its content; None for anything that is not taken."""
    content.seek(0)
    head = content.read(8)
    content.seek(0)
    if head.startswith(b"%PDF-"):
        return PDF
    if head == b"\x89PNG\r\n\x1a\n":
        return PNG
    if head.startswith(b"\xff\xd8\xff"):
        return JPG
    return _office(content) if head.startswith(b"PK\x03\x04") else None


def _office(content: IO[bytes]) -> FileKind | None:
    """An office document without macros, by the list of its parts; nothing is unpacked."""
    try:
        with zipfile.ZipFile(content) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return None
    if len(names) > _MEMBERS_MAX or "[Content_Types].xml" not in names or any(name.lower().endswith("vbaproject.bin") for name in names):
        return None
    return next((kind for part, kind in _BY_MAIN_PART.items() if part in names), None)


def bare_name(raw: str, otherwise: str) -> PurePosixPath:
    """A name without folders, control characters and what some systems forbid; ``otherwise`` where nothing is left."""
    name = unicodedata.normalize("NFC", raw.replace("\\", "/").rsplit("/", 1)[-1])
    name = "".join(char for char in name if unicodedata.category(char)[0] != "C")
    return PurePosixPath(_FORBIDDEN.sub("_", name).strip(" .") or otherwise)


def clean_name(raw: str, kind: FileKind) -> str:
    """A bare name that ends as its content demands."""
    path = bare_name(raw, "附件")
    suffix = path.suffix.lower()
    known = {each.suffix for each in KINDS} | _SAME_SUFFIX.keys()
    stem = path.stem if suffix in known else path.name
    return stem[: NAME_LENGTH_MAX - len(kind.suffix)].rstrip(" .") + kind.suffix


def read_file(file: IncomingFile[Any], taken: Collection[str] = ()) -> ReadFile:
    """A handed-in file, checked, under a name that is not taken; raise ValidationError saying what to do."""
    shown = (file.name or "附件")[-60:]
    size = file.size or 0
    if size == 0:
        raise ValidationError(f"“{shown}”是空的（0 字节）；请检查是否保存完整")
    if size > FILE_BYTES_MAX:
        raise ValidationError(
            f"“{shown}”有 {size / 1024 / 1024:.1f} MB，超过 {FILE_BYTES_MAX // 1024 // 1024} MB；请压缩图片或分成几个文件再上传"
        )
    content = file.read()
    kind = sniff(io.BytesIO(content))
    if kind is None:
        raise ValidationError(f"“{shown}”的内容不是可以收的文件（可能只改了扩展名，或带有宏）；可以收：{KINDS_TEXT}")
    return ReadFile(distinct(clean_name(file.name or "", kind), taken), kind, content)


def distinct(name: str, taken: Collection[str]) -> str:
    """The name, with a number put in where it is taken."""
    path, number, own = PurePosixPath(name), 1, name
    while own in taken:
        number += 1
        own = f"{path.stem}（{number}）{path.suffix}"
    return own
