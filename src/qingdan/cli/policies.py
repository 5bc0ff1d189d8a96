"""``qingdan policy``: lint, test, trace, diff and show a pack."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from qingdan.cli.common import CLEAN, FINDINGS, BadInput, LayerOption, PoliciesOption, layer_of, pack_of, talk, told_plainly
from qingdan.policy.cases import CaseResult, run_cases
from qingdan.policy.comparing import Comparison, Point, compare
from qingdan.policy.linting import lint as lint_pack
from qingdan.policy.pack import Limit, Pack
from qingdan.policy.sources import nearest
from qingdan.policy.tracing import SORTS, counts_by_document
from qingdan.policy.tracing import trace as trace_pack

policy = typer.Typer(help="检查、试验和比较政策包。", no_args_is_help=True, rich_markup_mode=None)


class Format(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="table 看，json 给程序")]
OnOption = Annotated[str | None, typer.Option("--on", metavar="日期", help="哪一天，如 2026-09-01；不写为今天")]


def _out() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else 140)


def _day(text: str | None) -> datetime.date:
    # The command's user lives today; the core below never asks the clock.
    if text is None:
        return datetime.date.today()
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"“{text}”不是日期，请写成 2026-09-01") from None


def _print_json(data: Any) -> None:
    print(json.dumps(data, ensure_ascii=False, indent=1))


@policy.command()
def lint(
    policies: PoliciesOption = None,
    output_format: FormatOption = Format.TABLE,
    verbose: Annotated[bool, typer.Option("--all", help="也列出尚只在计划中的条款")] = False,
) -> None:
    """检查政策包：格式、引用、时间空档、两值并存；比上级宽严作为提示列出。有错退出码 2，只有提示为 0。"""
    with told_plainly():
        pack = pack_of(policies)
        notes = lint_pack(pack)
        if output_format is Format.JSON:
            _print_json([{"sort": note.sort, "place": str(note.place), "message": note.message} for note in notes])
            return
        out = _out()
        for note in notes:
            if verbose or note.sort != "uncited":
                out.print(Text(f"{note.label}  {note.place}  {note.message}"), soft_wrap=True)
        uncited = sum(note.sort == "uncited" for note in notes)
        talk.print(
            f"{len(pack.documents)} 份文件、{len(pack.clauses)} 条条款、{len(pack.parameters)} 个参数、{len(pack.rules)} 条规则、"
            f"{len(pack.vocabulary.kinds)} 类事实：没有错误，{len(notes) - uncited} 处提示，{uncited} 条条款尚在计划中。"
        )


@policy.command()
def test(
    layer: LayerOption = None,
    keyword: Annotated[str, typer.Option("-k", metavar="文字", help="只跑编号、标题或案例里有这段文字的")] = "",
    policies: PoliciesOption = None,
    verbose: Annotated[bool, typer.Option("-v", help="通过的也列出")] = False,
) -> None:
    """跑政策包里的全部案例。全部相符退出码 0，有不符为 1。"""
    with told_plainly():
        pack = pack_of(policies)
        wanted = pack.layer(layer).code if layer else None

        results = run_cases(
            pack,
            lambda worked: (
                (wanted is None or worked.layer == wanted)
                and any(keyword in text for text in (worked.rule.id, worked.rule.title, worked.case.what))
            ),
        )
        failed = [result for result in results if not result.passed]
        for result in results if verbose else failed:
            _print_case(result)
        ran = len({result.worked.rule.id for result in results})
        talk.print(f"{ran} 条规则、{len(results)} 个案例：{len(results) - len(failed)} 个相符，{len(failed)} 个不符。")
        if not results:
            raise BadInput("没有选中任何案例；请放宽 -k 或 --layer")
        raise typer.Exit(FINDINGS if failed else CLEAN)


def _print_case(result: CaseResult) -> None:
    worked = result.worked
    mark = "相符" if result.passed else "不符"
    got = "" if result.passed else f"：应为 {worked.case.verdict}，判为 {result.verdict.value}"
    print(f"{mark}  {worked.place}  {worked.rule.id}  {worked.case.what}（{worked.layer}，{worked.day}）{got}")


@policy.command()
def trace(
    policies: PoliciesOption = None,
    output_format: FormatOption = Format.TABLE,
    document: Annotated[str | None, typer.Option("--document", metavar="文件编号", help="列出一份文件的每一条，如 s2")] = None,
) -> None:
    """追溯：每份文件的条款各由什么承接（规则、职责、指标、页面、计划、目标）。"""
    with told_plainly():
        pack = pack_of(policies)
        traced = trace_pack(pack)
        if document is not None and document not in pack.documents:
            raise BadInput(f"没有文件“{document}”{nearest(document, pack.documents)}；已有：{'、'.join(pack.documents)}")
        if output_format is Format.JSON:
            counts = counts_by_document(traced)
            _print_json(
                [
                    {
                        "document": each.id,
                        "title": each.title,
                        "layer": each.layer,
                        "counts": dict(counts[each.id]),
                        "clauses": [
                            {
                                "clause": item.clause.id,
                                "locator": item.clause.locator,
                                "summary": item.clause.summary,
                                "carried_out_by": [{"sort": link.sort, "id": link.id, "title": link.title} for link in item.links],
                            }
                            for item in traced
                            if item.document is each
                        ],
                    }
                    for each in pack.documents.values()
                    if document in (None, each.id)
                ]
            )
            return
        if document is None:
            _print_counts(pack, traced)
            return
        for item in traced:
            if item.document.id == document:
                links = "；".join(f"{SORTS[link.sort]} {link.id} {link.title}".strip() for link in item.links)
                print(f"{item.clause.id}  {item.clause.locator}\n    {item.clause.summary}\n    → {links}")


def _print_counts(pack: Pack, traced: Sequence[Any]) -> None:
    table = Table(title="条款由什么承接（每条只计最实的一项）", title_justify="left")
    table.add_column("文件")
    for name in ("条款", *SORTS.values()):
        table.add_column(name, justify="right")
    for code, counts in counts_by_document(list(traced)).items():
        document = pack.documents[code]
        cells = [str(counts[sort] or "") for sort in SORTS]
        table.add_row(f"{document.short}（{pack.layers[document.layer].name}）", str(sum(counts.values())), *cells)
    _out().print(table)


@policy.command()
def diff(
    first: Annotated[str, typer.Argument(metavar="甲", help="层或日期，或 层@日期")],
    second: Annotated[str, typer.Argument(metavar="乙", help="层或日期，或 层@日期")],
    layer: LayerOption = None,
    on: OnOption = None,
    policies: PoliciesOption = None,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """比较两层，或一层的两个日期：哪些限值、哪些规则不同。相同退出码 0，不同为 1。"""
    with told_plainly():
        pack = pack_of(policies)
        found = compare(pack, _point(first, pack, layer, on), _point(second, pack, layer, on))
        if output_format is Format.JSON:
            _print_json(_comparison_as_dict(found))
        else:
            _print_comparison(pack, found)
        raise typer.Exit(FINDINGS if found.figures or found.rules else CLEAN)


def _point(text: str, pack: Pack, layer: str | None, on: str | None) -> Point:
    code, at, day = text.partition("@")
    if text[:1].isdigit() and not at:
        return Point(layer_of(layer, pack), _day(text))
    return Point(pack.layer(code).code, _day(day or on))


def _comparison_as_dict(found: Comparison) -> dict[str, Any]:
    return {
        "first": {"layer": found.first.layer, "on": found.first.on.isoformat()},
        "second": {"layer": found.second.layer, "on": found.second.on.isoformat()},
        "parameters": [
            {
                "parameter": each.parameter.name,
                "label": each.parameter.label,
                "case": each.case,
                "first": each.first.text if each.first else None,
                "second": each.second.text if each.second else None,
                "direction": each.direction,
            }
            for each in found.figures
        ],
        "rules": [
            {"rule": each.rule.id, "title": each.rule.title, "only_in": "first" if each.is_in_first else "second"} for each in found.rules
        ],
    }


def _print_comparison(pack: Pack, found: Comparison) -> None:
    names = [f"{pack.layers[point.layer].name} {point.on}" for point in (found.first, found.second)]
    table = Table(title="不同的限值", title_justify="left")
    for name in ("参数", "情形", *names, "后者"):
        table.add_column(name)
    for each in found.figures:
        direction = {"stricter": "更严", "looser": "更宽", None: ""}[each.direction]
        cells = [f"{limit.text}（{limit.statement.layer}）" if limit else "—" for limit in (each.first, each.second)]
        table.add_row(each.parameter.label, each.case, *cells, direction)
    out = _out()
    if found.figures:
        out.print(table)
    rules = Table(title="只在一方适用的要求", title_justify="left")
    for name in ("规则", "标题", "适用于"):
        rules.add_column(name)
    for rule in found.rules:
        rules.add_row(rule.rule.id, rule.rule.title, names[0 if rule.is_in_first else 1])
    if found.rules:
        out.print(rules)
    if not found.figures and not found.rules:
        out.print("没有不同")


@policy.command()
def show(
    parameter: Annotated[str, typer.Argument(metavar="参数", help="如 homework.daily_minutes")],
    layer: LayerOption = None,
    on: OnOption = None,
    policies: PoliciesOption = None,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """看一个参数在某层某日的数值、由哪一层规定、依据哪一条。"""
    with told_plainly():
        pack = pack_of(policies)
        if parameter not in pack.parameters:
            raise BadInput(f"没有名为“{parameter}”的参数{nearest(parameter, pack.parameters)}")
        code, day = layer_of(layer, pack), _day(on)
        found = in_force(pack, parameter, code, day)
        if output_format is Format.JSON:
            _print_json(
                [
                    {
                        "case": case,
                        "value": limit.text,
                        "layer": limit.statement.layer,
                        "from": str(limit.statement.since),
                        "cites": list(limit.statement.cites),
                    }
                    for case, limit in found
                ]
            )
        else:
            declared = pack.parameters[parameter]
            print(f"{declared.label}（{parameter}，单位 {declared.unit}）  {pack.layers[code].name}  {day}")
            for case, limit in found:
                cites = "；".join(pack.cite(cite) for cite in limit.statement.cites)
                print(f"  {case or '一律'}：{limit.text}  自 {limit.statement.since}，{pack.layers[limit.statement.layer].name}，{cites}")
        if not found:
            raise BadInput(f"{day} {pack.layers[code].name}没有“{pack.parameters[parameter].label}”的有效数值")


def in_force(pack: Pack, name: str, layer: str, on: datetime.date) -> list[tuple[str, Limit]]:
    """Every case of a parameter with the figure in force at a layer on a day."""
    chain = pack.layers[layer].chain
    cells = dict.fromkeys(each.cell for code in chain for each in pack.statements.get(name, ()) if each.layer == code)
    found = []
    for cell in cells:
        own = [each for code in chain for each in pack.statements[name] if each.layer == code and each.cell == cell and each.in_force(on)]
        if own:
            found.append((pack.show_cell(pack.parameters[name], cell), Limit(pack.parameters[name], own[0].value, own[0])))
    return found
