"""What if: a pack in which one figure is another, for ``simulate``."""

from __future__ import annotations

import copy
import datetime

from qingdan.policy.pack import Pack
from qingdan.policy.provisions import Band, Parameter, Statement, read_figure
from qingdan.policy.sources import nearest
from qingdan.policy.units import CLOCK, DATE


class Unsupposable(ValueError):
    """A supposition that cannot be made; the message is Chinese and says how to write one."""


def suppose(pack: Pack, setting: str, *, at: str) -> tuple[Pack, list[Statement]]:
    """The pack with ``parameter[case,…]=value`` at a layer, from the first day on; and the figures put in.

    Without a case, every case of the parameter gets the value. Raises Unsupposable.
    """
    name, separator, raw = setting.partition("=")
    name, bracket, case = name.strip().partition("[")
    if not separator or (bracket and not case.endswith("]")):
        raise Unsupposable(f"--set 要写成 参数=数值，或 参数[情形]=数值，却是“{setting}”")
    parameter = pack.parameters.get(name)
    if parameter is None:
        raise Unsupposable(f"没有名为“{name}”的参数{nearest(name, pack.parameters)}")
    value = _figure(raw.strip(), parameter)
    cells = {each.cell for each in pack.statements.get(name, ()) if each.layer in pack.layer(at).chain}
    if bracket:
        wanted = tuple(part.strip() for part in _split(case[:-1]))
        if len(wanted) != len(parameter.by):
            raise Unsupposable(f"参数“{name}”按 {'、'.join(parameter.by) or '（无）'} 区分，情形要写 {len(parameter.by)} 项")
        known = [set(column) for column in zip(*cells, strict=True)]
        for given, options in zip(wanted, known, strict=True):
            if given not in options:
                raise Unsupposable(f"参数“{name}”没有情形“{given}”{nearest(given, options)}；可写：{'、'.join(sorted(options))}")
        cells = {wanted}
    cells = cells or ({()} if not parameter.by else set())
    if not cells:
        raise Unsupposable(f"参数“{name}”在本层没有任何数值可改；请写明情形")
    put_in = [_statement(pack, parameter, at, cell, value) for cell in sorted(cells)]
    return _with(pack, name, at, put_in), put_in


def _split(case: str) -> list[str]:
    """Cases by commas, but not those inside a band such as ``(10,35]``."""
    parts, depth, current = list[str](), 0, ""
    for letter in case:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += letter
    return [*parts, current]


def _figure(raw: str, parameter: Parameter) -> int | datetime.date:
    try:
        if parameter.unit == CLOCK:
            return read_figure(raw, CLOCK)
        if parameter.unit == DATE:
            return datetime.date.fromisoformat(raw)
        return int(raw)
    except ValueError:
        example = "20:30" if parameter.unit == CLOCK else "2026-09-01" if parameter.unit == DATE else "50"
        raise Unsupposable(f"“{raw}”不是“{parameter.label}”的数值（单位 {parameter.unit}，如 {example}）") from None


def _statement(pack: Pack, parameter: Parameter, at: str, cell: tuple[str, ...], value: int | datetime.date) -> Statement:
    above = next((each for each in pack.statements.get(parameter.name, ()) if each.cell == cell), None)
    cites = above.cites if above else ()
    source = above.source if above else parameter.source
    return Statement(parameter.name, at, cell, datetime.date(1900, 1, 1), None, value, cites, "simulate", source)


def _with(pack: Pack, name: str, at: str, put_in: list[Statement]) -> Pack:
    supposed = copy.copy(pack)
    replaced = {each.cell for each in put_in}
    kept = [each for each in pack.statements.get(name, ()) if not (each.layer == at and _covered(each.cell, replaced))]
    supposed.statements = {**pack.statements, name: [*kept, *put_in]}
    for cached in ("statements_by_layer", "rules_by_clause"):
        supposed.__dict__.pop(cached, None)
    return supposed


def _covered(cell: tuple[str, ...], replaced: set[tuple[str, ...]]) -> bool:
    if cell in replaced:
        return True
    for other in replaced:
        pairs = [(Band.parse(one), Band.parse(two), one, two) for one, two in zip(cell, other, strict=True)]
        if pairs and all(a.overlaps(b) if a and b else one == two for a, b, one, two in pairs):
            return True
    return False
