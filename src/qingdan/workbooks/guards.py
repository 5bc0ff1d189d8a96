"""Checks made before a file is parsed, so that a hostile, broken or locked one costs nothing."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from qingdan.workbooks.model import FileFault, ReadingLimits

SUFFIXES = frozenset({".xlsx", ".xlsm", ".xls", ".ods", ".csv", ".tsv", ".parquet"})
WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xls", ".ods"})
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PROTECTED = "有打开密码，读不了；请在 Excel 或 WPS 中打开，去掉密码（文件—信息—保护工作簿）后另存"
BROKEN = "文件损坏，打不开；请在 Excel 或 WPS 中打开修复后另存为 .xlsx，或请对方重新发送"
HUGE = "解压后过大（{size} MB），不像正常的表格；请删去多余的行列或图片，分成几个文件，或另存为 csv"


def check_file(path: Path, limits: ReadingLimits) -> None:
    """Raise FileFault when a file is missing, unreadable, empty or too large, or of no known type."""
    if path.suffix.lower() not in SUFFIXES:
        raise FileFault("不是认识的表格类型；请另存为 .xlsx、.csv 或 .parquet")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.read(1)
    except FileNotFoundError:
        raise FileFault("找不到这个文件；请检查路径和文件名") from None
    except PermissionError:
        raise FileFault("没有读取权限；请检查文件权限，或先关闭正在打开它的程序") from None
    except OSError as error:
        raise FileFault(f"打不开（{error.strerror}）；请检查文件") from None
    if size == 0:
        raise FileFault("文件是空的（0 字节）；请检查是否下载或复制完整")
    # A parquet file stays on the disk, so its size does no harm.
    if size > limits.max_file_bytes and path.suffix.lower() != ".parquet":
        most = limits.max_file_bytes // 1024 // 1024
        raise FileFault(f"文件过大（{size // 1024 // 1024} MB，上限 {most} MB）；请分成几个文件，或改用 parquet")


def container_of(path: Path) -> str:
    """``zip``, ``ole`` (old .xls), ``text`` or ``parquet``, by the first bytes; raise FileFault when password-protected."""
    with path.open("rb") as file:
        start = file.read(8)
        if start.startswith(_OLE):
            data = start + file.read()
            if "EncryptedPackage".encode("utf-16-le") in data:
                raise FileFault(PROTECTED)
            return "ole"
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if start.startswith(b"PAR1"):
        return "parquet"
    return "biff" if start[:1] == b"\x09" and start[1:2] in b"\x00\x02\x04\x08" else "text"


def check_zip(path: Path, limits: ReadingLimits) -> None:
    """Raise FileFault when a zipped workbook is broken, encrypted, or unpacks to more than the limits allow."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError):
        raise FileFault(BROKEN) from None
    if any(part.flag_bits & 1 for part in parts):
        raise FileFault(PROTECTED)
    total = sum(part.file_size for part in parts)
    if total > limits.max_uncompressed_bytes:
        raise FileFault(HUGE.format(size=f"{total // 1024 // 1024:,}"))
    for part in parts:
        if part.file_size > limits.ratio_from_bytes and part.file_size > limits.max_ratio * max(part.compress_size, 1):
            raise FileFault(HUGE.format(size=f"{part.file_size // 1024 // 1024:,}"))
