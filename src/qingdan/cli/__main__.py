"""``python -m qingdan.cli``."""

from __future__ import annotations

import re
import sys

import typer

# typer carries a click of its own and raises its errors, not those of the package click.
from typer._click import exceptions as click

from qingdan.cli import app
from qingdan.cli.common import BAD_INPUT


def main(arguments: list[str] | None = None) -> int:
    """Run a command; what it was called with wrongly is told in Chinese. Returns the exit status."""
    try:
        status = app(arguments, prog_name="qingdan", standalone_mode=False)
    except click.UsageError as error:
        print(f"{_told(error)}。\n{_try(error)}", file=sys.stderr)
        return BAD_INPUT
    except (typer.Abort, KeyboardInterrupt):
        print("已中断。", file=sys.stderr)
        return 130
    return status if isinstance(status, int) else 0


def _told(error: click.UsageError) -> str:
    if isinstance(error, click.MissingParameter):
        return f"缺少{_name(error)}"
    if isinstance(error, click.NoSuchOption):
        near = f"；是否想写“{error.possibilities[0]}”？" if error.possibilities else ""
        return f"没有“{error.option_name}”这个选项{near}"
    if isinstance(error, click.BadParameter):
        quoted = re.findall(r"'([^']*)'", error.message)
        if "is not one of" in error.message:
            return f"{_name(error)}没有“{quoted[0]}”这一种；可写：{'、'.join(quoted[1:])}"
        return f"{_name(error)}写得不对：{error.message.rstrip('.')}"
    if isinstance(error, click.BadOptionUsage):
        return f"选项“{error.option_name}”后面要有值"
    if error.message.startswith("No such command"):
        return f"没有“{error.message.split(chr(39))[1]}”这个命令"
    if error.message.startswith("Got unexpected extra argument"):
        return f"多出来的参数：{error.message.split('(')[-1].rstrip(')')}"
    return error.message.rstrip(".")


def _name(error: click.BadParameter) -> str:
    if error.param is None:
        return f"“{error.param_hint}”"
    named = error.param.opts[0]
    return f"“{named if named.startswith('-') else error.param.metavar or named}”"


def _try(error: click.UsageError) -> str:
    return f"用法见：{error.ctx.command_path} --help" if error.ctx else "用法见：qingdan --help"


if __name__ == "__main__":
    sys.exit(main())
