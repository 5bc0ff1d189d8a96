"""An audit for the terminal: grouped by rule, short, and nothing left unsaid."""

from __future__ import annotations

from itertools import groupby
from typing import IO

from rich.console import Console
from rich.text import Text

from qingdan.audit import Audit
from qingdan.audit.writing import cites_of
from qingdan.policy.findings import Finding
from qingdan.policy.provisions import Verdict

#: Findings shown per rule, unless all are asked for.
SHOWN = 10
#: Clauses named per rule, unless all are asked for.
CITED = 2


def print_audit(audit: Audit, out: IO[str], *, verbose: bool) -> None:
    """Write an audit as text; colours only on a terminal, lines never padded or cut."""
    console = Console(file=out, highlight=False, soft_wrap=True)
    layer = audit.pack.layers[audit.layer]
    findings = sorted(audit.findings(), key=lambda finding: (finding.verdict is not Verdict.BREACH, finding.rule.subject, finding.rule.id))
    for _, group in groupby(findings, key=lambda finding: (finding.verdict, finding.rule.id)):
        _print_rule(audit, console, list(group), verbose=verbose)
    _print_unread(audit, console, verbose=verbose)
    summary = audit.summary
    verdict = "[bold green]没有发现问题[/]" if audit.is_clean else f"[bold red]违规 {summary.breach} 条[/]，待定 {summary.undetermined} 条"
    console.print(
        f"{layer.name}（{layer.code}）：读入 {summary.records:,} 条记录，{summary.compliant:,} 条合规；{verdict}"
        + (f"；{summary.unreadable} 处未读" if summary.unreadable else "")
    )


def _print_rule(audit: Audit, console: Console, findings: list[Finding], *, verbose: bool) -> None:
    first = findings[0]
    mark = "[bold red]违规[/]" if first.verdict is Verdict.BREACH else "[bold yellow]待定[/]"
    console.print(f"{mark} [bold]{first.rule.title}[/]  [dim]{first.rule.id} · {len(findings)} 条[/]")
    cites = [f"{audit.pack.clauses[each['clause']][0].short} {each['locator']}" for each in cites_of(first, audit.pack)]
    more = "" if verbose or len(cites) <= CITED else f" 等 {len(cites)} 条"
    console.print(Text(f"  依据  {'；'.join(cites if verbose else cites[:CITED])}{more}", style="dim"))
    shown = findings if verbose else findings[:SHOWN]
    for finding in shown:
        console.print(Text(f"  ▸ {finding.sentence}"))
        console.print(Text(f"      {'；'.join(map(str, finding.sources))}", style="dim"))
    if len(findings) > len(shown):
        console.print(f"[dim]  …另有 {len(findings) - len(shown)} 条（--all 全列，或 --format xlsx -o 结果.xlsx）[/]")
    console.print(Text(f"  怎么改  {first.rule.remedy}\n"))


def _print_unread(audit: Audit, console: Console, *, verbose: bool) -> None:
    if audit.unreadable:
        console.print(f"[bold yellow]未读[/] {len(audit.unreadable)} 处")
        for each in audit.unreadable if verbose else audit.unreadable[: SHOWN * 2]:
            where = f"{each.file}{f'〔{each.sheet}〕' if each.sheet else ''}{f' 第 {each.row} 行' if each.row else ''}"
            column = f"“{each.column}”列" if each.column else ""
            console.print(Text(f"  {where} {column} {each.value!r}：{each.reason}"))
        if not verbose and len(audit.unreadable) > SHOWN * 2:
            console.print(f"[dim]  …另有 {len(audit.unreadable) - SHOWN * 2} 处（--all 全列）[/]")
        console.print()
    if audit.not_judged:
        console.print(f"[dim]表中没有所需的列，{len(audit.not_judged)} 条规则未判：[/]")
        for unjudged in audit.not_judged if verbose else audit.not_judged[:SHOWN]:
            line = f"{unjudged.rule.title}：缺“{'”“'.join(unjudged.missing)}”（{unjudged.count} 条）"
            console.print(Text(f"  {line}", style="dim"))
        if not verbose and len(audit.not_judged) > SHOWN:
            console.print(f"[dim]  …另有 {len(audit.not_judged) - SHOWN} 条（--all 全列）[/]")
        console.print()
    if audit.skipped and verbose:
        console.print("[dim]不是记录、未作判定的行：[/]")
        for skipped in audit.skipped:
            rows = f" 第 {skipped.first_row}–{skipped.last_row} 行" if skipped.first_row else ""
            where = f"{skipped.file}{f'〔{skipped.sheet}〕' if skipped.sheet else ''}{rows}"
            console.print(Text(f"  {where}：{skipped.what}", style="dim"))
        console.print()
