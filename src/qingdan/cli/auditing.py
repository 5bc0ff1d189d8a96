"""``qingdan audit``: judge workbooks, csv and parquet on a desk."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.progress import Progress

from qingdan.audit import Audit, run_audit, write_csv, write_json, write_xlsx
from qingdan.cli.common import (
    BAD_INPUT,
    CLEAN,
    FINDINGS,
    BadInput,
    LayerOption,
    PoliciesOption,
    layer_of,
    pack_of,
    progress_bar,
    talk,
    told_plainly,
)
from qingdan.cli.tables import print_audit
from qingdan.policy.pack import Pack
from qingdan.policy.sources import nearest


class Format(StrEnum):
    """How findings are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


def audit(
    files: Annotated[list[str], typer.Argument(metavar="文件…", help="xlsx、xls、ods、csv、parquet 或文件夹；种类=路径 可指定表的种类")],
    layer: LayerOption = None,
    output_format: Annotated[Format, typer.Option("--format", help="table 看，json 给程序，csv、xlsx 给表格")] = Format.TABLE,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="文件", help="写到文件，而不是屏幕")] = None,
    policies: PoliciesOption = None,
    verbose: Annotated[bool, typer.Option("--all", help="表格中列出每一条，不省略")] = False,
) -> None:
    """判定工作簿：逐条给出依据、所见与限值。

    结果在标准输出，其余话在标准错误。退出码：0 没有问题，1 有问题或有未读内容，2 输入不能用。
    """
    with told_plainly():
        pack = pack_of(policies)
        code = layer_of(layer, pack)
        if output_format is Format.XLSX and output is None:
            raise BadInput("xlsx 要写到文件：请加 -o 结果.xlsx")
        paths, kinds = parse_files(files, pack)
        with progress_bar() as bar:
            done = run_audit(paths, pack=pack, layer=code, kinds=kinds, progress=_teller(bar))
        if not done.records or not any(done.records.values()):
            tell_unread(done)
            raise typer.Exit(BAD_INPUT)
        write(done, output_format, output, verbose=verbose)
        if output_format is not Format.TABLE or output is not None:
            tell_unread(done)
        raise typer.Exit(CLEAN if done.is_clean else FINDINGS)


def parse_files(files: Sequence[str], pack: Pack) -> tuple[list[Path], dict[Path, str]]:
    """Paths, and the fact kinds forced by ``kind=path``; raise BadInput for an unknown kind."""
    paths, kinds = list[Path](), dict[Path, str]()
    for file in files:
        path = Path(file)
        name, separator, rest = file.partition("=")
        if separator and not path.exists():
            recorded = {kind.name: kind.name for kind in pack.vocabulary.recorded_kinds}
            recorded |= {kind.label: kind.name for kind in pack.vocabulary.recorded_kinds}
            if name not in recorded:
                raise BadInput(f"没有“{name}”这种表{nearest(name, recorded)}；可写：{'、'.join(sorted(set(recorded.values())))}")
            path = Path(rest)
            kinds[path] = recorded[name]
        paths.append(path)
    return paths, kinds


def _teller(bar: Progress) -> Callable[[str, int, int], None]:
    task = bar.add_task("准备", total=None)

    def tell(what: str, done: int, whole: int) -> None:
        bar.update(task, description=what, completed=done, total=whole or None)

    return tell


def write(done: Audit, output_format: Format, output: Path | None, *, verbose: bool) -> None:
    """Write an audit in a format; raise BadInput where the file cannot be written."""
    try:
        if output_format is Format.XLSX:
            assert output is not None
            write_xlsx(done, output)
        elif output is None:
            _write_text(done, output_format, sys.stdout, verbose=verbose)
        else:
            # Excel takes a csv for UTF-8 only with a byte order mark.
            encoding = "utf-8-sig" if output_format is Format.CSV else "utf-8"
            with output.open("w", encoding=encoding, newline="") as out:
                _write_text(done, output_format, out, verbose=verbose)
    except OSError as error:
        raise BadInput(f"写不进 {output}：{error.strerror}；请换一个位置（-o）") from None


def _write_text(done: Audit, output_format: Format, out: IO[str], *, verbose: bool) -> None:
    if output_format is Format.JSON:
        write_json(done, out)
    elif output_format is Format.CSV:
        write_csv(done, out)
    else:
        print_audit(done, out, verbose=verbose)


def tell_unread(done: Audit) -> None:
    """Say on stderr what was not read."""
    for each in done.unreadable:
        place = f"{each.file}{f'〔{each.sheet}〕' if each.sheet else ''}{f' 第 {each.row} 行' if each.row else ''}"
        column = f" “{each.column}”列" if each.column else ""
        talk.print(f"未读  {place}{column}：{each.value!r}  {each.reason}", markup=False, soft_wrap=True)
