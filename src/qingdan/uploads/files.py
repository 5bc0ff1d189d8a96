"""What a handed-in file is called and whether it can be a workbook at all, before it is kept."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from django.core.files.uploadedfile import UploadedFile as IncomingFile

from qingdan.storage.files import NAME_LENGTH_MAX, bare_name
from qingdan.workbooks.guards import SUFFIXES

_ZIP, _OLE, _PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1"
_ZIPPED = frozenset({".xlsx", ".xlsm", ".ods"})
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def clean_name(raw: str) -> str:
    """A bare file name with its suffix in small letters."""
    path = bare_name(raw, "表格")
    return path.stem[: NAME_LENGTH_MAX - len(path.suffix)] + path.suffix.lower()


def refusal(file: IncomingFile[Any], name: str, *, bytes_max: int) -> str | None:
    """Why a file is not taken, in Chinese with what to do; None when it may be a workbook."""
    suffix = PurePosixPath(name).suffix
    if suffix not in SUFFIXES:
        return f"“{name}”不是表格文件；请另存为 .xlsx（或 .xls、.ods、.csv、.parquet）再上传"
    size = file.size or 0
    if size == 0:
        return f"“{name}”是空的（0 字节）；请检查是否保存完整"
    if size > bytes_max:
        return f"“{name}”有 {size / 1024 / 1024:.1f} MB，超过 {bytes_max // 1024 // 1024} MB；请按月或按校分成几个文件"
    file.seek(0)
    head = file.read(4096)
    file.seek(0)
    if not _may_be(suffix, head):
        return f"“{name}”的内容不是 {suffix} 表格（可能只改了扩展名）；请在 Excel 或 WPS 中打开后另存"
    return None


def _may_be(suffix: str, head: bytes) -> bool:
    """Whether the first bytes fit the suffix. Old ``.xls`` exports are often text or zip in truth: the reader sorts that out."""
    if suffix == ".parquet":
        return head.startswith(_PARQUET)
    is_text = head.startswith(_UTF16) or b"\x00" not in head
    is_foreign = head.startswith((b"%PDF", b"\x7fELF", b"MZ", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"7z\xbc\xaf"))
    if suffix in _ZIPPED:
        # An encrypted workbook is an OLE container; the reader tells how to take off the password.
        return head.startswith((_ZIP, _OLE))
    if suffix == ".xls":
        return head.startswith((_ZIP, _OLE, b"\x09")) or (is_text and not is_foreign)
    return is_text and not is_foreign and not head.startswith((_ZIP, _OLE))
