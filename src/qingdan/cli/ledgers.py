"""``qingdan ledger verify``: the books of the running house, checked by a second hand."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from qingdan.cli.common import CLEAN, FINDINGS, BadInput, progress_bar, told_plainly
from qingdan.embedded import AlreadyInUse, EmbeddedPostgresError
from qingdan.policy.sources import nearest
from qingdan.serving import clean_environment, database_below, var_folder

if TYPE_CHECKING:
    from qingdan.ledger.models import Book
    from qingdan.ledger.verify import Anchor, Fault

ledger = typer.Typer(help="账簿：verify 逐笔复核", no_args_is_help=True, rich_markup_mode=None)


class Format(StrEnum):
    """How faults are written."""

    TABLE = "table"
    JSON = "json"


@ledger.callback()
def about() -> None:
    """账簿：verify 逐笔复核。"""


@ledger.command("verify")
def verify_books(
    books: Annotated[list[str] | None, typer.Argument(metavar="[账簿…]", help="账簿代码；不写就是全部")] = None,
    output_format: Annotated[Format, typer.Option("--format", help="table 看，json 给程序并可留存")] = Format.TABLE,
    since: Annotated[Path | None, typer.Option("--since", metavar="文件", help="以前留存的 json：查出此后被整体改写的账")] = None,
) -> None:
    """逐笔复核账簿：编号、摘要链、借贷、冲销、余额。

    结果在标准输出，其余话在标准错误。退出码：0 没有问题，1 有问题，2 输入不能用。建议每天把 json 结果留存到别处。
    """
    with told_plainly(), house():
        anchors = read_anchors(since)
        chosen = find_books(books or [])
        faults = check(chosen, anchors)
        if output_format is Format.JSON:
            json.dump(as_json(chosen, faults), sys.stdout, ensure_ascii=False, indent=2)
            sys.stdout.write("\n")
        else:
            show(chosen, faults)
    raise typer.Exit(FINDINGS if faults else CLEAN)


@contextmanager
def house() -> Iterator[None]:
    """Django on the database that QINGDAN_DATABASE_URL names, else on the demonstration's; raise BadInput when there is none."""
    environment = clean_environment()
    own = None
    try:
        if "QINGDAN_DATABASE_URL" not in environment:
            own = database_below(var_folder(environment))
            if not (own.data / "complete").exists():
                raise BadInput("没有数据库：请先运行 ./qingdan demo，或用环境变量 QINGDAN_DATABASE_URL 指定")
            os.environ |= {"QINGDAN_DATABASE_URL": own.url_if_running() or own.start(), "QINGDAN_DEMO": "1"}
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qingdan.settings")
        import django
        from django.core.exceptions import ImproperlyConfigured
        from django.db import OperationalError, ProgrammingError

        try:
            django.setup()
            yield
        except ImproperlyConfigured as error:
            raise BadInput(str(error)) from None
        except OperationalError as error:
            raise BadInput(f"数据库连不上，请检查 QINGDAN_DATABASE_URL：{str(error).splitlines()[0]}") from None
        except ProgrammingError as error:
            raise BadInput(f"数据库里还没有账簿的表，请先运行 ./qingdan manage migrate：{str(error).splitlines()[0]}") from None
    except AlreadyInUse as error:
        raise BadInput(str(error)) from None
    except EmbeddedPostgresError as error:
        raise BadInput(str(error)) from None
    finally:
        if own is not None:
            own.stop()


def read_anchors(since: Path | None) -> Mapping[str, Anchor]:
    """Where each book's chain ended at an earlier verification, from what that one wrote as json."""
    from qingdan.ledger.verify import Anchor

    if since is None:
        return {}
    try:
        earlier = json.loads(since.read_text(encoding="utf-8"))
        return {each["book"]: Anchor(int(each["postings"]), str(each["digest"])) for each in earlier["books"]}
    except OSError as error:
        raise BadInput(f"读不了 {since}：{error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"{since} 不是 ledger verify --format json 写出的结果") from None


def find_books(codes: list[str]) -> list[Book]:
    """The books asked for, or all; raise BadInput for a code that no book has."""
    from qingdan.ledger.models import Book

    known = {book.code: book for book in Book.objects.order_by("code")}
    for code in codes:
        if code not in known:
            raise BadInput(f"没有代码是“{code}”的账簿{nearest(code, known)}")
    return [known[code] for code in dict.fromkeys(codes)] if codes else list(known.values())


def check(books: list[Book], anchors: Mapping[str, Anchor]) -> list[Fault]:
    """Verify the books with a bar; a book of the anchors that is gone is a fault too."""
    from qingdan.ledger.enums import FaultKind
    from qingdan.ledger.models import Book
    from qingdan.ledger.verify import Fault, verify

    faults: list[Fault] = []
    with progress_bar() as bar:
        task = bar.add_task("复核凭证", total=sum(book.last_number for book in books))
        for book in books:
            faults += verify(book, anchor=anchors.get(book.code), tell=lambda count: bar.advance(task, count))
    there = set(Book.objects.filter(code__in=anchors).values_list("code", flat=True))
    return faults + [Fault(code, FaultKind.HEAD, None, "以前留存的结果里有这本账簿，现在没有了") for code in anchors if code not in there]


def as_json(books: list[Book], faults: list[Fault]) -> dict[str, Any]:
    """What a program reads, and a later verification as ``--since``."""
    return {
        "books": [
            {
                "book": book.code,
                "title": book.title,
                "postings": book.last_number,
                "digest": book.last_digest,
                "faults": sum(fault.book == book.code for fault in faults),
            }
            for book in books
        ],
        "faults": [{"book": each.book, "number": each.number, "kind": each.kind.value, "message": each.message} for each in faults],
    }


def show(books: list[Book], faults: list[Fault]) -> None:
    """Write faults, then each book's end of the chain, then the sum; lines never padded or cut."""
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    for fault in faults:
        where = f" 第 {fault.number} 笔" if fault.number else ""
        console.print(Text.assemble((f"{fault.kind.label}  ", "bold red"), f"{fault.book}{where}：{fault.message}"))
    for book in books:
        bad = any(fault.book == book.code for fault in faults)
        console.print(Text(f"{'✗' if bad else '✓'} {book.code}（{book.title}）  {book.last_number}  {book.last_digest}", style="dim"))
    verdict = f"[bold red]有问题 {len(faults)} 处[/]" if faults else "[bold green]没有发现问题[/]"
    console.print(f"账簿 {len(books):,} 本，凭证 {sum(book.last_number for book in books):,} 笔，{verdict}")
