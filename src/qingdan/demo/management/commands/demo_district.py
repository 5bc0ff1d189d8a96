"""Loads the demonstration district, or brings it up to today."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from qingdan.demo.loading import Progress as Tell
from qingdan.demo.loading import Scale, ensure_district
from qingdan.demo.plan import ACCOUNTS, PASSWORD, SCHOOLS

_DONE = {
    "loaded": "已装入示范区：{homework} 项作业",
    "topped_up": "示范区已补到今天：新增 {homework} 项作业",
    "unchanged": "示范区已是最新",
}
#: The launcher runs this with its talk in a file; it names here the terminal that a person sees.
TERMINAL = "QINGDAN_TERMINAL"


class Command(BaseCommand):
    """Load the fictional district of the demonstration.

    1. Refuse outside a demonstration: the accounts' password is known to everyone.
    2. Load the district with eight weeks of homework up to today, or add what has happened since it was loaded.
    3. Name the accounts.
    """

    help = "装入演示用的虚构示范区，或把它补到今天（只在演示或调试时可用，可重复运行）"

    def add_arguments(self, parser: CommandParser) -> None:
        """How much, and whether anew."""
        most = int(os.environ.get("QINGDAN_DEMO_SCHOOLS") or len(SCHOOLS))
        parser.add_argument("--fresh", action="store_true", help="先清空虚构数据，再重新装入")
        parser.add_argument("--schools", type=int, default=most, help=f"学校数，1 至 {len(SCHOOLS)}（默认全部）")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the procedure."""
        if not (settings.DEMO or settings.DEBUG):
            raise CommandError("演示账户的密码人人皆知，只能在演示（QINGDAN_DEMO=1）或调试（QINGDAN_DEBUG=1）时装入")
        if not 1 <= options["schools"] <= len(SCHOOLS):
            raise CommandError(f"学校数要在 1 至 {len(SCHOOLS)} 之间，给的是 {options['schools']}")
        try:
            with _shown() as tell:
                outcome = ensure_district(scale=Scale(schools=options["schools"]), fresh=options["fresh"], progress=tell)
        except ValidationError as error:
            raise CommandError("；".join(error.messages)) from None
        self.stdout.write(_DONE[outcome.act].format(homework=outcome.homework))
        self.stdout.write(f"演示账号（密码都是 {PASSWORD}）：")
        for account in ACCOUNTS:
            self.stdout.write(f"  {account.username:<20}{account.display_name}（{account.organisation or '家长'}）")


@contextlib.contextmanager
def _terminal() -> Iterator[IO[str]]:
    """Where a person looks: standard error, or what the launcher names."""
    number = os.environ.get(TERMINAL, "")
    if number.isdecimal():
        with open(int(number), "w", encoding="utf-8", errors="replace", closefd=False) as file:
            yield file
    else:
        yield sys.stderr


@contextlib.contextmanager
def _shown() -> Iterator[Tell]:
    """A bar on a terminal, elsewhere one line at the beginning; nothing at all when there is nothing to do."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with _terminal() as file:
        console = Console(file=file, highlight=False)
        bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        task = bar.add_task("装入示范区", total=None)

        def tell(what: str, done: int, whole: int) -> None:
            if done == 0:
                bar.start()
                if not console.is_terminal:
                    console.print("装入示范区……")
            bar.update(task, description=f"装入示范区：{what}", completed=done, total=whole)

        try:
            yield tell
        finally:
            bar.stop()
