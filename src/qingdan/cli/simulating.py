"""``qingdan simulate``: what would change if a figure of the law were another."""

from __future__ import annotations

import json
import sys
from collections import Counter
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from qingdan.audit import Audit, judge_reading
from qingdan.cli.auditing import parse_files
from qingdan.cli.common import CLEAN, LayerOption, PoliciesOption, layer_of, pack_of, told_plainly
from qingdan.policy.findings import Finding
from qingdan.policy.pack import Pack
from qingdan.policy.supposing import suppose
from qingdan.workbooks import read

Key = tuple[str, str, str, str]


class Format(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"


def simulate(
    files: Annotated[list[str], typer.Argument(metavar="文件…", help="与 audit 相同")],
    settings: Annotated[
        list[str], typer.Option("--set", metavar="参数=数值", help="如 homework.daily_minutes[primary_upper]=50，可写多次")
    ],
    layer: LayerOption = None,
    policies: PoliciesOption = None,
    output_format: Annotated[Format, typer.Option("--format")] = Format.TABLE,
) -> None:
    """试算：假如限值改了，对同样的事实，结论会怎样变、影响谁。只读，不改政策包。"""
    with told_plainly():
        pack = pack_of(policies)
        code = layer_of(layer, pack)
        supposed = pack
        for setting in settings:
            supposed, _ = suppose(supposed, setting, at=code)
        paths, kinds = parse_files(files, pack)
        reading = read(paths, pack.vocabulary, kinds=kinds, grade_names=pack.layers[code].grade_names)
        before = _keyed(judge_reading(reading, pack=pack, layer=code))
        after = _keyed(judge_reading(reading, pack=supposed, layer=code))
        if output_format is Format.JSON:
            print(json.dumps(_as_dict(before, after), ensure_ascii=False, indent=1))
        else:
            _print(pack, settings, before, after)
        raise typer.Exit(CLEAN)


def _keyed(audit: Audit) -> dict[Key, Finding]:
    return {
        (finding.rule.id, finding.verdict.value, finding.subject, ";".join(map(str, finding.sources))): finding
        for finding in audit.findings()
    }


def _entry(finding: Finding) -> dict[str, Any]:
    return {"rule": finding.rule.id, "verdict": finding.verdict.value, "subject": finding.subject, "sentence": finding.sentence}


def _as_dict(before: dict[Key, Finding], after: dict[Key, Finding]) -> dict[str, Any]:
    gone = [before[key] for key in before if key not in after]
    new = [after[key] for key in after if key not in before]
    return {
        "before": dict(Counter(finding.rule.id for finding in before.values())),
        "after": dict(Counter(finding.rule.id for finding in after.values())),
        "new": [_entry(finding) for finding in new],
        "gone": [_entry(finding) for finding in gone],
        "affected": sorted({finding.subject for finding in [*gone, *new]}),
    }


def _print(pack: Pack, settings: list[str], before: dict[Key, Finding], after: dict[Key, Finding]) -> None:
    out = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    changed = _as_dict(before, after)
    table = Table(title=Text(f"假如 {'，'.join(settings)}"), title_justify="left")
    for name in ("规则", "现在", "之后", "变化"):
        table.add_column(name, justify="left" if name == "规则" else "right")
    for rule in sorted({*changed["before"], *changed["after"]}):
        was, would = changed["before"].get(rule, 0), changed["after"].get(rule, 0)
        table.add_row(f"{pack.rules[rule].title}（{rule}）", str(was), str(would), f"{would - was:+d}" if would != was else "")
    out.print(table)
    for name, entries in (("新增", changed["new"]), ("消失", changed["gone"])):
        for entry in entries:
            out.print(Text(f"{name}  {entry['sentence']}"))
    affected = changed["affected"]
    out.print(f"受影响的对象 {len(affected)} 个{'：' + '、'.join(affected) if affected else ''}")
