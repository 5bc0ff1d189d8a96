"""What the commands share: where policies and layers come from, and how bad input is told."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from qingdan.policy.pack import Pack, UnknownLayer
from qingdan.policy.packs import default_pack, load_pack
from qingdan.policy.sources import PackError
from qingdan.policy.supposing import Unsupposable
from qingdan.workbooks import InputError

CLEAN, FINDINGS, BAD_INPUT = 0, 1, 2

talk = Console(stderr=True, highlight=False)

PoliciesOption = Annotated[list[Path] | None, typer.Option("--policies", metavar="文件夹", help="叠加在内置政策包之上的政策包，可写多次")]
LayerOption = Annotated[
    str | None, typer.Option("--layer", metavar="层", envvar="QINGDAN_LAYER", help="按哪一层（地区或学校）的规定判定，如 cn-shanghai")
]


class BadInput(Exception):
    """Input that cannot be used; the message is Chinese and says what to do."""


@contextmanager
def told_plainly() -> Iterator[None]:
    """Bad input ends with one clear message on stderr and exit status 2, never with a traceback."""
    try:
        yield
    except PackError as error:
        for problem in error.problems:
            talk.print(f"政策包有误  {problem}", markup=False, soft_wrap=True)
        talk.print(f"共 {len(error.problems)} 处；请改正后重试。", markup=False)
        raise typer.Exit(BAD_INPUT) from None
    except InputError as error:
        for text in error.problems:
            talk.print(text, markup=False, soft_wrap=True)
        raise typer.Exit(BAD_INPUT) from None
    except (UnknownLayer, Unsupposable, BadInput) as error:
        talk.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(BAD_INPUT) from None
    except BrokenPipeError:
        # The reader of our output has gone (``| head``): nothing is wrong.
        sys.stderr.close()
        raise typer.Exit(CLEAN) from None


def pack_of(policies: list[Path] | None) -> Pack:
    """The built-in pack with the given folders over it."""
    return load_pack(*policies) if policies else default_pack()


def layer_of(layer: str | None, pack: Pack) -> str:
    """The layer asked for; raise BadInput, naming those there are, when none is."""
    if not layer:
        names = "、".join(f"{each.code}（{each.name}）" for each in pack.layers.values())
        raise BadInput(f"请用 --layer 写明按哪一层判定，或设置环境变量 QINGDAN_LAYER。已有：{names}")
    return pack.layer(layer).code


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress bar on stderr that goes away when done; silent where stderr is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=talk, transient=True, disable=not talk.is_terminal) as bar:
        yield bar
